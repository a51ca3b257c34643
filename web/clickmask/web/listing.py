"""Files below a folder, as a person looks for them: hidden ones left out, 9 before 10, odd names told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path


def walk(top: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield every visible folder with the names of its visible folders and files, in natural order.

    Links to folders are not followed; a folder that may not be read is left out.
    """
    for place, folders, files in os.walk(top):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        yield Path(place), folders, sorted((name for name in files if not name.startswith(".")), key=natural)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts numbers in their order.

    Example:
        >>> sorted(["img_10.jpg", "img_9.jpg", "Img_1.jpg", "img_.jpg", "img.jpg"], key=natural)
        ['img.jpg', 'img_.jpg', 'Img_1.jpg', 'img_9.jpg', 'img_10.jpg']
    """
    parts = re.split(r"([0-9]+)", os.path.splitext(name)[0])  # noqa: PTH122 - a name with folders, not a path
    numbered = [(0, int(part), "") if i % 2 else (1, 0, part.casefold()) for i, part in enumerate(parts)]
    return [*numbered, (-1, 0, name)]  # a name comes before those that go on


def is_text(name: str) -> bool:
    """Whether a file name is text that can be stored and sent: on Linux it may be any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    r"""A file name as text, bytes that are none escaped.

    Example:
        >>> print(printable("bad\udcff.jpg"))
        bad\xff.jpg
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")
