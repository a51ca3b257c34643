"""One folder's labels in SQLite: pictures, categories, objects and every change made to them.

A write is one transaction on disk before it is acknowledged, so a crash loses nothing that was
accepted. Each picture carries a revision number; a write names the revision it was based on
and is refused when another tab or program was faster.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clickmask.decoder.errors import ConflictError, DatasetError
from clickmask.web.database import Database
from clickmask.web.photos.records import STATUSES, Category, Change, LabeledObject, Picture, Status

FORMAT = 1
SCHEMA = """
CREATE TABLE picture (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'todo', revision INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, color TEXT NOT NULL);
CREATE TABLE object (
    id TEXT PRIMARY KEY, picture INTEGER NOT NULL REFERENCES picture(id), category INTEGER NOT NULL,
    runs TEXT NOT NULL, prompts TEXT NOT NULL, score REAL, source TEXT NOT NULL
);
CREATE INDEX object_picture ON object(picture);
CREATE TABLE history (
    picture INTEGER NOT NULL REFERENCES picture(id), revision INTEGER NOT NULL, time REAL NOT NULL,
    changes TEXT NOT NULL, PRIMARY KEY (picture, revision)
);
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
PICTURE_COLUMNS = """
SELECT id, name, width, height, status, revision,
       (SELECT count(*) FROM object WHERE object.picture = picture.id), missing FROM picture
"""
OBJECT_COLUMNS = "SELECT id, category, runs, prompts, score, source FROM object"


