"""An SQLite file for any number of threads and processes: a write is whole on disk, or was never made."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickmask.decoder.errors import DatasetError


class Database:
    """One open file.

    Args:
        file: It and its folder are made when missing.
        schema: The statements that make its tables.
        version: Of the schema, kept in the file.

    Raises:
        DatasetError: If the file cannot be opened, is damaged, or is of a newer version.
    """

    def __init__(self, file: Path, schema: str, version: int) -> None:
        self.file = file
        self._lock = threading.RLock()
        with _readable_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10.0)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._prepare(schema, version)

    def _prepare(self, schema: str, version: int) -> None:
        with self.transaction() as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > version:
                raise DatasetError(
                    f"{self.file} has project format {found}, wanted at most {version}: update ClickMask"
                )
            if found == 0:
                for statement in schema.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make several changes all or none.

        Raises:
            DatasetError: If the file cannot be written.
        """
        with self._lock, _readable_errors(self.file):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Everything a query finds."""
        with self._lock, _readable_errors(self.file):
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


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
