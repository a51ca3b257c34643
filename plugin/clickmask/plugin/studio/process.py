"""Starts a server as a child process, waits until it answers, and stops it with everything it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from clickmask.plugin.errors import StudioError

STOP_SECONDS = 10.0
LOG_LINES_SHOWN = 15


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """How to start a server and how to tell that it is ready.

    Args:
        name: What a person calls it.
        command: Program and arguments.
        environ: Its whole environment.
        log: File that receives its output; earlier content is replaced.
        health_url: Address that answers 200 once the server is ready.
        start_seconds: How long it may take to get there.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    health_url: str
    start_seconds: float


def check_port_is_free(port: int, *, flag: str, host: str = "127.0.0.1") -> None:
    """Refuse a port that another program listens on, before anything is started.

    Label Studio itself would quietly take the next port.

    Raises:
        StudioError: If something listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StudioError(
                f"port {port} is in use: stop the program that listens there, or choose another with {flag}"
            ) from error


@contextmanager
def running(server: ServerCommand) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block starts when the server answers.

    Raises:
        StudioError: If the server stops or stays silent while starting. The message ends
            with the last lines of its log.
    """
    server.log.parent.mkdir(parents=True, exist_ok=True)
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            list(server.command),
            env=dict(server.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches only us, so that the servers stop in order
        )
    try:
        _wait_until_healthy(server, process)
        yield process
    finally:
        _stop(process)


def _wait_until_healthy(server: ServerCommand, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + server.start_seconds
    with httpx.Client(timeout=2.0, trust_env=False) as client:  # one for all tries: making one costs more than asking
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise StudioError(f"{server.name} stopped with exit code {process.returncode}{_last_lines(server.log)}")
            if _answers(client, server.health_url):
                return
            time.sleep(0.5)
    raise StudioError(
        f"{server.name} did not answer at {server.health_url} within {server.start_seconds:.0f} s"
        f"{_last_lines(server.log)}"
    )


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join([f"; the end of {log}:", *lines])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process and its children to end; insist after a while."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
