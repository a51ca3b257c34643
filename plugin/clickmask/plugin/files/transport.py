"""One HTTP request to one checked address: no redirect followed, no proxy, no private address, one deadline."""

from __future__ import annotations

import io
import json as json_text
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpcore
import httpx

from clickmask.plugin.errors import FetchError, RefusedError, TooLargeError
from clickmask.plugin.files.network import CheckedNetwork, Deadline

MEGABYTE = 1_000_000
_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    ssl.SSLError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back; the body is empty where it went into a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Transport:
    """How this process talks to other servers.

    Args:
        trusted_hosts: Lower-case host names that may have private addresses.
        max_bytes: Longest body accepted.
        seconds: Longest time for one file, from looking up names to the last byte, redirects included [s].
    """

    trusted_hosts: frozenset[str]
    max_bytes: int
    seconds: float
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    def deadline(self) -> Deadline:
        """The deadline of a fetch that begins now."""
        return Deadline.after(self.seconds, self.stopped)

    def close(self) -> None:
        """End everything that is being fetched, within a second or so."""
        self.stopped.set()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        trusted: bool = False,
        into: BinaryIO | None = None,
        deadline: Deadline | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Args:
            method: GET, POST or PATCH.
            url: An absolute http or https URL.
            headers: Sent as they are.
            json: Body, if any.
            trusted: Whether the host may have a private address, as Label Studio's own may.
            into: An empty file for the body of an answer with status 200, for what may not fit into memory.
            deadline: Of all requests that belong together; ``seconds`` from now by default.

        Raises:
            RefusedError: If the URL is not http(s), or its address may not be contacted.
            FetchError: If the server cannot be reached in time.
            TooLargeError: If the body is longer than ``max_bytes``.
        """
        target = _target(url)
        deadline = deadline or self.deadline()
        sent = {"User-Agent": "clickmask", "Accept-Encoding": "identity", **_checked_headers(headers or {})}
        content = None
        if json is not None:
            content, sent["Content-Type"] = json_text.dumps(json).encode(), "application/json"
        network = CheckedNetwork(deadline, lambda host: trusted or host in self.trusted_hosts)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self.tls, network_backend=network) as pool,
                pool.stream(method, target, headers=list(sent.items()), content=content) as response,
            ):
                body = io.BytesIO() if into is None or response.status != 200 else into
                self._read_body(response, url, body)
                named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                return Answer(response.status, named, body.getvalue() if isinstance(body, io.BytesIO) else b"")
        except FetchError as error:
            raise FetchError(f"{shown(url)} cannot be fetched: {error}") from error
        except _FAILURES as error:
            raise FetchError(f"{shown(url)} cannot be fetched: {error or type(error).__name__}") from error

    def _read_body(self, response: httpcore.Response, url: str, body: BinaryIO) -> None:
        """Read the body within the limit on size, as it comes: nothing is unpacked."""
        size = 0
        for chunk in response.iter_stream():
            size += len(chunk)
            if size > self.max_bytes:
                raise TooLargeError(f"{shown(url)} is larger than {self.max_bytes / MEGABYTE:g} MB")
            body.write(chunk)


def shown(url: str) -> str:
    """Show a URL without its query and user: presigned queries are secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _target(url: str) -> httpcore.URL:
    """An address that can be contacted, spelled as HTTP wants it.

    Raises:
        RefusedError: If it is none.
    """
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError(f"{shown(url)} is refused: wanted an http or https address")
    try:
        spelled = httpx.URL(url)
        return httpcore.URL(
            scheme=spelled.raw_scheme, host=spelled.raw_host, port=spelled.port, target=spelled.raw_path
        )
    except (httpx.InvalidURL, UnicodeError, TypeError) as error:
        raise RefusedError(f"{shown(url)[:200]!r} is no address: {error}") from error


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no port
    except ValueError as error:
        raise RefusedError(f"{url.partition('?')[0][:200]!r} is no address: {error}") from error
    return parts


def _checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, unless one cannot be sent; its value is not told, for it may be a key."""
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise FetchError(f"the header {name} holds letters that no header may hold: is the access token complete?")
    return headers
