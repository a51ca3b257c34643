"""Text files as people have them: UTF-8 with or without its mark, and UTF-16."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clickmask.decoder.errors import DatasetError


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file in UTF-8, or in UTF-16 if it starts with its mark, as PowerShell's ``>`` writes it.

    Raises:
        DatasetError: If the file cannot be read or is neither, also within the ``with`` block.
    """
    try:
        with path.open("rb") as file:
            mark = file.read(2)
        encoding = "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        with path.open(encoding=encoding) as text:
            yield text
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 text: {getattr(error, 'reason', error)}") from None


def read_text(path: Path) -> str:
    """Return a small text file's content.

    Raises:
        DatasetError: As ``open_text``.
    """
    with open_text(path) as file:
        return file.read()


def read_lines(path: Path) -> list[str]:
    """Return the lines of a small text file.

    Raises:
        DatasetError: As ``open_text``.
    """
    return read_text(path).splitlines()
