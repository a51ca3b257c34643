"""Files by key in one folder, the least recently used thrown away beyond a byte budget."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from clickmask.decoder import whole_file

_LEFT_BEHIND_SECONDS = 24 * 3600.0

_log = logging.getLogger(__name__)


class DiskCache:
    """Bytes by key on disk; safe for threads, and for processes that share the folder.

    A disk that is full or may not be written to keeps nothing more; that is logged, not raised.

    Args:
        folder: Made on first use.
        budget: Most bytes kept. A file larger than the budget is not kept at all.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder = folder
        self._budget = budget
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The bytes of a key, or None; marks them as used just now."""
        path = self._folder / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def __contains__(self, key: str) -> bool:
        return (self._folder / key).is_file()

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key, whole or not at all."""
        if len(content) > self._budget:
            return
        try:
            self._write(key, content)
        except OSError as error:
            _log.warning("an image is not kept in %s: %s", self._folder, error)
        with self._lock:
            shrink(self._folder, self._budget)

    def _write(self, key: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(self._folder / key) as part:
            part.write_bytes(content)


def shrink(folder: Path, budget: int) -> None:
    """Throw away a folder's least recently used files until the rest is within a byte budget.

    Hidden names are being written or in use; old ones were left behind by a process that died.
    """
    found = list(_files(folder))
    for stat, path in found:
        if path.name.startswith(".") and time.time() - stat.st_mtime > _LEFT_BEHIND_SECONDS:
            path.unlink(missing_ok=True)
    files = sorted((item for item in found if not item[1].name.startswith(".")), key=lambda item: item[0].st_mtime_ns)
    excess = sum(stat.st_size for stat, _ in files) - budget
    for stat, path in files:
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= stat.st_size


def _files(folder: Path) -> Iterator[tuple[os.stat_result, Path]]:
    """A folder's files; another process may throw some away meanwhile."""
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                yield path.stat(), path
