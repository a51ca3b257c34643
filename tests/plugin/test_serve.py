"""The backend's process: a port that is taken, connections that stay silent, bodies that never end, and its end."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from clickmask import bounded_connections
from clickmask.plugin import listening
from clickmask.plugin.build import Backend
from clickmask.plugin.errors import SettingsError
from clickmask.plugin.server import bodies
from tests.plugin.conftest import recorded
from tests.plugin.server import serving
from tests.plugin.waiting import PATIENCE, wait_until
from tests.ports import free_port, is_closed

MakeBackend = Callable[..., Backend]
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"


def connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 0))


def test_a_port_that_is_taken_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    """The message was right, and then the process aborted with 134."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "clickmask",
            "backend",
            "--port",
            str(port),
            "--data-dir",
            str(tmp_path / "data"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: 127.0.0.1:{port} cannot be listened on (Address already in use)")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid"])
def test_a_host_that_is_none_of_this_machines_is_told(host: str) -> None:
    with pytest.raises(SettingsError, match="cannot be listened on"):
        listening.listen(host, free_port())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_when_it_is_told_to(number: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "clickmask", "backend", "--port", str(port), "--data-dir", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ)
    try:
        wait_until(lambda: _is_up(port) or process.poll() is not None)
        process.send_signal(number)
        _, told = process.communicate(timeout=600)
    finally:
        process.kill()
    assert process.returncode in (0, 130, -number)
    assert b"Traceback" not in told


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_connections_that_stay_silent_are_closed(make_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a request line each kept the backend from everybody, for as long as it stayed."""
    monkeypatch.setattr(bounded_connections, "SILENT_SECONDS", 0.3)
    with serving(make_backend()) as client, ExitStack() as open_ones:
        silent = [open_ones.enter_context(connect(client)) for _ in range(20)]
        for connection in silent:
            connection.sendall(b"GET /hea")
        assert client.get("/health").status_code == 200
        wait_until(lambda: all(is_closed(connection) for connection in silent))


def test_a_connection_that_is_used_stays_open(make_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was closed after a while if that moment fell between two requests, and the second was lost."""
    monkeypatch.setattr(bounded_connections, "SILENT_SECONDS", 0.2)
    with serving(make_backend()) as client:
        kept = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
        kept.connect()
        with kept.sock as connection:
            for _ in range(30):
                kept.request("GET", "/health")
                assert kept.getresponse().read()
                assert kept.sock is connection
                time.sleep(0.02)
            connection.sendall(b"GET /hea")
            wait_until(lambda: is_closed(connection))


def test_one_connection_too_many_is_closed(make_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_connections, "MOST_CONNECTIONS", 3)
    with serving(make_backend()) as client, ExitStack() as open_ones:
        many = [open_ones.enter_context(connect(client)) for _ in range(5)]
        wait_until(lambda: sum(is_closed(connection) for connection in many) >= 2)
        assert sum(is_closed(connection) for connection in many) == 2


def test_a_body_that_never_ends_is_given_up(make_backend: MakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    with serving(make_backend()) as client, connect(client) as connection:
        connection.sendall(HEAD + b"x" * 1000)
        assert b"400 Bad Request" in connection.recv(1000)


def test_many_large_bodies_at_once_are_refused(make_backend: MakeBackend) -> None:
    """Twenty-five unfinished ones of 59 MB took 1.4 GB, and nobody counted them."""
    with serving(make_backend(max_request_mb=1)) as client, ExitStack() as open_ones:
        many = [open_ones.enter_context(connect(client)) for _ in range(5)]
        for connection in many:
            connection.sendall(HEAD + b"x" * 890_000)
        answered, _, _ = select.select(many, [], [], PATIENCE)  # whichever crossed the line
        assert b"503 Service Unavailable" in answered[0].recv(1000)
        open_ones.close()
        wait_until(lambda: client.post("/predict", json=recorded("task_opened")).status_code == 200)


def test_a_client_that_leaves_is_no_failure_of_ours(
    make_backend: MakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with serving(make_backend()) as client:
        with connect(client) as connection:
            connection.sendall(HEAD + b"x" * 1000)
            connection.close()
        wait_until(lambda: "the client left" in caplog.text)
    assert "Traceback" not in caplog.text
