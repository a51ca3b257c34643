"""Weights from mirrors, over real HTTP; what a mirror sends is kept only if it is what is known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clickmask.decoder import MODELS, CheckpointError
from clickmask.decoder.checkpoints import cached_weights, find_weights
from clickmask.decoder.mirrors import Mirrored, cached_mirrored, fetch_mirrored
from tests.decoder.test_checkpoints import point_hub_at

CONTENT = b"the weights" * 1_000_000  # more than one chunk
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NOBODY = "http://127.0.0.1:9"  # nothing listens there


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def mirror(folder: Path, content: bytes = CONTENT, name: str = "w.pt") -> Iterator[str]:
    folder.mkdir()
    (folder / name).write_bytes(content)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_hub_at(NOBODY, monkeypatch, tmp_path / "cache")


def test_the_next_mirror_is_asked_where_one_does_not_answer(tmp_path: Path) -> None:
    with mirror(tmp_path / "web") as address:
        wanted = Mirrored("w.pt", SHA256, (f"{NOBODY}/w.pt", f"{address}/missing.pt", f"{address}/w.pt"))
        assert cached_mirrored(wanted) is None
        path = fetch_mirrored(wanted)
    assert path.read_bytes() == CONTENT
    assert cached_mirrored(wanted) == fetch_mirrored(wanted) == path  # the server is gone


def test_other_bytes_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with mirror(tmp_path / "web", CONTENT[:-1] + b"!") as address:
        wanted = Mirrored("w.pt", SHA256, (f"{address}/w.pt", "file:///etc/passwd"))
        with pytest.raises(CheckpointError, match=rf"sent other bytes: .* wanted {SHA256}.*passwd: is no web address"):
            fetch_mirrored(wanted)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_mirror_helps_where_the_hub_does_not_answer(tmp_path: Path) -> None:
    with mirror(tmp_path / "web") as address:
        spec = replace(MODELS["sam2_hiera_tiny"], mirrored=Mirrored("w.pt", SHA256, (f"{address}/w.pt",)))
        assert cached_weights(spec) is None
        assert find_weights(spec).read_bytes() == CONTENT
    assert find_weights(spec) == cached_weights(spec)  # the server is gone


def test_where_nobody_answers_the_message_names_all() -> None:
    spec = replace(MODELS["sam2_hiera_tiny"], mirrored=Mirrored("w.pt", SHA256, (f"{NOBODY}/w.pt",)))
    with pytest.raises(CheckpointError, match=r"facebook/sam2-hiera-tiny.*HF_ENDPOINT.*127\.0\.0\.1:9/w\.pt"):
        find_weights(spec)
