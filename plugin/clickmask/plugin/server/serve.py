"""The backend's process: its port, the limits on its connections, and its end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from clickmask.plugin.build import build_backend
from clickmask.plugin.listening import listen
from clickmask.plugin.server.app import make_app
from clickmask.plugin.settings import Settings

MOST_CONNECTIONS = 512  # at once; a Label Studio opens one per request it waits for
SILENT_SECONDS = 15.0  # a connection without a whole request line and headers
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


class BoundedProtocol(H11Protocol):
    """HTTP on one connection; one that stays silent, or is one too many, is closed."""

    _watching: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch a new connection."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Hand data on, and watch whether the rest of it comes."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no longer."""
        super().connection_lost(exc)
        if self._watching is not None:
            self._watching.cancel()

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = self.loop.call_later(SILENT_SECONDS, self._look)

    def _look(self) -> None:
        self._watching = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def _end() -> None:
    """Leave when all threads have ended, or after a while: what they compute is for nobody."""
    until = time.monotonic() + _END_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(max(until - time.monotonic(), 0.0))
    if threading.active_count() > 1:  # torch aborts where its threads outlive the interpreter
        logging.shutdown()
        os._exit(0)
