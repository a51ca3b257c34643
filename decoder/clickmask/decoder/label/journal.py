"""What is done so far, picture by picture, so that a run that was killed goes on where it was.

One line of JSON for each picture, on disk before the next is begun. A line that was cut off by a crash is none.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.json_writer import compact_json

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One picture: its objects, or why there are none.

    Args:
        key: Names the picture in its run.
        result: Whatever JSON the run needs to write it out at the end.
        error: What is wrong with the picture; it is tried again by the next run.
    """

    key: str
    result: Any = None
    error: str | None = None


class Journal:
    """A file beside the output, held by one run at a time.

    Args:
        path: Of the journal.
        run: What the run is about: model, settings, source. A journal of another run is refused.

    Raises:
        DatasetError: If another run holds the journal, it is of a run with other settings, or cannot be written.
    """

    def __init__(self, path: Path, run: Line) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("a+b")
        except OSError as error:
            raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise DatasetError(f"{path}: another run writes to this output, wait for it or choose another") from None
        try:
            self._begin(run)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def entries(self, keys: Iterable[str]) -> Iterator[JournalEntry]:
        """The last word about each of these pictures, in their order; those it does not know are left out."""
        latest = {line["key"]: place for place, line in self._lines()}
        for key in keys:
            if key in latest:
                self._file.seek(latest[key])
                line = json.loads(self._file.readline())
                yield JournalEntry(key, line.get("result"), line.get("error"))

    def done(self) -> frozenset[str]:
        """Keys of the pictures that need not be done again."""
        latest = {line["key"]: line.get("error") for _, line in self._lines()}
        return frozenset(key for key, error in latest.items() if error is None)

    def add(self, entry: JournalEntry) -> None:
        """Note a picture; when this returns it is on the disk.

        Raises:
            DatasetError: If it cannot be written.
        """
        self._write({"key": entry.key, "result": entry.result, "error": entry.error})

    def remove(self) -> None:
        """Forget the run: its output is written."""
        self._path.unlink(missing_ok=True)

    def _begin(self, run: Line) -> None:
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n"):  # new, or killed while it was made
            self._file.truncate(0)
            self._write({"run": run})
            return
        before = json.loads(first).get("run")
        if before != json.loads(compact_json(run)):
            other = ", ".join(key for key in run if not isinstance(before, dict) or before.get(key) != run[key])
            raise DatasetError(
                f"{self._path}: belongs to a run with another {other}; end that one, or remove the file to begin anew"
            )
        self._cut_broken_line()

    def _cut_broken_line(self) -> None:
        end = 0
        self._file.seek(0)
        for line in self._file:
            end += len(line) if line.endswith(b"\n") else 0
        self._file.truncate(end)

    def _lines(self) -> Iterator[tuple[int, Line]]:
        self._file.seek(0)
        place = len(self._file.readline())
        while line := self._file.readline():
            yield place, json.loads(line)
            place += len(line)

    def _write(self, line: Line) -> None:
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(compact_json(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise DatasetError(f"{self._path}: cannot be written: {error.strerror or error}") from None
