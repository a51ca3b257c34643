"""An SQLite file for any number of threads and processes: a write is whole on disk, or was never made.

New writes lie in a second file beside it (``-wal``) until they are moved into the first; that is done when the
file rests and when it is closed. A mark in the first file says whether a second one belongs to it, so that a
copy that was made without it is noticed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clickmask.decoder import DatasetError

Migration = Callable[[sqlite3.Connection], None]
WHOLE, SPREAD = 0x434D4B57, 0x434D4B53  # application ids: all is in the file, or some of it beside it
RESTING_S = 1.0  # without a write


class Database:
    """One open file.

    Args:
        file: It and its folder are made when missing.
        schema: The statements that make its tables.
        version: Of the schema, kept in the file.
        migrations: What brings a file of each older version to the next one.

    Raises:
        DatasetError: If the file cannot be opened, is damaged, or is of a newer version.
    """

    def __init__(
        self, file: Path, schema: str, version: int, migrations: Mapping[int, Migration] | None = None
    ) -> None:
        self.file = file
        self.loss: str | None = None  # a sentence, if something that belongs to the file was not beside it
        self._lock = threading.RLock()
        self._written: float | None = None  # when, if it has not been made whole since
        with _readable_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            existed, beside = _size(file) > 0, _size(_wal(file)) > 0
            self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10.0)
            self._finish = weakref.finalize(self, _finish, self._connection)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            if (
                existed
                and not beside
                and (self._pragma("user_version") == 0 or self._pragma("application_id") == SPREAD)
            ):
                self.loss = (
                    f"{file} was left or copied without the file {_wal(file).name} that belongs beside it: what was "
                    "written last is not in it; bring both files and open the folder again"
                )
            self._prepare(schema, version, migrations or {})
            self.make_whole()

    def _prepare(self, schema: str, version: int, migrations: Mapping[int, Migration]) -> None:
        if self._pragma("user_version") == version:
            return
        with self.transaction() as connection:
            found = self._pragma("user_version")
            if found > version:
                raise DatasetError(
                    f"{self.file} has project format {found}, wanted at most {version}: update ClickMask"
                )
            if found == 0:
                for statement in schema.split(";"):
                    connection.execute(statement)
            for older in range(found or version, version):
                migrations[older](connection)
            connection.execute(f"PRAGMA user_version = {version}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make several changes all or none.

        Raises:
            DatasetError: If the file cannot be written.
        """
        with self._lock, _readable_errors(self.file):
            _set_mark(self._connection, SPREAD)  # in the file before anything is beside it
            self._written = time.monotonic()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return everything a query finds."""
        with self._lock, _readable_errors(self.file):
            return self._connection.execute(query, values).fetchall()

    def rest(self) -> None:
        """Make the file whole if nothing was written for a while; a full disk does no harm."""
        with self._lock, suppress(DatasetError):
            if self._written is not None and time.monotonic() - self._written >= RESTING_S:
                self.make_whole()

    def make_whole(self) -> None:
        """Move everything into the one file, as far as no other process is at it.

        Raises:
            DatasetError: If the file cannot be written.
        """
        with self._lock, _readable_errors(self.file):
            _set_mark(self._connection, WHOLE)
            self._written = None

    def close(self) -> None:
        """Make the file whole and close it."""
        with self._lock:
            self._finish()

    def _pragma(self, name: str) -> int:
        return _pragma(self._connection, name)


def _finish(connection: sqlite3.Connection) -> None:
    """Close, also when nobody did: SQLite then moves everything into the file, and the mark must say so."""
    try:
        with suppress(sqlite3.Error):
            _set_mark(connection, WHOLE)
    finally:
        connection.close()


def _set_mark(connection: sqlite3.Connection, mark: int) -> None:
    if _pragma(connection, "application_id") != mark:
        connection.execute(f"PRAGMA application_id = {mark}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _wal(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


@contextmanager
def _readable_errors(file: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into a sentence for a person."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        text = str(error)
        if "full" in text or "disk I/O" in text or "No space" in text:
            reason = "the disk is full or broken; free some space and try again"
        elif "readonly" in text or "Read-only" in text or "Permission" in text or "unable to open" in text:
            reason = "the folder is read-only"
        elif "malformed" in text or "not a database" in text:
            reason = "the file is damaged; restore it from a copy or remove it to start again"
        elif "locked" in text:
            reason = "another program holds it; close that and try again"
        else:
            reason = text
        raise DatasetError(f"cannot use the project file {file}: {reason}") from error
