"""A small HTTP server that answers like Label Studio: images behind a token, tokens, presigned links, the API.

Real sockets and real HTTP; what each request carried is kept for the tests to look at.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LEGACY = "0123456789abcdef0123456789abcdef01234567"


def jwt(**claims: Any) -> str:
    """A token of three parts, as Label Studio's JWTs are; nobody checks its signature."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{part}.signature"


@dataclass
class Studio:
    """What the server offers, and what it was asked.

    Args:
        files: Path (with query) -> bytes; behind a token if the path starts with /data/ or /storage-data/.
        redirects: Path (with query) -> address.
        presigned: Cloud address -> where its presigned link leads.
        tasks: What the API lists.
        api: Path -> what the API answers there.
        personal: The personal access token it accepts.
        seen: (path with query, Authorization header or "") of every request, in order.
        predictions: What was posted.
        changed: What was patched, by path.
        refusals: What the next requests to the API are answered with instead, in order.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    presigned: dict[str, str] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    label_config: str = ""
    api: dict[str, Any] = field(default_factory=dict)
    personal: str = field(default_factory=lambda: jwt(token_type="refresh", exp=time.time() + 86_400))
    access: list[str] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    predictions: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)

    def asked(self, start: str) -> list[str]:
        """The Authorization headers of the requests whose path starts like this."""
        return [authorization for path, authorization in self.seen if path.startswith(start)]

    def accepts(self, authorization: str) -> bool:
        """Whether a header opens the door."""
        return authorization == f"Token {LEGACY}" or authorization in [f"Bearer {access}" for access in self.access]


@contextmanager
def running_studio(host: str = "127.0.0.1") -> Iterator[Studio]:
    """Serve until the block ends."""
    studio = Studio()
    with answering(_handler(studio)) as port:
        studio.url = f"http://{host}:{port}"
        yield studio


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Have a handler answer on a free port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(studio: Studio) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization", "")
            studio.seen.append((self.path, authorization))
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            guarded = path.startswith(("/data/", "/storage-data/", "/api/", "/tasks/"))
            if path.startswith("/api/") and studio.refusals:
                self.answer(studio.refusals.pop(0), b"busy")
            elif guarded and not studio.accepts(authorization):
                self.answer(401, b'{"detail":"Authentication credentials were not provided."}')
            elif path.endswith("/presign/"):
                wanted = base64.urlsafe_b64decode(query["fileuri"][0]).decode()
                self.redirect(studio.presigned[wanted])
            elif self.path in studio.redirects:
                self.redirect(studio.redirects[self.path])
            elif path == "/api/tasks/":
                after = json.loads(query["query"][0])["filters"]["items"][0]["value"]
                count = int(query["page_size"][0])
                later = [task for task in studio.tasks if task["id"] > after][:count]
                self.answer(200, json.dumps({"tasks": later, "total": len(later)}).encode())
            elif path in studio.api:
                self.answer(200, json.dumps(studio.api[path]).encode())
            elif path.startswith("/api/projects/") and studio.label_config:
                self.answer(200, json.dumps({"id": 1, "label_config": studio.label_config}).encode())
            elif self.path in studio.files:
                self.answer(200, studio.files[self.path])
            else:
                self.answer(404, b"not found")

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            studio.changed[self.path] = body
            self.answer(200, b"{}")

        def do_POST(self) -> None:
            authorization = self.headers.get("Authorization", "")
            studio.seen.append((self.path, authorization))
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.startswith("/api/") and studio.refusals:
                self.answer(studio.refusals.pop(0), b"busy")
                return
            if self.path == "/api/token/refresh":
                if body.get("refresh") != studio.personal:
                    self.answer(401, b'{"detail":"Token is invalid or expired"}')
                    return
                studio.access.append(jwt(token_type="access", exp=time.time() + 300, n=len(studio.access)))
                self.answer(200, json.dumps({"access": studio.access[-1]}).encode())
            elif self.path == "/api/predictions/" and studio.accepts(authorization):
                studio.predictions.append(body)
                self.answer(201, b'{"id": 1}')
            else:
                self.answer(401, b"{}")

        def redirect(self, address: str) -> None:
            self.send_response(303)
            self.send_header("Location", address)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    return Handler
