"""Files by key in one folder, the least recently used thrown away beyond a byte budget."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path


class DiskCache:
    """Bytes by key on disk; safe for threads, and for processes that share the folder.

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
            os.utime(path)
        except FileNotFoundError:
            return None
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key, whole or not at all."""
        if len(content) > self._budget:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as part:
            part.write(content)
        Path(part.name).replace(self._folder / key)
        with self._lock:
            shrink(self._folder, self._budget)


def shrink(folder: Path, budget: int) -> None:
    """Throw away a folder's least recently used files until the rest is within a byte budget."""
    if not folder.is_dir():
        return
    files = sorted(
        (
            (entry.stat(), entry.path)
            for entry in os.scandir(folder)
            if entry.is_file() and not entry.name.startswith(".")
        ),
        key=lambda item: item[0].st_mtime_ns,
    )
    excess = sum(stat.st_size for stat, _ in files) - budget
    for stat, path in files:
        if excess <= 0:
            return
        Path(path).unlink(missing_ok=True)
        excess -= stat.st_size
