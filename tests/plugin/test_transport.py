"""One request to one judged address: certificates belong to names, and time and size end."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from clickmask.plugin.errors import FetchError, RefusedError
from clickmask.plugin.files.network import is_allowed
from clickmask.plugin.files.transport import Transport
from tests.plugin.studio_server import Studio, answering


class Dribble(BaseHTTPRequestHandler):
    """Sends a byte now and then, for ever."""

    def do_GET(self) -> None:
        """Answer for a long time."""
        self.send_response(200)
        self.end_headers()
        while True:
            try:
                self.wfile.write(b".")
            except OSError:
                return
            time.sleep(0.1)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def dribbling() -> Iterator[str]:
    """The address of a server that never ends its answer."""
    with answering(Dribble) as port:
        yield f"http://127.0.0.1:{port}/"


def test_an_answer_that_never_ends_is_cut_off(dribbling: str) -> None:
    with pytest.raises(FetchError, match="took longer than 1 s"):
        Transport(frozenset(), 1_000, 1.0).request("GET", dribbling, trusted=True)


def test_the_name_is_looked_up_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose address changes between the judgement and the connection gains nothing."""
    lookups: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, *arguments: Any, **options: Any) -> Any:
        lookups.append(host)
        return real("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    port = studio.url.rpartition(":")[2]
    Transport(frozenset(), 1_000, 5).request("GET", f"http://changing.example:{port}/", trusted=True)
    assert lookups.count("changing.example") == 1
    assert set(lookups) <= {"changing.example", "127.0.0.1"}


def test_the_next_address_is_tried_where_nobody_listens(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where "localhost" is ::1 first and Label Studio listens on 127.0.0.1 only."""
    real = socket.getaddrinfo

    def lookup(host: str, *arguments: Any, **options: Any) -> Any:
        if host != "localhost":
            return real(host, *arguments, **options)
        return [*real("127.0.0.2", 9), *real("127.0.0.1", *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    url = f"http://localhost:{studio.url.rpartition(':')[2]}/nothing"
    assert Transport(frozenset(), 1_000, 5).request("GET", url, trusted=True).status == 404


@pytest.mark.parametrize("url", ["http://[/", "http://host:99999/", "http://", "nonsense", "http://" + "a" * 300 + "/"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises((RefusedError, FetchError)):
        Transport(frozenset(), 1_000, 1).request("GET", url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "169.254.169.254"]
)
def test_private_addresses_in_every_spelling_are_refused(host: str) -> None:
    with pytest.raises(RefusedError, match="is not a public address"):
        Transport(frozenset(), 1_000, 1).request("GET", f"http://{host}:9/")


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A server with a certificate for "localhost", and a context that knows the certificate."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with answering(Handler, context) as port:
        yield port, ssl.create_default_context(cafile=certificate)


def test_a_certificate_is_checked_against_the_name(https: tuple[int, ssl.SSLContext]) -> None:
    """The connection goes to an address, but the certificate must be the host name's."""
    port, context = https
    transport = Transport(frozenset(), 1_000, 5, context)
    assert transport.request("GET", f"https://localhost:{port}/", trusted=True).body == b"hi"
    with pytest.raises(FetchError, match="certificate"):
        transport.request("GET", f"https://127.0.0.1:{port}/", trusted=True)
    with pytest.raises(FetchError, match="certificate"):
        Transport(frozenset(), 1_000, 5).request("GET", f"https://localhost:{port}/", trusted=True)


class SlowHeaders(BaseHTTPRequestHandler):
    """Sends its headers byte by byte, for ever."""

    def do_GET(self) -> None:
        """Begin an answer that has no end."""
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def slow_headers() -> Iterator[str]:
    """The address of a server whose headers never end."""
    with answering(SlowHeaders) as port:
        yield f"http://127.0.0.1:{port}/"


def test_headers_that_never_end_are_cut_off(slow_headers: str) -> None:
    """Four such images stopped the whole backend for minutes: only reading the body knew a deadline."""
    with pytest.raises(FetchError, match="took longer than 1 s"):
        Transport(frozenset(), 1_000, 1.0).request("GET", slow_headers, trusted=True)


def test_a_process_that_stops_waits_for_no_server(slow_headers: str) -> None:
    transport = Transport(frozenset(), 1_000, 3_000.0)
    threading.Timer(0.3, transport.close).start()
    with pytest.raises(FetchError, match="the backend stops"):
        transport.request("GET", slow_headers, trusted=True)


def test_a_name_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: never.wait(60))
    with pytest.raises(FetchError, match="was not found within 1 s"):
        Transport(frozenset(), 1_000, 1.0).request("GET", "http://host.example/")
    never.set()


@pytest.mark.parametrize(
    "host",
    [
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::7f00:1]",
        "[::ffff:0:127.0.0.1]",
        "[fec0::1]",
        "[2002:7f00:1::1]",
        "[2001:0:7f00:1::1]",
        "192.0.0.192",
    ],
)
def test_ipv6_addresses_that_carry_a_private_one_are_refused(host: str) -> None:
    with pytest.raises(RefusedError, match="is not a public address"):
        Transport(frozenset(), 1_000, 1).request("GET", f"http://{host}:9/")


def test_nat64_of_a_public_address_is_public() -> None:
    assert is_allowed(ipaddress.ip_address("64:ff9b::5db8:d70e"), may_be_private=False)
