"""Write JSON files far larger than memory, all their arrays growing at the same time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from clickmask.decoder.formats.output import temporary_text, write_whole


class JsonArrays:
    """A JSON object of long arrays, written an element at a time.

    Each array collects in a temporary file; leaving the ``with`` block joins them into the
    target, which appears whole or, after an error, not at all.

    Args:
        path: The file to write.
        names: Keys of the arrays, in the order they are to stand in the file.
        header: Short values that come before them.
    """

    def __init__(self, path: Path, names: tuple[str, ...], header: dict[str, Any]) -> None:
        self._path = path
        self._header = header
        self._parts = {name: temporary_text() for name in names}
        self._counts = dict.fromkeys(names, 0)

    def append(self, name: str, element: Any) -> None:
        """Add one element to the array of this name."""
        part = self._parts[name]
        part.write(",\n" if self._counts[name] else "\n")
        part.write(compact_json(element))
        self._counts[name] += 1

    def __enter__(self) -> JsonArrays:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with write_whole(self._path) as target:
                    self._join(target)
        finally:
            for part in self._parts.values():
                part.close()

    def _join(self, target: IO[str]) -> None:
        target.write("{")
        for name, value in self._header.items():
            target.write(f"{compact_json(name)}:{compact_json(value)},\n")
        for index, (name, part) in enumerate(self._parts.items()):
            target.write(f"{',' if index else ''}{compact_json(name)}:[")
            part.seek(0)
            shutil.copyfileobj(part, target)
            target.write("]\n")
        target.write("}\n")


def write_array(path: Path, elements: Iterable[Any]) -> None:
    """Write a file that is one JSON array, an element at a time; it appears when it is whole.

    Raises:
        DatasetError: If the file cannot be written.
    """
    with write_whole(path) as target:
        target.write("[")
        for index, element in enumerate(elements):
            target.write(",\n" if index else "\n")
            target.write(compact_json(element))
        target.write("]\n")


def compact_json(value: Any) -> str:
    """Return JSON without spaces; NaN and infinity, which are not JSON, are refused with ValueError."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
