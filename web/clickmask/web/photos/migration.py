"""Project files of older formats, brought to the present one when they are opened.

Format 1 kept masks as the browser's runs, knew three states, and nothing of what other tools' files say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from clickmask.decoder import Size
from clickmask.web.browser_rle import runs_to_rle

NEW_COLUMNS = (
    "picture ADD COLUMN note TEXT NOT NULL DEFAULT ''",
    "picture ADD COLUMN file_width INTEGER NOT NULL DEFAULT 0",
    "picture ADD COLUMN file_height INTEGER NOT NULL DEFAULT 0",
    "picture ADD COLUMN origin TEXT",
    "category ADD COLUMN supercategory TEXT NOT NULL DEFAULT ''",
    "category ADD COLUMN extras TEXT NOT NULL DEFAULT '{}'",
    "object ADD COLUMN crowd INTEGER NOT NULL DEFAULT 0",
    "object ADD COLUMN extras TEXT NOT NULL DEFAULT '{}'",
    "object ADD COLUMN number INTEGER",
    "object RENAME COLUMN runs TO counts",
    "history ADD COLUMN undoes INTEGER",
)
NEW_TABLES = (
    "CREATE TABLE box (id TEXT PRIMARY KEY, picture INTEGER NOT NULL REFERENCES picture(id), "
    "category INTEGER NOT NULL, box TEXT NOT NULL, score REAL, crowd INTEGER NOT NULL, extras TEXT NOT NULL, "
    "number INTEGER)",
    "CREATE INDEX box_picture ON box(picture)",
)


def to_format_2(connection: sqlite3.Connection) -> None:
    """Bring a file of format 1 to format 2; its history is read as it is, see ``with_counts``."""
    for column in NEW_COLUMNS:
        connection.execute(f"ALTER TABLE {column}")
    for table in NEW_TABLES:
        connection.execute(table)
    masks = connection.execute(
        "SELECT object.id, counts, height, width FROM object JOIN picture ON picture.id = picture"
    ).fetchall()
    for key, runs, height, width in masks:
        counts = runs_to_rle(runs, Size(height, width))["counts"]
        connection.execute("UPDATE object SET counts = ? WHERE id = ?", (counts, key))


def with_counts(entry: Mapping[str, Any], size: Size) -> dict[str, Any]:
    """Return an object of the history as it is kept now; those of format 1 hold ``runs``."""
    if "runs" not in entry:
        return dict(entry)
    rest = {key: value for key, value in entry.items() if key != "runs"}
    return {**rest, "counts": runs_to_rle(entry["runs"], size)["counts"]}
