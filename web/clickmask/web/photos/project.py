"""One folder's labels in SQLite: pictures, categories, objects and every change made to them.

A write is one transaction on disk before it is acknowledged, so a crash loses nothing that was
accepted. Each picture carries a revision number; a write names the revision it was based on
and is refused when another tab or program was faster.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clickmask.decoder import DatasetError, Size
from clickmask.web.database import Database
from clickmask.web.errors import ConflictError
from clickmask.web.photos.migration import to_format_2, with_counts
from clickmask.web.photos.records import (
    STATUSES,
    UNCHECKED,
    Category,
    Change,
    LabeledObject,
    Origin,
    Picture,
    Status,
    WaitingBox,
    Write,
)

FORMAT = 2
SCHEMA = """
CREATE TABLE picture (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'todo', revision INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '', file_width INTEGER NOT NULL DEFAULT 0, file_height INTEGER NOT NULL DEFAULT 0,
    origin TEXT
);
CREATE TABLE category (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, color TEXT NOT NULL,
    supercategory TEXT NOT NULL DEFAULT '', extras TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE object (
    id TEXT PRIMARY KEY, picture INTEGER NOT NULL REFERENCES picture(id), category INTEGER NOT NULL,
    counts TEXT NOT NULL, prompts TEXT NOT NULL, score REAL, source TEXT NOT NULL,
    crowd INTEGER NOT NULL DEFAULT 0, extras TEXT NOT NULL DEFAULT '{}', number INTEGER
);
CREATE INDEX object_picture ON object(picture);
CREATE TABLE box (
    id TEXT PRIMARY KEY, picture INTEGER NOT NULL REFERENCES picture(id), category INTEGER NOT NULL,
    box TEXT NOT NULL, score REAL, crowd INTEGER NOT NULL, extras TEXT NOT NULL, number INTEGER
);
CREATE INDEX box_picture ON box(picture);
CREATE TABLE history (
    picture INTEGER NOT NULL REFERENCES picture(id), revision INTEGER NOT NULL, time REAL NOT NULL,
    changes TEXT NOT NULL, undoes INTEGER, PRIMARY KEY (picture, revision)
);
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
PICTURE_COLUMNS = """
SELECT id, name, width, height, status, note, revision,
       (SELECT count(*) FROM object WHERE object.picture = picture.id),
       (SELECT count(*) FROM box WHERE box.picture = picture.id), missing, file_width, file_height FROM picture
"""
OBJECT_COLUMNS = "SELECT id, category, counts, prompts, score, source, crowd, extras, number FROM object"
BOX_COLUMNS = "SELECT id, picture, category, box, score, crowd, extras, number FROM box"
WORKED_ON = "(revision > 0 OR status != 'todo' OR note != '' OR id IN (SELECT picture FROM box))"
BELOW = "substr(name, 1, length(?1)) = ?1"
MOST_CATEGORIES = 10_000
UNKNOWN_SCORE = 0.5  # of an object that came without one


class Project:
    """The open project file of one folder; any number of threads and processes may share it.

    Args:
        file: The SQLite file; it and its folder are made when missing.

    Raises:
        DatasetError: If the file cannot be opened, is damaged, or is of a newer format.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.database = Database(file, SCHEMA, FORMAT, {1: to_format_2})
        self._transaction, self._rows = self.database.transaction, self.database.rows

    def close(self) -> None:
        """Close the file; the project cannot be used afterwards."""
        self.database.close()

    # pictures

    def add_pictures(self, found: Iterable[tuple[str, int, int]], below: str = "") -> None:
        """Record the files of the folder: (name, width, height); known ones that are not among them are missing.

        Labels keep the size of the picture they were made on.

        Args:
            found: The files.
            below: Only pictures whose name begins so were looked for.
        """
        with self._transaction() as database:
            database.execute(f"UPDATE picture SET missing = 1 WHERE {BELOW}", (below,))
            database.executemany(
                "INSERT INTO picture(name, width, height, file_width, file_height) VALUES (?1, ?2, ?3, ?2, ?3) "
                "ON CONFLICT(name) DO UPDATE SET missing = 0, file_width = ?2, file_height = ?3",
                found,
            )
            database.execute(
                "UPDATE picture SET width = file_width, height = file_height WHERE file_width > 0 "
                "AND id NOT IN (SELECT picture FROM object) AND id NOT IN (SELECT picture FROM box)"
            )
            database.execute(f"DELETE FROM picture WHERE missing = 1 AND {BELOW} AND NOT {WORKED_ON}", (below,))

    def add_picture(self, name: str, width: int, height: int) -> Picture:
        """Record one new file and return its row."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO picture(name, width, height, file_width, file_height) VALUES (?1, ?2, ?3, ?2, ?3)",
                (name, width, height),
            )
        return next(picture for picture in self.pictures() if picture.name == name)

    def pictures(self, below: str = "") -> list[Picture]:
        """Return the pictures whose name begins so, by name."""
        return [_picture(row) for row in self._rows(f"{PICTURE_COLUMNS} WHERE {BELOW} ORDER BY name", (below,))]

    def picture(self, picture_id: int) -> Picture:
        """Return one picture.

        Raises:
            DatasetError: If there is none with this id.
        """
        rows = self._rows(f"{PICTURE_COLUMNS} WHERE id = ?", (picture_id,))
        if not rows:
            raise DatasetError(f"there is no picture {picture_id} in {self.file}")
        return _picture(rows[0])

    def set_status(self, picture_id: int, status: Status, note: str | None = None) -> None:
        """Say how far a picture is, and what is to be said about it; without a note the old one stays."""
        if status not in STATUSES:
            raise DatasetError(f"status is {status!r}, wanted one of {', '.join(STATUSES)}")
        with self._transaction() as database:
            database.execute(
                "UPDATE picture SET status = ?, note = coalesce(?, note) WHERE id = ?", (status, note, picture_id)
            )

    def has_work(self, below: str = "") -> bool:
        """Whether a person did anything with the pictures whose name begins so."""
        return bool(self._rows(f"SELECT 1 FROM picture WHERE {BELOW} AND {WORKED_ON} LIMIT 1", (below,)))

    def origins(self) -> dict[int, Origin]:
        """Return what imported files call the pictures, by id."""
        rows = self._rows("SELECT id, origin FROM picture WHERE origin IS NOT NULL")
        return {key: Origin(**json.loads(text)) for key, text in rows}

    def set_origins(self, origins: Mapping[int, Origin]) -> None:
        """Keep what an imported file calls pictures, by id; what an earlier one called them stays."""
        with self._transaction() as database:
            values = [(json.dumps(asdict(origin)), key) for key, origin in origins.items()]
            database.executemany("UPDATE picture SET origin = coalesce(origin, ?) WHERE id = ?", values)

    def summaries(self) -> dict[int, tuple[dict[int, int], float | None]]:
        """Return, by picture, how many objects of each category there are, and the lowest score."""
        rows = self._rows("SELECT picture, category, count(*), min(score) FROM object GROUP BY picture, category")
        found: dict[int, tuple[dict[int, int], float | None]] = {}
        for picture, category, count, lowest in rows:
            counts, low = found.get(picture, ({}, None))
            counts[category] = count
            found[picture] = counts, min((score for score in (low, lowest) if score is not None), default=None)
        return found

    def unchecked(self) -> dict[int, list[float]]:
        """The scores, by picture, of the objects that no person made or looked at; 0.5 where one has none."""
        places = ", ".join("?" * len(UNCHECKED))
        found: dict[int, list[float]] = {}
        for picture, score in self._rows(f"SELECT picture, score FROM object WHERE source IN ({places})", UNCHECKED):
            found.setdefault(picture, []).append(UNKNOWN_SCORE if score is None else score)
        return found

    # objects

    def objects(self, picture_id: int) -> list[LabeledObject]:
        """Return the picture's objects, oldest first."""
        rows = self._rows(f"{OBJECT_COLUMNS} WHERE picture = ? ORDER BY rowid", (picture_id,))
        return [_object(row) for row in rows]

    def objects_of(self, category: int) -> int:
        """Count the objects and waiting boxes of a category."""
        tables = "SELECT category FROM object UNION ALL SELECT category FROM box"
        return int(self._rows(f"SELECT count(*) FROM ({tables}) WHERE category = ?", (category,))[0][0])

    def numbers(self) -> list[tuple[int]]:
        """Return the annotation ids that objects bring from their files."""
        return self._rows("SELECT number FROM object WHERE number IS NOT NULL")

    def write(
        self, picture_id: int, based_on: int, after: Mapping[str, LabeledObject | None], undoes: int | None = None
    ) -> int:
        """Put or remove objects of a picture, all or none, and return its new revision.

        Args:
            picture_id: The picture.
            based_on: The picture's revision the person was looking at.
            after: What each object shall be; None removes it.
            undoes: The revision of the write that this one takes back, if it does.

        Raises:
            ConflictError: If the picture was changed since ``based_on``; nothing is written.
            DatasetError: If an object belongs to another picture, or the file cannot be written.
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
                _apply(database, picture, change)
            _record(database, picture_id, based_on + 1, changes, undoes)
        return based_on + 1

    def history(self, picture_id: int, *, last: int = 50, before: int | None = None) -> list[Write]:
        """Return the latest writes that still count, oldest first; what was undone is left out.

        Args:
            picture_id: The picture.
            last: How many at most.
            before: Only writes of an earlier revision than this.
        """
        rows = self._rows(
            "SELECT revision, undoes FROM history WHERE picture = ? ORDER BY revision DESC", (picture_id,)
        )
        counting = [revision for revision in _counting(rows) if before is None or revision < before][:last]
        size = self.picture(picture_id).size
        return [Write(revision, self._changes(picture_id, revision, size)) for revision in reversed(counting)]

    def _changes(self, picture_id: int, revision: int, size: Size) -> tuple[Change, ...]:
        query = "SELECT changes FROM history WHERE picture = ? AND revision = ?"
        ((text,),) = self._rows(query, (picture_id, revision))
        return tuple(_change(entry, size) for entry in json.loads(str(text)))

    # boxes that wait for a mask

    def boxes(self, picture_id: int | None = None) -> list[WaitingBox]:
        """Return the boxes that wait for a mask, of one picture or of all."""
        rows = self._rows(f"{BOX_COLUMNS} WHERE ?1 IS NULL OR picture = ?1 ORDER BY rowid", (picture_id,))
        return [
            WaitingBox(key, picture, category, tuple(json.loads(box)), score, bool(crowd), extras, number)
            for key, picture, category, box, score, crowd, extras, number in rows
        ]

    def add_boxes(self, boxes: Iterable[WaitingBox]) -> None:
        """Keep boxes until they get their masks."""
        values = [(b.id, b.picture, b.category, json.dumps(b.box), b.score, b.crowd, b.extras, b.number) for b in boxes]
        with self._transaction() as database:
            database.executemany("INSERT OR IGNORE INTO box VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def drop_boxes(self, ids: Iterable[str]) -> None:
        """Forget boxes, as they have masks or are not wanted."""
        with self._transaction() as database:
            database.executemany("DELETE FROM box WHERE id = ?", [(key,) for key in ids])

    # categories

    def categories(self) -> list[Category]:
        """Return all categories, by id."""
        rows = self._rows("SELECT id, name, color, supercategory, extras FROM category ORDER BY id")
        return [Category(*row) for row in rows]

    def save_categories(self, categories: Sequence[Category]) -> None:
        """Replace the list of categories.

        Raises:
            DatasetError: If a name is empty or used twice, or a category that objects use would go.
        """
        names = [category.name for category in categories]
        if not all(name.strip() for name in names) or len(set(names)) != len(names):
            raise DatasetError(f"class names are {names}, wanted each once and none empty")
        if len(names) > MOST_CATEGORIES:
            raise DatasetError(f"there are {len(names)} classes, wanted at most {MOST_CATEGORIES}")
        with self._transaction() as database:
            self._check_used({category.id for category in categories})
            database.execute("DELETE FROM category")
            database.executemany(
                "INSERT INTO category VALUES (?, ?, ?, ?, ?)",
                [(c.id, c.name, c.color, c.supercategory, c.extras) for c in categories],
            )

    def _check_used(self, kept: set[int]) -> None:
        query = "SELECT category, count(*) FROM (SELECT category FROM object UNION ALL SELECT category FROM box)"
        used = dict(self._rows(f"{query} GROUP BY category"))
        lost = [category for category in self.categories() if category.id in used.keys() - kept]
        if lost:
            told = ", ".join(f"{category.name} ({used[category.id]})" for category in lost)
            raise DatasetError(f"these classes still have objects: {told}; merge, relabel or delete those first")

    def merge_category(self, old: int, new: int) -> None:
        """Give all objects of a category another one, and remove it; each picture's history knows.

        Raises:
            DatasetError: If either does not exist.
        """
        known = {category.id: category for category in self.categories()}
        for category in (old, new):
            if category not in known:
                raise DatasetError(f"class {category} does not exist (any more): reload the page")
        if old == new:
            raise DatasetError(f"{known[old].name} cannot be merged into itself")
        with self._transaction() as database:
            pictures = database.execute("SELECT DISTINCT picture FROM object WHERE category = ?", (old,)).fetchall()
            for (picture_id,) in pictures:
                picture = self.picture(picture_id)
                moved = [item for item in self.objects(picture_id) if item.category == old]
                changes = [Change(item.id, item, LabeledObject(**{**asdict(item), "category": new})) for item in moved]
                for change in changes:
                    _apply(database, picture, change)
                _record(database, picture_id, picture.revision + 1, changes, None)
            database.execute("UPDATE box SET category = ? WHERE category = ?", (new, old))
            database.execute("DELETE FROM category WHERE id = ?", (old,))

    # memory

    def remember(self, key: str, value: str) -> None:
        """Keep a small text, such as the picture worked on last."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        """Return the text kept under this key."""
        rows = self._rows("SELECT value FROM memory WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None


def _counting(rows: Sequence[tuple[int, int | None]]) -> list[int]:
    """The revisions that still count, newest first, of (revision, the one it undoes), newest first.

    Example:
        >>> _counting([(4, 3), (3, 2), (2, None), (1, None)])  # 3 took 2 back, 4 made it again
        [2, 1]
    """
    undone: set[int] = set()
    counting = []
    for revision, undoes in rows:
        if revision in undone:
            continue
        if undoes is None:
            counting.append(revision)
        else:
            undone.add(undoes)
    return counting


def _apply(database: sqlite3.Connection, picture: Picture, change: Change) -> None:
    item = change.after
    if change.before is None:
        elsewhere = database.execute("SELECT picture FROM object WHERE id = ?", (change.id,)).fetchone()
        if elsewhere is not None:
            raise DatasetError(f"object {change.id} belongs to picture {elsewhere[0]}, not to {picture.name}")
    if item is None:
        database.execute("DELETE FROM object WHERE id = ? AND picture = ?", (change.id, picture.id))
        return
    database.execute(
        "INSERT INTO object(id, picture, category, counts, prompts, score, source, crowd, extras, number) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(id) DO UPDATE SET category = excluded.category, counts = excluded.counts, "
        "prompts = excluded.prompts, score = excluded.score, source = excluded.source, crowd = excluded.crowd, "
        "extras = excluded.extras, number = excluded.number",
        (change.id, picture.id, item.category, item.counts, item.prompts, item.score, item.source, item.crowd,
         item.extras, item.number),
    )  # fmt: skip


def _record(
    database: sqlite3.Connection, picture_id: int, revision: int, changes: Sequence[Change], undoes: int | None
) -> None:
    text = json.dumps([asdict(change) for change in changes])
    database.execute("INSERT INTO history VALUES (?, ?, ?, ?, ?)", (picture_id, revision, time.time(), text, undoes))
    database.execute("UPDATE picture SET revision = ? WHERE id = ?", (revision, picture_id))


def _picture(row: tuple[Any, ...]) -> Picture:
    key, name, width, height, status, note, revision, objects, boxes, missing, file_width, file_height = row
    same = not file_width or missing or (file_width, file_height) == (width, height)
    replaced = None if same else f"{file_width}x{file_height}"
    return Picture(key, name, width, height, status, note, revision, objects, boxes, bool(missing), replaced)


def _object(row: tuple[Any, ...]) -> LabeledObject:
    key, category, counts, prompts, score, source, crowd, extras, number = row
    return LabeledObject(key, category, counts, prompts, score, source, bool(crowd), extras, number)


def _change(entry: Mapping[str, Any], size: Size) -> Change:
    before, after = (
        None if entry[side] is None else LabeledObject(**with_counts(entry[side], size)) for side in ("before", "after")
    )
    return Change(str(entry["id"]), before, after)
