"""Fifty tasks at once, a restart in the middle, Label Studio under a path, and the doctor on the real thing."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clickmask.__main__ import main
from clickmask.plugin.build import build_backend
from clickmask.plugin.commands import open_project as find_project
from clickmask.plugin.commands import warm
from clickmask.plugin.labels import label_config
from clickmask.plugin.settings import Settings
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.login import load_login
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import backend_command, label_studio_command
from tests.e2e.conftest import LabelStudio
from tests.e2e.path_proxy import serving_under
from tests.e2e.test_project_work import draw_box, tasks_of
from tests.e2e.test_tokens import WithPersonalToken
from tests.ports import free_port

pytestmark = pytest.mark.e2e

TASKS = 50
CLICK = {
    "type": "keypointlabels",
    "from_name": "point",
    "to_name": "image",
    "is_positive": True,
    "id": "c",
    "value": {"x": 50, "y": 45, "width": 0.2, "keypointlabels": ["Animal"]},
}


def retrieve(client: StudioClient, project: int) -> int:
    """Press "Retrieve Predictions" for all tasks; how many have one now."""
    selected = {"selectedItems": {"all": True, "excluded": []}}
    parameters = {"id": "retrieve_tasks_predictions", "project": project}
    client.call("POST", "/api/dm/actions", params=parameters, json=selected)
    return predicted(client, project)


def predicted(client: StudioClient, project: int) -> int:
    return sum(task["total_predictions"] > 0 for task in tasks_of(client, project))


def test_every_press_of_retrieve_predictions_is_a_step_forward(client: StudioClient, tmp_path: Path) -> None:
    """All or nothing stored nothing of fifty tasks, and said "Retrieved 50 predictions"."""
    port = free_port()
    command = backend_command(tmp_path / "backend", port, ["--predict-seconds", "2"], os.environ)
    with running(command):
        photos = [shutil.copy(sample_photos(tmp_path)[0], tmp_path / f"{number}.jpg") for number in range(TASKS)]
        project = open_project(
            client, f"many {time.time_ns()}", label_config("brush"), list(map(Path, photos)), f"http://127.0.0.1:{port}"
        )
        for task in tasks_of(client, project):
            draw_box(client, int(task["id"]))
        done = [0, retrieve(client, project)]
    with running(command):  # restarted in the middle
        while done[-1] < TASKS:
            done.append(retrieve(client, project))
            assert done[-1] > done[-2] or len(done) == 3, done
    assert len(done) > 2, "two seconds were enough for all: nothing was tried"


@pytest.fixture
def under_a_path(label_studio_program: Path, empty_label_studio: Path, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A Label Studio at http://127.0.0.1:PORT/ls, behind a proxy that strips the path; address and token."""
    folder, port, public = tmp_path / "label-studio", free_port(), free_port()
    shutil.copytree(empty_label_studio, folder)
    login = load_login(folder / "login.json")
    url = f"http://127.0.0.1:{public}/ls"
    command = label_studio_command(label_studio_program, folder, login, port, os.environ)
    arguments = [url if part == f"http://127.0.0.1:{port}" else part for part in command.command]
    with (
        running(dataclasses.replace(command, command=arguments)),
        serving_under("/ls", f"http://127.0.0.1:{port}", public),
    ):
        yield url, login.token


def test_label_studio_under_a_path(under_a_path: tuple[str, str], tmp_path: Path) -> None:
    url, token = under_a_path
    port = free_port()
    with (
        running(backend_command(tmp_path / "backend", port, [], os.environ)),
        closing(StudioClient(url, token)) as client,
    ):
        project = open_project(
            client, "path", label_config("brush"), sample_photos(tmp_path)[:1], f"http://127.0.0.1:{port}"
        )
        (task,) = tasks_of(client, project)
        assert task["data"]["image"].startswith("/ls/data/upload/")
        (connected,) = client.call("GET", "/api/ml", params={"project": project})
        body = {"task": task["id"], "context": {"result": [CLICK]}}
        answer: Any = client.call("POST", f"/api/ml/{connected['id']}/interactive-annotating", json=body)
        assert answer["data"]["result"][0]["type"] == "brushlabels"
        settings = Settings(label_studio_url=url, label_studio_api_key=token, data_dir=tmp_path / "data")
        backend = build_backend(settings)
        found, config = find_project(backend, project, "")
        warm(backend, found, config)
        assert backend.segmenter.is_prepared(task, config, found)
        backend.close()


def test_a_personal_token_works_under_a_path(under_a_path: tuple[str, str], tmp_path: Path) -> None:
    """It is exchanged for one that lasts minutes at an address that has the path too."""
    url, legacy = under_a_path
    with closing(StudioClient(url, legacy)) as client:
        client.call("POST", "/api/jwt/settings", json={"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
        personal = str(client.call("POST", "/api/token/")["token"])
        port = free_port()
        given = ["--label-studio-url", url, "--label-studio-api-key", personal]
        with running(backend_command(tmp_path / "backend", port, given, os.environ)):
            project = open_project(
                client, "path", label_config("polygon"), sample_photos(tmp_path)[:1], f"http://127.0.0.1:{port}"
            )
            (task,) = tasks_of(client, project)
            (connected,) = client.call("GET", "/api/ml", params={"project": project})
            person = WithPersonalToken(url, personal)
            with person.without_legacy_tokens():
                body = {"task": task["id"], "context": {"result": [CLICK]}}
                answer = person.post(f"/api/ml/{connected['id']}/interactive-annotating", body)
        assert answer["data"]["result"][0]["type"] == "polygonlabels"


def test_the_doctor_finds_nothing_wrong_with_a_project_that_works(
    client: StudioClient,
    label_studio: LabelStudio,
    backend_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = open_project(client, "doctor", label_config("polygon"), sample_photos(tmp_path)[:1], backend_url)
    flags = {
        "--project": str(project),
        "--label-studio-url": label_studio.url,
        "--label-studio-api-key": label_studio.login.token,
        "--data-dir": str(tmp_path),
        "--port": backend_url.rpartition(":")[2],
    }
    code = main(["doctor", *(part for pair in flags.items() for part in pair)])
    told = capsys.readouterr().out
    assert code == 0, told
    for part in (
        "a backend answers at",
        "Label Studio 1.",
        "asked about clicks",
        "are told to",
        "is answered by polygon",
    ):
        assert part in told, told
