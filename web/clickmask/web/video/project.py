"""One video's work in SQLite: objects, what a person pointed at, where the objects were found, every change.

Prompts and objects are changed under a revision number, like the labels of a picture: who was
slower is told. Tracks are written as they come and never refused; those that a newer prompt
made outdated are known by their basis.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clickmask.decoder import DatasetError
from clickmask.web.database import Database
from clickmask.web.errors import ConflictError
from clickmask.web.video.records import Found, FramePrompt, Passed, Track, VideoFacts, VideoObject, prompt_message

FORMAT = 1
SCHEMA = """
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE object (id INTEGER PRIMARY KEY, name TEXT NOT NULL, removed INTEGER NOT NULL);
CREATE TABLE prompt (
    frame INTEGER NOT NULL, object INTEGER NOT NULL REFERENCES object(id), said TEXT NOT NULL,
    counts TEXT NOT NULL, confidence REAL NOT NULL, present INTEGER NOT NULL, PRIMARY KEY (frame, object)
) WITHOUT ROWID;
CREATE TABLE track (
    frame INTEGER NOT NULL, object INTEGER NOT NULL REFERENCES object(id), counts TEXT NOT NULL,
    confidence REAL NOT NULL, present INTEGER NOT NULL, direction INTEGER NOT NULL, basis TEXT NOT NULL,
    PRIMARY KEY (frame, object)
) WITHOUT ROWID;
CREATE INDEX passed ON track(object, frame, confidence, present, direction, basis);
CREATE TABLE history (revision INTEGER PRIMARY KEY, time REAL NOT NULL, change TEXT NOT NULL);
"""


class VideoStore:
    """The open project file of one video; any number of threads and processes may share it.

    Args:
        file: The SQLite file; made when missing.
        facts: Of the video, to notice when another video takes its place; None trusts the file.

    Raises:
        DatasetError: If the file cannot be used, or was made for another video.
    """

    def __init__(self, file: Path, facts: VideoFacts | None = None) -> None:
        self.file = file
        self.database = Database(file, SCHEMA, FORMAT)
        self._transaction, self._rows = self.database.transaction, self.database.rows
        if facts is not None:
            self._check(facts)

    def _check(self, facts: VideoFacts) -> None:
        known = self._rows("SELECT value FROM memory WHERE key = 'video'")
        if not known:
            with self._transaction() as database:
                database.execute("INSERT OR IGNORE INTO memory VALUES ('video', ?)", (json.dumps(asdict(facts)),))
            return
        was = VideoFacts(**json.loads(known[0][0]))
        if was != facts:
            self.close()
            raise DatasetError(
                f"the video was replaced: it is {facts.width}x{facts.height} with {facts.frames} frames, and was "
                f"{was.width}x{was.height} with {was.frames} when {self.file} was made; move that file away to begin "
                "again"
            )

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    @property
    def revision(self) -> int:
        """How often objects or prompts were changed."""
        (found,) = self._rows("SELECT coalesce(max(revision), 0) FROM history")
        return int(found[0])

    # objects and prompts

    def objects(self) -> list[VideoObject]:
        """All objects, removed ones too, by id."""
        return [
            VideoObject(key, name, bool(gone)) for key, name, gone in self._rows("SELECT * FROM object ORDER BY id")
        ]

    def prompts(self) -> dict[int, dict[int, FramePrompt]]:
        """By object and frame; those of removed objects are left out."""
        rows = self._rows(
            "SELECT object, frame, said FROM prompt JOIN object ON id = object WHERE NOT removed ORDER BY object, frame"
        )
        found: dict[int, dict[int, FramePrompt]] = {}
        for key, frame, said in rows:
            found.setdefault(key, {})[frame] = _prompt(json.loads(said))
        return found

    def write_object(self, item: VideoObject, based_on: int) -> int:
        """Add, rename, remove or bring back an object, and return the new revision.

        Raises:
            ConflictError: If anything was changed since ``based_on``.
        """
        with self._transaction() as database:
            before = next((known for known in self.objects() if known.id == item.id), None)
            change = {"object": item.id, "before": before and asdict(before), "after": asdict(item)}
            revision = self._record(database, based_on, change)
            _put_object(database, item)
        return revision

    def write_prompt(
        self, object_id: int, frame: int, prompt: FramePrompt | None, found: Found | None, based_on: int
    ) -> int:
        """Set or clear what is said about an object on a frame, and return the new revision.

        An object that does not exist is made.

        Raises:
            ConflictError: If anything was changed since ``based_on``.
        """
        with self._transaction() as database:
            before = self.prompts().get(object_id, {}).get(frame)
            is_new = all(item.id != object_id for item in self.objects())
            change = {
                "object": object_id,
                "frame": frame,
                "is_new": is_new,
                "before": prompt_message(before),
                "after": prompt_message(prompt),
            }
            revision = self._record(database, based_on, change)
            if is_new:
                _put_object(database, VideoObject(object_id, "object"))
            database.execute("DELETE FROM prompt WHERE object = ? AND frame = ?", (object_id, frame))
            if prompt is not None and found is not None:
                said = json.dumps(prompt_message(prompt))
                values = (frame, object_id, said, found.counts, found.confidence, found.present)
                database.execute("INSERT INTO prompt VALUES (?, ?, ?, ?, ?, ?)", values)
        return revision

    def _record(self, database: sqlite3.Connection, based_on: int, change: Mapping[str, Any]) -> int:
        if self.revision != based_on:
            raise ConflictError(f"the video was changed elsewhere: got revision {based_on}, it is at {self.revision}")
        database.execute("INSERT INTO history VALUES (?, ?, ?)", (based_on + 1, time.time(), json.dumps(change)))
        return based_on + 1

    def history(self, *, last: int = 50) -> list[dict[str, Any]]:
        """The latest changes, oldest first."""
        rows = self._rows("SELECT change FROM history ORDER BY revision DESC LIMIT ?", (last,))
        return [json.loads(text) for (text,) in reversed(rows)]

    # tracks

    def write_tracks(self, tracks: Sequence[Track]) -> None:
        """Keep where objects were found, in place of earlier tracks on those frames."""
        values = [
            (t.frame, t.object, t.found.counts, t.found.confidence, t.found.present, t.direction, t.basis)
            for t in tracks
        ]
        with self._transaction() as database:
            database.executemany("INSERT OR REPLACE INTO track VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def passed(self, object_id: int) -> list[Passed]:
        """Every track of an object, by frame."""
        query = "SELECT frame, confidence, present, direction, basis FROM track WHERE object = ? ORDER BY frame"
        return [
            Passed(frame, confidence, bool(present), direction, basis)
            for frame, confidence, present, direction, basis in self._rows(query, (object_id,))
        ]

    def tracked(self, object_id: int, frame: int) -> Found | None:
        """Where an object was followed to on a frame, whatever a person said there."""
        query = "SELECT counts, confidence, present FROM track WHERE object = ? AND frame = ?"
        rows = self._rows(query, (object_id, frame))
        return _found(*rows[0]) if rows else None

    def answers(self, object_id: int) -> dict[int, Found]:
        """What the prompts of an object were answered with, by frame."""
        rows = self._rows("SELECT frame, counts, confidence, present FROM prompt WHERE object = ?", (object_id,))
        return {frame: _found(*rest) for frame, *rest in rows}

    def found(self, frames: range) -> Iterator[tuple[int, int, Found, bool]]:
        """Yield (frame, object, where, whether a person pointed there), in order; removed objects are left out."""
        query = """
            SELECT frame, object, counts, confidence, present, prompted FROM (
                SELECT frame, object, counts, confidence, present, 1 AS prompted FROM prompt
                WHERE frame BETWEEN ?1 AND ?2
                UNION ALL
                SELECT frame, object, counts, confidence, present, 0 FROM track
                WHERE frame BETWEEN ?1 AND ?2
                AND NOT EXISTS (SELECT 1 FROM prompt WHERE prompt.frame = track.frame AND prompt.object = track.object)
            ) JOIN object ON id = object WHERE NOT removed ORDER BY frame, object
        """
        if not len(frames):
            return
        rows = self._rows(query, (frames[0], frames[-1]))
        for frame, object_id, counts, confidence, present, prompted in rows:
            yield frame, object_id, _found(counts, confidence, present), bool(prompted)

    def tracked_frames(self) -> list[int]:
        """Every frame on which something is known about an object, in order."""
        query = """
            SELECT frame FROM track JOIN object ON id = object WHERE NOT removed
            UNION SELECT frame FROM prompt JOIN object ON id = object WHERE NOT removed ORDER BY frame
        """
        return [frame for (frame,) in self._rows(query)]


def is_begun(file: Path) -> bool:
    """Whether a project file has an object; False if there is no such file, or it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            return database.execute("SELECT 1 FROM object WHERE NOT removed LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return False


def _put_object(database: sqlite3.Connection, item: VideoObject) -> None:
    if not item.name.strip():
        raise DatasetError("the name is empty, wanted what the object is")
    database.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", (item.id, item.name.strip(), item.removed))


def _found(counts: str, confidence: float, present: int) -> Found:
    return Found(counts, confidence, bool(present))


def _prompt(said: Mapping[str, Any]) -> FramePrompt:
    points = tuple((float(x), float(y), bool(positive)) for x, y, positive in said["points"])
    x0, y0, x1, y1 = said["box"] or (0.0, 0.0, 0.0, 0.0)
    return FramePrompt(points, (x0, y0, x1, y1) if said["box"] else None, bool(said["absent"]))
