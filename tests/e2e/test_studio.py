"""``clickmask studio``: one command starts everything, Ctrl-C stops it, a second start reuses it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.install import VERSION
from clickmask.plugin.studio.login import load_login
from tests.ports import free_port

pytestmark = pytest.mark.e2e

START_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Studio:
    """A studio that has greeted."""

    greeting: str
    process: subprocess.Popen[str]

    def shown(self, name: str) -> str:
        """What the greeting says after a word."""
        found = re.search(rf"^\s*{name}\s+(\S+)$", self.greeting, re.MULTILINE)
        assert found, self.greeting
        return found[1]


@pytest.fixture
def cache(label_studio_program: Path, empty_label_studio: Path, tmp_path: Path) -> Path:
    """A cache folder with Label Studio in it and one account, no project."""
    shutil.copytree(empty_label_studio, tmp_path / "studio")
    (tmp_path / f"label-studio-{VERSION}").symlink_to(label_studio_program.parents[1])
    return tmp_path


@contextmanager
def studio(cache: Path, port: int, backend_port: int) -> Iterator[Studio]:
    """Run the command, as a person does, until its greeting; interrupt it at the end if nobody did."""
    ports = ["--port", str(port), "--backend-port", str(backend_port)]
    command = [sys.executable, "-m", "clickmask", "studio", "--cache-dir", str(cache), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Studio(read_greeting(process), process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:  # where a shell without job control started the tests, it ignores Ctrl-C
                process.kill()
                raise


def read_greeting(process: subprocess.Popen[str]) -> str:
    """Everything printed up to the greeting's last line."""
    assert process.stdout
    lines: list[str] = []
    deadline = time.monotonic() + START_SECONDS
    while not (lines and "Ctrl-C stops both" in lines[-1]):
        lines.append(process.stdout.readline())
        assert lines[-1], f"the studio ended: {''.join(lines)}"
        assert time.monotonic() < deadline, "".join(lines)
    return "".join(lines)


def is_up(url: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_start_stop_and_start_again(cache: Path) -> None:
    port, backend_port = free_port(), free_port()
    with studio(cache, port, backend_port) as first:
        login = load_login(cache / "studio" / "login.json")
        assert (first.shown("email"), first.shown("password")) == (login.email, login.password)
        project = int(re.findall(r"/projects/(\d+)/data", first.shown("Label Studio"))[0])
        client = StudioClient(f"http://127.0.0.1:{port}", login.token)
        assert client.call("GET", "/api/tasks", params={"project": project})["total"] == 5
        [backend] = client.call("GET", "/api/ml", params={"project": project})
        assert (backend["url"], backend["is_interactive"]) == (first.shown("backend"), True)
        assert backend["state"] == "CO", "Label Studio says it is connected"

        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(60) == 0
    assert not is_up(f"http://127.0.0.1:{port}/health")
    assert not is_up(f"http://127.0.0.1:{backend_port}/health")

    with studio(cache, port, backend_port) as second:
        assert second.greeting.endswith(first.greeting.partition("Starting")[2])
        assert [project["task_number"] for project in client.call("GET", "/api/projects")["results"]] == [5]
        assert len(client.call("GET", "/api/ml", params={"project": project})) == 1

        command = [sys.executable, "-m", "clickmask", "studio", "--cache-dir", str(cache), "--port", str(port)]
        third = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert third.returncode == 1
        assert third.stderr.startswith(f"error: port {port} is in use")
        client.close()
