"""One HTTP request to one checked address: no redirect followed, no proxy, no private address.

The host's name is looked up once, the addresses are judged, and the connection goes to a
judged address, so a name that changes its address in between gains nothing.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx

from clickmask.plugin.errors import FetchError, RefusedError, TooLargeError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MEGABYTE = 1_000_000


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
        seconds: Longest time for one request, body included.
    """

    trusted_hosts: frozenset[str]
    max_bytes: int
    seconds: float
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        trusted: bool = False,
        into: BinaryIO | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Args:
            method: GET, POST or PATCH.
            url: An absolute http or https URL.
            headers: Sent as they are.
            json: Body, if any.
            trusted: Whether the host may have a private address, as Label Studio's own may.
            into: An empty file for the body of an answer with status 200, for what may not fit into memory.

        Raises:
            RefusedError: If the URL is not http(s), or its address may not be contacted.
            FetchError: If the server cannot be reached in time.
            TooLargeError: If the body is longer than ``max_bytes``.
        """
        parts, port = _checked(url)
        host = str(parts.hostname).lower()
        sent = {"User-Agent": "clickmask", "Accept-Encoding": "identity", **(headers or {})}
        sent["Host"] = parts.netloc.rpartition("@")[2]
        failure = ""
        for address in self._addresses(host, port, trusted):  # "localhost" often means ::1 first, where nobody listens
            pinned = urlunsplit(parts._replace(netloc=_netloc(address, port)))
            try:
                return self._exchange(method, pinned, sent, json, host, url, into)
            except httpx.ConnectError as error:
                failure = str(error)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise FetchError(f"{shown(url)} cannot be fetched: {error or type(error).__name__}") from error
        raise FetchError(f"{shown(url)} cannot be fetched: {failure}")

    def _exchange(
        self,
        method: str,
        pinned: str,
        headers: Mapping[str, str],
        json: Any,
        host: str,
        url: str,
        into: BinaryIO | None,
    ) -> Answer:
        """One request to one address; the certificate, if any, must be the host's."""
        with (
            httpx.Client(verify=self.tls, trust_env=False, timeout=self.seconds) as client,
            client.stream(method, pinned, headers=headers, json=json, extensions={"sni_hostname": host}) as response,
        ):
            body = io.BytesIO() if into is None or response.status_code != 200 else into
            self._read_body(response, url, body)
            return Answer(
                response.status_code, response.headers, body.getvalue() if isinstance(body, io.BytesIO) else b""
            )

    def _addresses(self, host: str, port: int, trusted: bool) -> list[Address]:
        """The host's addresses that may be contacted, in the order of the resolver."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise FetchError(f"host {host} is unknown") from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        may_be_private = trusted or host in self.trusted_hosts
        allowed = [address for address in addresses if _allowed(address, may_be_private)]
        if not allowed:
            raise RefusedError(
                f"host {host} is refused: {addresses[0]} is not a public address "
                f"(name the host in --trusted-hosts to allow it)"
            )
        return allowed

    def _read_body(self, response: httpx.Response, url: str, body: BinaryIO) -> None:
        """Read the body within the limits on size and time, as it comes: nothing is unpacked."""
        end, size = time.monotonic() + self.seconds, 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > self.max_bytes:
                raise TooLargeError(f"{shown(url)} is larger than {self.max_bytes / MEGABYTE:g} MB")
            if time.monotonic() > end:
                raise FetchError(f"{shown(url)} took longer than {self.seconds:g} s")
            body.write(chunk)


def shown(url: str) -> str:
    """A URL without its query and user: presigned queries are secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _allowed(address: Address, may_be_private: bool) -> bool:
    """Public addresses always; private ones where trusted; the cloud's metadata service never."""
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified:
        return False
    return may_be_private or mapped.is_global


def _checked(url: str) -> tuple[SplitResult, int]:
    """The parts of an address that can be contacted, and its port."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise RefusedError(f"{url[:200]!r} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError(f"{shown(url)} is refused: wanted an http or https address")
    return parts, port


def _netloc(address: Address, port: int) -> str:
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
