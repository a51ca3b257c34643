"""Limits on the connections of both servers: how many there may be, and how long one may stay silent.

Knows uvicorn, and nothing of what is behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from uvicorn import config
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 512  # at once; a Label Studio opens one per request it waits for, a browser six
SILENT_SECONDS = 15.0  # a connection without a whole request line and headers


class BoundedProtocol(H11Protocol):
    """HTTP on one connection; one that stays silent, or is one too many, is closed."""

    _watching: asyncio.TimerHandle | None = None
    _before: object = None  # the request that was the newest when the watch began

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
            self._before = self.cycle
            self._watching = self.loop.call_later(SILENT_SECONDS, self._look)

    def _look(self) -> None:
        """Close a connection on which no request began since the watch did; one that is in use may be between two."""
        self._watching = None
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self.cycle is self._before:
            self.transport.close()
        elif waits:
            self._watch()


@contextmanager
def bounded_by_default() -> Iterator[None]:
    """Let servers that are started meanwhile have these limits, where one cannot say it to whoever starts them."""
    usual = config.HTTP_PROTOCOLS["auto"]
    config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedProtocol.__name__}"
    try:
        yield
    finally:
        config.HTTP_PROTOCOLS["auto"] = usual
