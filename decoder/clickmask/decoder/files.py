"""Files that appear whole or not at all: the one way in which this house writes what somebody may be reading."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a hidden path beside ``path`` to write to, which takes its place when the ``with`` block ends well.

    A reader sees the old file or the new one. Threads and processes may write the same file: the last one wins.
    After an error nothing is left; a process that is killed leaves a hidden ``.part``.

    Raises:
        OSError: If the folder cannot be made, or the file not be put in place.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with whole_file(folder / "a.txt") as part:
        ...     _ = part.write_text("all of it")
        >>> [file.name for file in folder.iterdir()]
        ['a.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
