"""Connections that end: every address is judged before it is contacted, and one deadline holds for all of it.

A host's name is looked up once, its addresses are judged, and the connection goes to a judged address, so a
name that changes its address in between gains nothing. A server that sends one byte now and then, in its
headers or anywhere, is cut off when the deadline is over, or when the process wants to end.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpcore

from clickmask.plugin.errors import FetchError, RefusedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SLICE_SECONDS = 1.0  # how soon a connection notices that the process wants to end
_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TUNNELS = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))  # 6to4 and Teredo
_SPECIAL_IPV4 = ipaddress.ip_network("192.0.0.0/24")


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a fetch must be over, with everything that belongs to it.

    Args:
        seconds: Its whole time, for messages [s].
        end: On the monotonic clock [s].
        stopped: Set when the process wants to end.
    """

    seconds: float
    end: float
    stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def after(cls, seconds: float, stopped: threading.Event | None = None) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(seconds, monotonic() + seconds, stopped or threading.Event())

    def left(self) -> float:
        """Seconds until it is over.

        Raises:
            FetchError: If it is over, or the process wants to end.
        """
        left = self.end - monotonic()
        if self.stopped.is_set():
            raise FetchError("fetching was given up: the backend stops")
        if left <= 0:
            raise FetchError(f"took longer than {self.seconds:g} s")
        return left

    def slice(self) -> float:
        """A short piece of the time that is left; raises as ``left``."""
        return min(self.left(), _SLICE_SECONDS)


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to judged addresses within a deadline.

    Args:
        deadline: For everything that is done through it.
        may_be_private: Whether a host may have a private address.
    """

    def __init__(self, deadline: Deadline, may_be_private: Callable[[str], bool]) -> None:
        self._deadline = deadline
        self._may_be_private = may_be_private
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the host's allowed addresses that answers."""
        failure: Exception = FetchError(f"host {host} is unknown")
        for address in self._addresses(host.lower(), port):  # "localhost" often means ::1 first, where nobody listens
            try:
                stream = self._plain.connect_tcp(str(address), port, timeout=self._deadline.left())
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _EndingStream(stream, self._deadline)
        self._deadline.left()
        raise failure

    def _addresses(self, host: str, port: int) -> list[Address]:
        found = _looked_up(host, port, self._deadline)
        may_be_private = self._may_be_private(host)
        allowed = [address for address in found if is_allowed(address, may_be_private)]
        if not allowed:
            raise RefusedError(
                f"host {host} is refused: {found[0]} is not a public address "
                f"(name the host in --trusted-hosts to allow it)"
            )
        return allowed


class _EndingStream(httpcore.NetworkStream):
    """A connection that ends at a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._stream.read(max_bytes, timeout=self._deadline.slice())
            except httpcore.ReadTimeout:
                self._deadline.left()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, timeout=self._deadline.left())
        return _EndingStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def is_allowed(address: Address, may_be_private: bool) -> bool:
    """Judge an address: public ones always, private ones where trusted, the cloud's metadata service never.

    Example:
        >>> [is_allowed(ipaddress.ip_address(text), may_be_private=False)
        ...  for text in ("93.184.215.14", "10.0.0.1", "64:ff9b::7f00:1", "::127.0.0.1")]
        [True, False, False, False]
    """
    real = _carried(address)
    if real.is_link_local or real.is_multicast or real.is_unspecified:
        return False
    return may_be_private or _is_public(real)


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _is_public(address: Address) -> bool:
    """The interpreter's own list has grown over its versions; what it once took for public is named here."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and address not in _SPECIAL_IPV4
    tunnelled = any(address in network for network in _TUNNELS)
    return address in _PUBLIC_IPV6 and address.is_global and not tunnelled


def _looked_up(host: str, port: int, deadline: Deadline) -> list[Address]:
    """All addresses of a host; the system's resolver knows no deadline, so it is asked in a thread of its own."""
    future: Future[list[Address]] = Future()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            future.set_result([ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found])
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    try:
        return future.result(timeout=deadline.left())
    except FutureTimeoutError:
        raise FetchError(f"host {host} was not found within {deadline.seconds:g} s") from None
    except (OSError, UnicodeError) as error:
        raise FetchError(f"host {host} is unknown") from error
