"""Both servers as programs of their own, asked as Label Studio and the page do; ``benchmarks.faults`` uses them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks.backend import FLAGS
from clickmask.plugin.studio.process import ServerCommand, running
from clickmask.plugin.studio.servers import backend_command
from tests.ports import free_port

DISK_MB = 12  # of a disk that gets full

JsonObject = dict[str, Any]


def expect(good: bool, what: str) -> None:
    """End with an error where a promise is broken."""
    if not good:
        raise SystemExit(f"broken: {what}")


@dataclass(frozen=True, slots=True)
class Backend:
    """A running backend, asked as Label Studio does."""

    url: str
    http: httpx.Client
    pid: int

    def answer(self, question: JsonObject) -> JsonObject:
        """The region of an answer, without its random id."""
        answered = self.http.post("/predict", json=question)
        expect(answered.status_code == 200, f"a click got {answered.status_code}: {answered.text[:200]}")
        (region,) = answered.json()["results"][0]["result"]
        return {key: value for key, value in region.items() if key != "id"}

    def accept(self, number: int) -> int:
        """Tell of a saved annotation; the status."""
        body = {
            "action": "ANNOTATION_CREATED",
            "project": {"id": 7, "created_at": "2026-01-01T00:00:00Z"},
            "task": {"id": number, "data": {"image": "a.jpg"}},
            "annotation": {"id": number, "result": [{"id": f"r{number}", "type": "brush", "value": "x" * 2_000}]},
        }
        return self.http.post("/webhook", json=body).status_code


@contextmanager
def backend(folder: Path, *flags: str, on_disk: Path | None = None) -> Iterator[Backend]:
    """Run a backend; with ``on_disk`` its data lies on a small disk that is mounted there for it alone."""
    port = free_port()
    flags = (*FLAGS, "--fetch-seconds", "3", "--max-waiting", "256", *flags)
    command = backend_command(on_disk or folder, port, flags, os.environ)
    if on_disk is not None:
        command = replace(with_small_disk(command, on_disk), log=folder / "backend.log")
    with (
        running(command) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as client,
    ):
        yield Backend(f"http://127.0.0.1:{port}", client, process.pid)


def with_small_disk(command: ServerCommand, place: Path) -> ServerCommand:
    """Have a server see a disk of a few megabytes at a place; nobody else sees it."""
    place.mkdir(parents=True, exist_ok=True)
    mount = f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$0" && exec "$@"'
    return replace(command, command=["unshare", "--mount", "sh", "-c", mount, str(place), *command.command])


class App:
    """A running app, asked as its page does."""

    def __init__(self, folder: Path, photos: Path, place: Path | None = None) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        home = ["--home", str(folder / "home"), "--root", str(photos)]
        command = ServerCommand(
            name="app",
            command=[sys.executable, "-m", "clickmask", "app", "--port", str(port), *home],
            environ=os.environ,
            log=folder / "app.log",
            health_url=f"{self.url}/config",
            start_seconds=300,
        )
        self._running = running(with_small_disk(command, place) if place else command)
        self._photos = photos

    def __enter__(self) -> App:
        self.pid = self._running.__enter__().pid
        self._http = httpx.Client(base_url=self.url, timeout=120, trust_env=False)
        (self._page,) = [one["id"] for one in self._http.get("/config").json()["components"] if one["type"] == "html"]
        self.opened = self.ask("open_folder")
        return self

    def __exit__(self, *error: Any) -> None:
        self._http.close()
        self._running.__exit__(*error)

    def ask(self, function: str, **message: Any) -> JsonObject:
        """What the page's function answers."""
        data = {"folder": str(self._photos), **message}
        body = {"session_hash": "faults", "component_id": self._page, "fn_name": function, "data": data}
        answer: JsonObject = self._http.post("/gradio_api/component_server", json=body).json()
        return answer

    def accept(self, number: int, runs: str) -> JsonObject:
        """Accept an object on the first picture, which had ``number`` before."""
        item = {"id": f"o{number}", "category": 1, "runs": runs}
        return self.ask("write", picture=1, revision=number, changes=[{"id": item["id"], "object": item}])
