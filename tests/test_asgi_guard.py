"""Who may reach the servers: known hosts, pages of their own, bodies of declared types."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clickmask.asgi_guard import ANY_HOST, Guard, is_known_host


def ask(guard: Guard, method: str = "POST", kind: str = "http", **headers: str) -> int:
    """The status that a request with these headers gets; 101 for a websocket that is let in."""
    named = {"host": "localhost:9090"} | {name.replace("_", "-"): value for name, value in headers.items()}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
    scope = {"type": kind, "method": method, "path": "/predict", "scheme": "http", "headers": pairs}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nobody reads the body of a request that is refused")

    asyncio.run(guard(scope, receive, send))
    return int(sent[0].get("status") or sent[0].get("code"))


async def welcome(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 101 if scope["type"] == "websocket" else 200, "headers": []})


BACKEND = Guard(welcome)


@pytest.mark.parametrize("host", ["localhost:9090", "127.0.0.1", "[::1]:9090", "backend:9090", "LOCALHOST", "a.local"])
def test_hosts_that_nobody_can_point_here_are_let_in(host: str) -> None:
    assert ask(BACKEND, host=host) == 200


@pytest.mark.parametrize("host", ["evil.test:9090", "127.0.0.1.evil.test", "a.b@evil.test", "[evil.test", "a.example."])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_strangers_name_for_our_address_is_refused(host: str, method: str) -> None:
    """DNS rebinding: the page's own name suddenly means this machine, and its scripts may read every answer."""
    assert ask(BACKEND, method, host=host) == 421


def test_a_name_can_be_allowed() -> None:
    guard = Guard(welcome, frozenset({"labels.example.org"}))
    assert ask(guard, host="labels.example.org") == 200
    assert ask(guard, host="other.example.org") == 421
    assert ask(Guard(welcome, frozenset({ANY_HOST})), host="other.example.org") == 200


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://localhost:1", "https://localhost", "x:[", ""])
def test_other_peoples_pages_write_nothing(origin: str) -> None:
    assert ask(BACKEND, origin=origin) == 403
    assert ask(BACKEND, "GET", origin=origin) == 200
    assert ask(BACKEND, kind="websocket", origin=origin) == 1008


def test_our_own_page_and_programs_write() -> None:
    assert ask(BACKEND, origin="http://localhost:9090") == 200
    assert ask(BACKEND, host="10.0.0.5", origin="http://10.0.0.5") == 200
    assert ask(BACKEND, host="10.0.0.5", origin="https://10.0.0.5") == 200  # a proxy speaks TLS for us
    assert ask(BACKEND) == 200
    assert ask(BACKEND, kind="websocket", origin="http://localhost:9090") == 101


def test_a_page_behind_a_proxy_that_changes_the_host_is_named() -> None:
    guard = Guard(welcome, frozenset({"labels.example.org"}))
    assert ask(guard, host="backend:9090", origin="https://labels.example.org") == 200
    assert ask(guard, host="backend:9090", origin="https://evil.example.org") == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_bodies_that_need_no_preflight_are_refused(kind: str) -> None:
    assert ask(BACKEND, content_type=kind, content_length="2") == 415
    assert ask(BACKEND, content_type=kind, transfer_encoding="chunked") == 415
    assert ask(BACKEND, content_type=kind, content_length="0") == 200
    assert ask(Guard(welcome, body_types=()), content_type=kind, content_length="2") == 200


def test_json_is_read_whatever_its_parameters() -> None:
    assert ask(BACKEND, content_type="Application/JSON; charset=utf-8", content_length="2") == 200


def test_an_address_is_known_in_every_spelling() -> None:
    assert all(is_known_host(host, frozenset()) for host in ("::1", "fe80::1", "10.1.2.3", ""))
