"""Servers are started, waited for and stopped, with real processes."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import httpx
import pytest

from clickmask.plugin.errors import StudioError
from clickmask.plugin.studio.process import ServerCommand, check_port_is_free, running
from tests.ports import free_port

FAMILY = """
import subprocess, sys
subprocess.Popen([sys.executable, "-m", "http.server", sys.argv[1], "--bind", "127.0.0.1"]).wait()
"""


def python(tmp_path: Path, *arguments: str, port: int = 9, seconds: float = 20.0) -> ServerCommand:
    return ServerCommand(
        name="The server",
        command=[sys.executable, *arguments],
        environ={},
        log=tmp_path / "logs" / "server.log",
        health_url=f"http://127.0.0.1:{port}/",
        start_seconds=seconds,
    )


def test_a_server_answers_inside_the_block_and_is_gone_after_it(tmp_path: Path) -> None:
    port = free_port()
    with running(python(tmp_path, "-m", "http.server", str(port), "--bind", "127.0.0.1", port=port)) as process:
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
    assert process.poll() is not None
    check_port_is_free(port, flag="--port")


def test_what_a_server_started_is_stopped_with_it(tmp_path: Path) -> None:
    """Label Studio's program and the Python it runs are two processes."""
    port = free_port()
    with running(python(tmp_path, "-c", FAMILY, str(port), port=port)):
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)


def test_a_server_that_ends_early_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = python(tmp_path, "-c", "import sys; print('no such database'); sys.exit(3)")
    with (
        pytest.raises(StudioError, match=r"(?s)The server stopped with exit code 3.*no such database"),
        running(server),
    ):
        pass


def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    server = python(tmp_path, "-c", "import time; time.sleep(60)", port=free_port(), seconds=1.0)
    with pytest.raises(StudioError, match=r"The server did not answer at .* within 1 s"), running(server):
        pass


def test_a_busy_port_is_refused_with_the_flag_that_helps() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StudioError, match=rf"port {port} is in use.*choose another with --backend-port"):
            check_port_is_free(port, flag="--backend-port")
