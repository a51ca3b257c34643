"""Stands between Label Studio and a backend, passes everything on, and remembers what Label Studio sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.e2e.waiting import eventually

SECRETS = frozenset({"access_token"})
BACKEND_SECONDS = 120.0


class Recorder:
    """What Label Studio sent so far.

    Args:
        url: Where Label Studio reaches the recorder.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._bodies: list[tuple[str, dict[str, Any]]] = []

    def remember(self, path: str, body: bytes) -> None:
        """Keep one request's JSON, without its secrets."""
        self._bodies.append((path, without_secrets(json.loads(body))))

    def last(self, path: str) -> dict[str, Any]:
        """The newest body sent to this path."""
        return next(body for sent_to, body in reversed(self._bodies) if sent_to == path)

    def event(self, action: str) -> dict[str, Any]:
        """The newest webhook of this event, once there is one."""

        def sent() -> list[dict[str, Any]]:
            return [body for path, body in list(self._bodies) if path == "/webhook" and body["action"] == action]

        return eventually(sent, f"webhook {action}")[-1]


def without_secrets(body: dict[str, Any]) -> dict[str, Any]:
    """Blank the tokens: what is recorded may be committed."""
    return {key: "<secret>" if key in SECRETS else value for key, value in body.items()}


@contextmanager
def recording(backend_url: str) -> Iterator[Recorder]:
    """Listen on a port of its own and pass every request on to the backend."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            recorder.remember(self.path, body)
            self._pass_on(body)

        def _pass_on(self, body: bytes) -> None:
            headers = {"Content-Type": "application/json"}
            answer = http.request(self.command, backend_url + self.path, content=body, headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Stay silent."""

    with (
        httpx.Client(timeout=BACKEND_SECONDS, trust_env=False) as http,
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
    ):
        recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
