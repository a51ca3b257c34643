"""The backend's process: its port, its server, and its end."""

from __future__ import annotations

import gc
import logging
import os
import threading
import time

import uvicorn

from clickmask.bounded_connections import BoundedProtocol
from clickmask.plugin.build import build_backend
from clickmask.plugin.listening import listen
from clickmask.plugin.server.app import make_app
from clickmask.plugin.settings import Settings

_END_SECONDS = 10.0

_log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Answer Label Studio until interrupted.

    Raises:
        SettingsError: If the address or the port cannot be listened on.
        RecordsError: If the records cannot be opened.
    """
    with listen(settings.host, settings.port) as listening:
        server = uvicorn.Server(server_config(settings))
        gc.freeze()  # or a collection walks all that PyTorch brings, and nobody is answered for 150 ms
        _log.info("ClickMask backend at http://%s:%d", settings.host, settings.port)
        try:
            server.run(sockets=[listening])
        finally:
            _end()


def server_config(settings: Settings) -> uvicorn.Config:
    """Put the application and the server's limits together."""
    return uvicorn.Config(
        make_app(build_backend(settings)),
        http=BoundedProtocol,
        access_log=False,
        log_level=settings.log_level.lower(),
        timeout_graceful_shutdown=int(_END_SECONDS),
    )


def _end() -> None:
    """Leave when all threads have ended, or after a while: what they compute is for nobody."""
    until = time.monotonic() + _END_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(max(until - time.monotonic(), 0.0))
    if threading.active_count() > 1:  # torch aborts where its threads outlive the interpreter
        logging.shutdown()
        os._exit(0)