class Project:
    """The open project file of one folder; any number of threads and processes may share it.

    Args:
        file: The SQLite file; it and its folder are made when missing.

    Raises:
        DatasetError: If the file cannot be opened, is damaged, or is of a newer format.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        database = Database(file, SCHEMA, FORMAT)
        self._transaction, self._rows, self._close = database.transaction, database.rows, database.close

    def close(self) -> None:
        """Close the file; the project cannot be used afterwards."""
        self._close()

    # pictures

    def add_pictures(self, found: Iterable[tuple[str, int, int]]) -> None:
        """Record the files of the folder: (name, width, height); known ones that are not among them are missing."""
        with self._transaction() as database:
            database.execute("UPDATE picture SET missing = 1")
            database.executemany(
                "INSERT INTO picture(name, width, height) VALUES (?, ?, ?) "
                "ON CONFLICT(name) DO UPDATE SET missing = 0, width = excluded.width, height = excluded.height "
                "WHERE (SELECT count(*) FROM object WHERE picture = picture.id) = 0 "
                "OR (width = excluded.width AND height = excluded.height)",
                found,
            )
            database.execute("DELETE FROM picture WHERE missing = 1 AND revision = 0 AND status = 'todo'")

    def add_picture(self, name: str, width: int, height: int) -> Picture:
        """Record one new file and return its row."""
        with self._transaction() as database:
            database.execute("INSERT INTO picture(name, width, height) VALUES (?, ?, ?)", (name, width, height))
        return next(picture for picture in self.pictures() if picture.name == name)

    def pictures(self) -> list[Picture]:
        """All pictures, by name."""
        return [_picture(row) for row in self._rows(f"{PICTURE_COLUMNS} ORDER BY name")]

    def picture(self, picture_id: int) -> Picture:
        """One picture.

        Raises:
            DatasetError: If there is none with this id.
        """
        rows = self._rows(f"{PICTURE_COLUMNS} WHERE id = ?", (picture_id,))
        if not rows:
            raise DatasetError(f"there is no picture {picture_id} in {self.file}")
        return _picture(rows[0])

    def set_status(self, picture_id: int, status: Status) -> None:
        """Mark a picture as todo, done or skipped."""
        if status not in STATUSES:
            raise DatasetError(f"status is {status!r}, wanted one of {', '.join(STATUSES)}")
        with self._transaction() as database:
            database.execute("UPDATE picture SET status = ? WHERE id = ?", (status, picture_id))

    # objects

    def objects(self, picture_id: int) -> list[LabeledObject]:
        """The picture's objects, oldest first."""
        rows = self._rows(f"{OBJECT_COLUMNS} WHERE picture = ? ORDER BY rowid", (picture_id,))
        return [LabeledObject(*row) for row in rows]

    def write(self, picture_id: int, based_on: int, after: dict[str, LabeledObject | None]) -> int:
        """Put or remove objects of a picture, all or none, and return its new revision.

        Args:
            picture_id: The picture.
            based_on: The picture's revision the person was looking at.
            after: What each object shall be; None removes it.

        Raises:
            ConflictError: If the picture was changed since ``based_on``; nothing is written.
            DatasetError: If the file cannot be written.
        """
        with self._transaction() as database:
            picture = self.picture(picture_id)
            if picture.revision != based_on:
                raise ConflictError(
                    f"{picture.name} was changed elsewhere: got revision {based_on}, it is at {picture.revision}"
                )
            current = {item.id: item for item in self.objects(picture_id)}
            changes = [Change(key, current.get(key), item) for key, item in after.items()]
            for change in changes:
                _apply(database, picture_id, change)
            _record(database, picture_id, based_on + 1, changes)
        return based_on + 1

    def history(self, picture_id: int, *, last: int = 50) -> list[list[Change]]:
        """The latest writes to a picture, oldest first."""
        rows = self._rows(
            "SELECT changes FROM history WHERE picture = ? ORDER BY revision DESC LIMIT ?", (picture_id, last)
        )
        return [[_change(entry) for entry in json.loads(str(text))] for (text,) in reversed(rows)]

    # categories

    def categories(self) -> list[Category]:
        """All categories, by id."""
        rows = self._rows("SELECT id, name, color FROM category ORDER BY id")
        return [Category(*row) for row in rows]

    def save_categories(self, categories: Sequence[Category]) -> None:
        """Replace the list of categories.

        Raises:
            DatasetError: If a name is empty or used twice, or a category that objects use would go.
        """
        names = [category.name for category in categories]
        if not all(name.strip() for name in names) or len(set(names)) != len(names):
            raise DatasetError(f"class names are {names}, wanted each once and none empty")
        with self._transaction() as database:
            used = {row[0] for row in database.execute("SELECT DISTINCT category FROM object")}
            lost = used - {category.id for category in categories}
            if lost:
                raise DatasetError(
                    f"{len(lost)} of the classes to remove still have objects: relabel or delete those first"
                )
            database.execute("DELETE FROM category")
            database.executemany("INSERT INTO category VALUES (?, ?, ?)", [(c.id, c.name, c.color) for c in categories])

    # memory

    def remember(self, key: str, value: str) -> None:
        """Keep a small text, such as the picture worked on last."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        """The text kept under this key."""
        rows = self._rows("SELECT value FROM memory WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None


def _apply(database: sqlite3.Connection, picture_id: int, change: Change) -> None:
    item = change.after
    if item is None:
        database.execute("DELETE FROM object WHERE id = ? AND picture = ?", (change.id, picture_id))
        return
    values = (item.id, picture_id, item.category, item.runs, item.prompts, item.score, item.source)
    database.execute(
        "INSERT INTO object(id, picture, category, runs, prompts, score, source) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(id) DO UPDATE SET category = excluded.category, runs = excluded.runs, "
        "prompts = excluded.prompts, score = excluded.score, source = excluded.source",
        values,
    )


def _record(database: sqlite3.Connection, picture_id: int, revision: int, changes: list[Change]) -> None:
    text = json.dumps([asdict(change) for change in changes])
    database.execute("INSERT INTO history VALUES (?, ?, ?, ?)", (picture_id, revision, time.time(), text))
    database.execute("UPDATE picture SET revision = ? WHERE id = ?", (revision, picture_id))


def _picture(row: tuple[Any, ...]) -> Picture:
    picture_id, name, width, height, status, revision, object_count, missing = row
    return Picture(picture_id, name, width, height, status, revision, object_count, bool(missing))


def _change(entry: dict[str, Any]) -> Change:
    before, after = (None if entry[side] is None else LabeledObject(**entry[side]) for side in ("before", "after"))
    return Change(str(entry["id"]), before, after)
