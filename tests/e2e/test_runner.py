"""The official runner serves ClickMask to Label Studio: ``label-studio-ml start plugin/runner``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import ServerCommand, running
from tests.e2e.annotator import Annotator, Spot
from tests.e2e.conftest import need
from tests.e2e.masks import holds, mask_of
from tests.e2e.programs import RUNNER, installed_runner
from tests.e2e.runner_environment import CHECKOUT
from tests.e2e.waiting import eventually
from tests.ports import free_port

pytestmark = pytest.mark.e2e

CHEETAH = Spot(50, 45)


@pytest.fixture(scope="module")
def runner_bin() -> Path:
    """Where ``label-studio-ml`` is installed; CI installs it."""
    if os.environ.get("CI") == "true":
        return installed_runner()
    program = RUNNER / "bin" / "label-studio-ml"
    need(program.exists(), f"label-studio-ml is not installed in {RUNNER}: CI=true installs it")
    return program.parent


@pytest.fixture(scope="module")
def runner_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runner keeps its records."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture(scope="module")
def runner_url(runner_bin: Path, runner_home: Path) -> Iterator[str]:
    """The runner, started as its documentation says."""
    port = free_port()
    environ = {
        **os.environ,
        "PATH": f"{runner_bin}:{os.environ['PATH']}",  # it starts "python" by name
        "CLICKMASK_DATA_DIR": str(runner_home / "data"),
    }
    start = [str(runner_bin / "label-studio-ml"), "start", str(CHECKOUT / "plugin" / "runner"), "-p", str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(ServerCommand("label-studio-ml", start, environ, runner_home / "log", f"{url}/health", 120)):
        yield url


def test_click_accept_submit_through_the_official_runner(
    annotator: Annotator, client: StudioClient, runner_url: str, runner_home: Path, tmp_path: Path
) -> None:
    project = open_project(client, "Runner", label_config("brush"), sample_photos(tmp_path)[:1], runner_url)
    [backend] = client.call("GET", "/api/ml", params={"project": project})
    assert backend["state"] == "CO", "Label Studio says it is connected"
    task = client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]["id"]

    annotator.open_task(project, task)
    answer = annotator.click_object("Animal", CHEETAH)
    assert holds(mask_of(answer["result"]), CHEETAH)
    annotator.see("runner-1-clicked")
    annotator.accept()
    annotation = annotator.submit()

    saved = client.call("GET", f"/api/annotations/{annotation}")["result"]
    assert np.array_equal(mask_of(saved), mask_of(answer["result"]))
    assert wait_for_record(runner_home / "data")["annotation"] == annotation


def wait_for_record(data_dir: Path) -> dict[str, Any]:
    """What the runner recorded as accepted; it does so in a process of its own, some seconds later."""
    command = [sys.executable, "-m", "clickmask", "backend", "accepted", "--data-dir", str(data_dir)]

    def records() -> list[str]:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    record: dict[str, Any] = json.loads(eventually(records, "a record of the runner")[0])
    return record
