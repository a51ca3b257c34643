"""Weights from mirrors: addresses tried in order; a file is kept only if its SHA-256 is the one that is known."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tqdm import tqdm

from clickmask.decoder.errors import CheckpointError

SECONDS_TO_ANSWER = 4.0
CHUNK_BYTES = 1 << 20
MAX_BYTES = 1 << 34  # of a file of weights; a server that sends more is none of ours
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A file of weights that lies in several places.

    Args:
        file_name: What it is called.
        sha256: Of its bytes, in hexadecimal.
        addresses: Where it can be fetched.
    """

    file_name: str
    sha256: str
    addresses: tuple[str, ...]


def fetch_mirrored(wanted: Mirrored) -> Path:
    """Return the file, fetched (with a progress bar) from the first mirror that has it, unless it is here already.

    Raises:
        CheckpointError: If no mirror gave it: what each answered.
    """
    here = cached_mirrored(wanted)
    if here is not None:
        return here
    target = _place(wanted)
    answers: list[str] = []
    for address in wanted.addresses:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _download(address, wanted.sha256, target)
        except HTTPError as error:
            error.close()
            answers.append(f"{address}: {error}")
        except Exception as error:  # whatever a network or a disk leads to: the next may work
            answers.append(f"{address}: {error or type(error).__name__}")
        else:
            return target
    raise CheckpointError(f"no mirror has the weights {wanted.file_name}: {'; '.join(answers)}")


def cached_mirrored(wanted: Mirrored) -> Path | None:
    """Where the file lies on this machine, if a mirror gave it before."""
    place = _place(wanted)
    return place if place.is_file() else None


def within(seconds: float, call: Callable[[], Found]) -> Found:
    """Call in a thread that is left alone if it takes longer: looking up a name cannot be given a limit.

    Raises:
        TimeoutError: If it takes longer; and whatever the call raises.
    """
    answer: Future[Found] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # for whoever waits
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    return answer.result(seconds)


def _place(wanted: Mirrored) -> Path:
    """In the hub's cache; named after its bytes, so that another version of the weights is another file."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / "clickmask-mirrors" / wanted.sha256[:16] / wanted.file_name


def _download(address: str, sha256: str, target: Path) -> None:
    """Fetch a file beside its place, and move it there once its bytes are known to be right."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise CheckpointError("is no web address")
    request = Request(address, headers={"User-Agent": "clickmask"})
    answer = within(SECONDS_TO_ANSWER, lambda: urlopen(request, timeout=SECONDS_TO_ANSWER))
    with answer, tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        part = Path(file.name)
        try:
            got = _copy(answer, file, target.name)
            if got != sha256:
                raise CheckpointError(f"sent other bytes: their SHA-256 is {got}, wanted {sha256}")
            file.close()
            part.replace(target)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _copy(answer: Any, file: Any, name: str) -> str:
    """Write what a server sends; return its SHA-256."""
    digest, size = hashlib.sha256(), 0
    total = int(answer.headers.get("Content-Length") or 0) or None
    with tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=None) as bar:
        while chunk := answer.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_BYTES:
                raise CheckpointError(f"sends more than {MAX_BYTES} bytes")
            digest.update(chunk)
            file.write(chunk)
            bar.update(len(chunk))
    return digest.hexdigest()
