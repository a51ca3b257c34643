"""The backend's own server on a free port, for as long as a block lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from clickmask.bounded_connections import BoundedProtocol
from clickmask.plugin.build import Backend
from clickmask.plugin.server.app import make_app


@contextmanager
def serving(backend: Backend) -> Iterator[httpx.Client]:
    """Serve a backend; gives a client for it. The backend is closed at the end."""
    config = uvicorn.Config(
        make_app(backend), http=BoundedProtocol, host="127.0.0.1", port=0, log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
