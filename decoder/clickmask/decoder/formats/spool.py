"""Put records that arrive in any order into the order of their images, on disk.

COCO files list images and annotations apart, in any order. The spool keeps both in a private
temporary SQLite database, so memory stays small however long the file is; it vanishes with
the last reference to it.
"""

from __future__ import annotations

import marshal
import sqlite3
import weakref
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.fields import MAX_ID
from clickmask.decoder.formats.records import AnnotatedImage, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.rle import Rle

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -8000;
    CREATE TABLE images (
        id INTEGER PRIMARY KEY, place INTEGER, file_name TEXT, height INTEGER, width INTEGER, video TEXT, frame INTEGER,
        extras BLOB
    );
    CREATE TABLE objects (
        id INTEGER PRIMARY KEY, place INTEGER, image_id INTEGER, category_id INTEGER, counts TEXT,
        score REAL, is_crowd INTEGER, track_id INTEGER, drawn BLOB, extras BLOB
    );
"""
_INSERT_IMAGE = "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_OBJECT = "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INDEX = "CREATE INDEX IF NOT EXISTS objects_of_image ON objects (image_id, place)"
_OBJECTS = (
    "SELECT id, category_id, counts, score, is_crowd, track_id, drawn, extras "
    "FROM objects WHERE image_id = ? ORDER BY place"
)
_IMAGES = "SELECT id, file_name, height, width, video, frame, extras FROM images ORDER BY "


class Spool:
    """Images and objects in, annotated images out, in the order the images came."""

    def __init__(self) -> None:
        # "" is SQLite's private temporary database: in memory while small, then a file without a name.
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._next_place = 0
        weakref.finalize(self, self._database.close)

    def add_image(self, image: ImageRecord, where: str) -> None:
        """Keep an image; ``where`` names it in the error.

        Raises:
            DatasetError: If its id was used before or is too large, or its name cannot be written as UTF-8.
        """
        extras = _packed(image.extras)
        row = (image.file_name, image.size.height, image.size.width, image.video, image.frame, extras)
        self._insert(_INSERT_IMAGE, where, image.id, *row)

    def add_object(self, item: ObjectRecord, image_id: int, where: str) -> None:
        """Keep an object; its run lengths are as large as its image; ``where`` names it in the error.

        Raises:
            DatasetError: If its id was used before or is too large.
        """
        drawn = (item.rings, item.box, item.area, item.is_box) if item.rings or item.box else None
        packed = None if drawn is None else marshal.dumps(drawn), _packed(item.extras)
        row = (image_id, item.category_id, item.rle["counts"], item.score, item.is_crowd, item.track_id, *packed)
        self._insert(_INSERT_OBJECT, where, item.id, *row)

    def image_size(self, image_id: int) -> Size | None:
        """Return the size of an image added before, or None."""
        row = self._database.execute("SELECT height, width FROM images WHERE id = ?", (image_id,)).fetchone()
        return None if row is None else Size(*row)

    def has_object(self, object_id: int) -> bool:
        """Whether an object of this id was added before."""
        return self._database.execute("SELECT 1 FROM objects WHERE id = ?", (object_id,)).fetchone() is not None

    def free_object_id(self) -> int:
        """Return the number after the highest id of all objects."""
        return int(self._database.execute("SELECT coalesce(max(id), 0) + 1 FROM objects").fetchone()[0])

    def image_count(self) -> int:
        """Return how many images were added."""
        return int(self._database.execute("SELECT count(*) FROM images").fetchone()[0])

    def take_unknown_categories(self, known: Collection[int]) -> Iterator[tuple[int, int]]:
        """Remove objects of categories that are not among the known; yield (object id, category id)."""
        pairs = self._database.execute("SELECT id, category_id FROM objects ORDER BY place")
        unknown = [pair for pair in pairs if pair[1] not in known]
        self._database.executemany("DELETE FROM objects WHERE id = ?", [(pair[0],) for pair in unknown])
        yield from unknown

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return self._images("place")

    def by_video(self) -> Iterator[AnnotatedImage]:
        """Yield the frames of one video after those of another, in the order of their numbers."""
        return self._images("video, frame, place")

    def _images(self, order: str) -> Iterator[AnnotatedImage]:
        self._database.execute(_INDEX)  # made once, when all objects are in: faster than growing it with each
        for image_id, file_name, height, width, video, frame, extras in self._database.execute(_IMAGES + order):
            image = ImageRecord(image_id, file_name, Size(height, width), video, frame, _unpacked(extras))
            yield AnnotatedImage(image, tuple(self._objects(image)))

    def _objects(self, image: ImageRecord) -> Iterator[ObjectRecord]:
        size = [image.size.height, image.size.width]
        for object_id, category_id, counts, score, is_crowd, track_id, drawn, extras in self._database.execute(
            _OBJECTS, (image.id,)
        ):
            rle: Rle = {"size": size, "counts": counts}
            rings, box, area, is_box = ((), None, None, False) if drawn is None else marshal.loads(drawn)
            known = (object_id, category_id, rle, score, bool(is_crowd), track_id)
            yield ObjectRecord(*known, rings, box, area, is_box, _unpacked(extras))

    def _insert(self, statement: str, where: str, record_id: int, *row: object) -> None:
        try:
            self._database.execute(statement, (record_id, self._next_place, *row))
        except sqlite3.IntegrityError:
            raise DatasetError(f"{where}: the id {record_id} is used twice, wanted unique ids") from None
        except OverflowError:
            raise DatasetError(f"{where}: the id {record_id} is too large, wanted at most {MAX_ID}") from None
        except UnicodeEncodeError as error:  # half of a surrogate pair, as JSON and paths may hold
            where = where.encode(errors="backslashreplace").decode()
            raise DatasetError(f"{where}: the name {error.object!r:.80} is no valid text") from None
        self._next_place += 1


def _packed(extras: Mapping[str, Any]) -> bytes | None:
    """JSON fields as Python's own bytes: faster than JSON, and only this process reads them."""
    return marshal.dumps(dict(extras)) if extras else None


def _unpacked(extras: bytes | None) -> dict[str, Any]:
    return {} if extras is None else marshal.loads(extras)
