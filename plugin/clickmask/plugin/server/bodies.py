"""Request bodies, read within limits on size, time and memory."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from clickmask.plugin.errors import BusyError, RequestError, TooLargeError
from clickmask.plugin.files.transport import MEGABYTE

BODY_SECONDS = 60.0  # Label Studio sends 64 MB within a second; whoever takes longer holds memory for nothing
_LARGEST_AT_ONCE = 4  # bodies of the largest size that are held at the same time


class Bodies:
    """The bodies of all requests that are being answered; used by the event loop's thread only.

    Args:
        max_mb: Largest body [MB].
    """

    def __init__(self, max_mb: int) -> None:
        self._max_mb = max_mb
        self._held: dict[int, int] = {}  # bytes by request

    async def read(self, request: Request) -> bytes:
        """Read a request's body; it counts as held until it is forgotten.

        Raises:
            TooLargeError: If it is larger than the limit; no more of it is read.
            BusyError: If the bodies held together are.
            RequestError: If it does not come in time.
            ClientDisconnect: If the client leaves.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    self._hold(request, len(body))
        except TimeoutError as error:
            raise RequestError(f"the request's body did not come within {BODY_SECONDS:g} s") from error
        return bytes(body)

    def forget(self, request: Request) -> None:
        """Count a request's body no more."""
        self._held.pop(id(request), None)

    def _hold(self, request: Request, count: int) -> None:
        if count > self._max_mb * MEGABYTE:
            raise TooLargeError(f"the request is larger than {self._max_mb} MB")
        self._held[id(request)] = count
        if sum(self._held.values()) > _LARGEST_AT_ONCE * self._max_mb * MEGABYTE:
            raise BusyError("too many large requests are being read: try again in a while")
