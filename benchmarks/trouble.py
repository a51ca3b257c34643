"""What goes wrong around a server, on purpose and on this machine only: broken bodies, clients that leave, slow hosts.

``python -m benchmarks.faults`` uses it.
"""

from __future__ import annotations

import http.server
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx

from benchmarks.backend import Person, request

PATIENCE_S = 60.0


class BadImages(http.server.BaseHTTPRequestHandler):
    """An image server by the path asked for: one that drips, breaks off, is no picture, fails, or goes in circles."""

    def do_GET(self) -> None:
        """Answer badly."""
        with suppress(OSError):
            getattr(self, urlsplit(self.path).path.strip("/"))()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def drip(self) -> None:
        """A header a second, for ever."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-Still: here\r\n")
            self.wfile.flush()
            time.sleep(1.0)

    def cut(self) -> None:
        """Half of what was promised."""
        self._head(200, ("Content-Length", "100000"))
        self.wfile.write(b"\xff\xd8\xff" + b"0" * 50_000)
        self.close_connection = True

    def junk(self) -> None:
        """Something that is no picture."""
        self._head(200, ("Content-Length", "2000"))
        self.wfile.write(random.randbytes(2000))

    def fail(self) -> None:
        """An error."""
        self._head(500, ("Content-Length", "0"))

    def round(self) -> None:
        """A redirect to itself."""
        self._head(302, ("Location", self.path), ("Content-Length", "0"))

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()


IMAGES = ("drip", "cut", "junk", "fail", "round")


@contextmanager
def bad_image_server() -> Iterator[str]:
    """Serve bad images on a free port of this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BadImages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Troublemaker:
    """Does one bad thing after the other to a backend.

    Args:
        url: Of the backend.
        images: Of a bad image server.
        seed: For what is thrown.
    """

    def __init__(self, url: str, images: str, seed: int) -> None:
        self._random = random.Random(seed)
        self._url, self._images = url, images
        self._place = urlsplit(url)
        self.got: Counter[str] = Counter()  # what was done and which status it got

    def once(self) -> None:
        """One bad thing."""
        deeds: tuple[Callable[[], None], ...] = (self._bytes, self._values, self._leave, self._silence, self._image)
        self._random.choice(deeds)()

    def _bytes(self) -> None:
        self._post("no JSON", self._random.randbytes(self._random.randint(0, 5_000)))

    def _values(self) -> None:
        """A request in which one value is something else."""
        body = request(f"{self._images}/junk", Person(self._random.randrange(999)).new_object())
        key = self._random.choice(list(body))
        body[key] = self._random.choice([None, -1, [], {}, "\0" * 9, [[[]]], 10**400, "x" * 100_000])
        self._post("a wrong value", json.dumps(body).encode())

    def _image(self) -> None:
        kind = self._random.choice(IMAGES)
        body = request(f"{self._images}/{kind}?{self._random.random()}", Person().new_object())
        self._post(f"an image: {kind}", json.dumps(body).encode())

    def _leave(self) -> None:
        """Hang up in the middle of a body, or before the answer."""
        body = json.dumps(request(f"{self._images}/junk?{self._random.random()}", Person().new_object())).encode()
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        with suppress(OSError), socket.create_connection((self._place.hostname, self._place.port)) as connection:
            connection.sendall(whole[: self._random.choice([len(whole) // 2, len(whole)])])
        self.got["left early"] += 1

    def _silence(self) -> None:
        """Say half a line and wait a moment."""
        with suppress(OSError), socket.create_connection((self._place.hostname, self._place.port)) as connection:
            connection.sendall(b"POST /pre")
            time.sleep(0.2)
        self.got["half a line"] += 1

    def _post(self, deed: str, content: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        try:
            answer = httpx.post(
                f"{self._url}/predict", content=content, headers=headers, timeout=PATIENCE_S, trust_env=False
            )
            self.got[f"{deed}: {answer.status_code}"] += 1
        except httpx.TransportError as error:
            self.got[f"{deed}: {type(error).__name__}"] += 1


@contextmanager
def trouble(url: str, makers: int) -> Iterator[Counter[str]]:
    """Have a backend troubled by some troublemakers at once while the block runs; then what they got is counted."""
    got: Counter[str] = Counter()
    ended = threading.Event()

    def work(maker: Troublemaker) -> None:
        while not ended.wait(0.05):
            maker.once()

    with bad_image_server() as images:
        crowd = [Troublemaker(url, images, number) for number in range(makers)]
        threads = [threading.Thread(target=work, args=(maker,)) for maker in crowd]
        for thread in threads:
            thread.start()
        try:
            yield got
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            for maker in crowd:
                got.update(maker.got)
