"""A backend behind a password: connected with Basic Auth, clicked through, told of annotations."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clickmask.plugin.errors import StudioError
from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.photos import sample_photos
from clickmask.plugin.studio.process import running
from clickmask.plugin.studio.servers import backend_command
from tests.e2e.test_tokens import CLICK
from tests.e2e.waiting import eventually
from tests.ports import free_port

pytestmark = pytest.mark.e2e

USER, PASSWORD = "ann", "pärl & co"
AUTH = {"auth_method": "BASIC_AUTH", "basic_auth_user": USER, "basic_auth_pass": PASSWORD}
HEADER = {"Authorization": f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """The address of a backend that wants a password."""
    port = free_port()
    environ = {**os.environ, "BASIC_AUTH_USER": USER, "BASIC_AUTH_PASS": PASSWORD}
    with running(backend_command(tmp_path, port, [], environ)):
        yield f"http://127.0.0.1:{port}"


def accepted(data_dir: Path) -> list[dict[str, Any]]:
    """What the backend recorded."""
    command = [sys.executable, "-m", "clickmask", "backend", "accepted", "--data-dir", str(data_dir)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in printed.splitlines()]


def test_label_studio_logs_in(client: StudioClient, guarded: str, tmp_path: Path) -> None:
    """Webhooks carry the password only if it is put into their headers, as docs/backend.md says."""
    project = client.create_project(f"Password {time.time_ns()}", label_config("polygon"))
    client.upload(project, sample_photos(tmp_path)[:1])
    connection = {"project": project, "url": guarded, "title": "ClickMask", "is_interactive": True}
    with pytest.raises(StudioError):
        client.call("POST", "/api/ml", json=connection)
    backend = client.call("POST", "/api/ml", json=connection | AUTH)
    assert backend["state"] == "CO", "Label Studio says it is connected"
    [webhook] = client.call("GET", "/api/webhooks/", params={"project": project})
    client.call("PATCH", f"/api/webhooks/{webhook['id']}/", json={"headers": HEADER})

    [task] = client.call("GET", "/api/tasks", params={"project": project})["tasks"]
    body = {"task": task["id"], "context": {"result": [CLICK]}}
    answer = client.call("POST", f"/api/ml/{backend['id']}/interactive-annotating", json=body)
    made = client.call("POST", f"/api/tasks/{task['id']}/annotations", json={"result": answer["data"]["result"]})
    [example] = eventually(lambda: accepted(tmp_path / "backend"), "a record")
    assert example["annotation"] == made["id"]
