"""A proxy that serves another server under a path, as nginx does in many a company: /ls/data/... becomes /data/..."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

_HOPS = ("connection", "transfer-encoding", "content-length", "content-encoding", "host", "accept-encoding")


@contextmanager
def serving_under(path: str, upstream: str, port: int) -> Iterator[None]:
    """Serve ``upstream`` under ``path``; every other address is not found."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def do_PATCH(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            if not self.path.startswith(f"{path}/"):
                self._send(404, {}, b"not here")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOPS}
            answer = http.request(self.command, upstream + self.path.removeprefix(path), headers=headers, content=body)
            self._send(answer.status_code, dict(answer.headers), answer.content)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _HOPS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    with (
        httpx.Client(timeout=120, trust_env=False) as http,
        ThreadingHTTPServer(("127.0.0.1", port), Handler) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
