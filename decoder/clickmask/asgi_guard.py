"""One ASGI layer before both servers: known hosts, writes from their own pages only, bodies of declared types.

A page that a person visits elsewhere may send requests to servers on that person's own network. It can read
an answer only through DNS rebinding, where its own name suddenly means our address: so the ``Host`` must be
known. It can write by a plain form or ``fetch``: so an ``Origin`` must be ours. Programs send no ``Origin``.

Knows ASGI, and nothing of what is behind it.
"""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ANY_HOST = "*"
JSON_ONLY = ("application/json",)
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal")  # reserved: nobody's public name server answers for them
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in: an HTTP status and a sentence."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Guard:
    """Stands before an ASGI application.

    Args:
        app: What is guarded.
        allowed_hosts: Names, in small letters, by which people reach this server beside addresses, ``localhost``,
            names without a dot and names of private networks; ``ANY_HOST`` for every name.
        body_types: Content types that a request's body may have; empty for all.
    """

    app: App
    allowed_hosts: frozenset[str] = frozenset()
    body_types: tuple[str, ...] = field(default=JSON_ONLY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused, hand on every other."""
        refusal = self.refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self.app(scope, receive, send)
            return
        _log.warning("refused %a: %s", f"{scope.get('method', 'WEBSOCKET')} {scope['path']}", refusal.reason)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason[:120]})
            return
        await _answer(refusal, send)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Say why a request is not let in; None if it is."""
        headers = _headers(scope)
        host = _host_name(headers.get("host", ""))
        if not is_known_host(host, self.allowed_hosts):
            return Refusal(421, f"host {host[:100]!a} is not known: name it in --allowed-hosts to allow it")
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(origin, headers.get("host", ""), scope.get("scheme", "http")):
            return Refusal(403, f"a page of {origin[:100]!a} may not write here, wanted one of this server")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.body_types and _has_body(headers) and kind not in self.body_types:
            return Refusal(415, f"the body is {kind[:100]!a}, wanted {' or '.join(self.body_types)}")
        return None

    def _is_ours(self, origin: str, host: str, scheme: str) -> bool:
        """Whether a page's origin is this server, as the request names it or by a name that is allowed."""
        try:
            page = urlsplit(origin)
            here = urlsplit(f"{scheme}://{host}")
            same = (page.hostname, _port(page.port, page.scheme)) == (here.hostname, _port(here.port, page.scheme))
        except ValueError:
            return False
        return bool(page.hostname) and (same or page.hostname in self.allowed_hosts)


def is_known_host(host: str, allowed: frozenset[str]) -> bool:
    """Tell whether a request's host name cannot be a stranger's that was pointed at this machine.

    Example:
        >>> [is_known_host(host, frozenset({"labels.example.org"})) for host in
        ...  ("localhost", "10.0.0.5", "backend", "labels.example.org", "evil.example")]
        [True, True, True, True, False]
    """
    name = host.rstrip(".").lower()
    if ANY_HOST in allowed or name in allowed or "." not in name or name.endswith(_PRIVATE_ENDINGS):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _host_name(host: str) -> str:
    """The name of a ``Host`` header, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host.replace(":", ".") or "?"  # a name with a dot, which nobody knows


def _port(port: int | None, scheme: str) -> int | None:
    return port or _DEFAULT_PORTS.get(scheme)


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _answer(refusal: Refusal, send: Send) -> None:
    body = json.dumps({"error": refusal.reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
