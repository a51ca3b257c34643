"""What must survive a restart: connected projects, answered prompts, and what people accepted.

One SQLite file in WAL mode. A row is written before the request that brought it is answered,
so a process that dies loses nothing it confirmed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clickmask.plugin.clicks.prompts import objects, with_labels
from clickmask.plugin.clicks.segmenter import Segment
from clickmask.plugin.errors import RecordsError

KEPT_PROJECTS = 1_000  # those that introduced themselves last; Label Studio introduces a project at each visit
KEPT_ANSWERS = 100_000  # answers nobody accepted; older ones are dropped

_TABLES = """
CREATE TABLE IF NOT EXISTS projects (
    id TEXT PRIMARY KEY, hostname TEXT NOT NULL, options TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, region TEXT NOT NULL UNIQUE, image_key TEXT NOT NULL, prompt TEXT NOT NULL,
    model_version TEXT NOT NULL, score REAL NOT NULL);
CREATE TABLE IF NOT EXISTS annotations (
    project TEXT NOT NULL, id INTEGER NOT NULL, task INTEGER, data TEXT NOT NULL, time REAL NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (project, id));
CREATE TABLE IF NOT EXISTS regions (
    project TEXT NOT NULL, annotation INTEGER NOT NULL, region TEXT NOT NULL, image_key TEXT, prompt TEXT,
    model_version TEXT);
CREATE INDEX IF NOT EXISTS regions_by_annotation ON regions (project, annotation);
"""


class Records:
    """The records of one backend; any number of threads may use them.

    Args:
        path: The SQLite file; made, with its folder, if missing.

    Raises:
        RecordsError: By every method, if the file cannot be opened, read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(path, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise RecordsError(f"the records in {path} cannot be opened: {error}") from error
        with self._transaction() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.executescript(_TABLES)

    def remember_project(self, project: str, hostname: str, extra_params: object) -> None:
        """Keep where a project lives and what it wants; never its token."""
        with self._transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO projects VALUES (?, ?, ?)", (project, hostname, json.dumps(extra_params))
            )
            database.execute(
                "DELETE FROM projects WHERE rowid <= (SELECT MAX(rowid) FROM projects) - ?", (KEPT_PROJECTS,)
            )

    def project(self, project: str) -> tuple[str, Any] | None:
        """A project's host name and extra params, or None."""
        with self._transaction() as database:
            row = database.execute("SELECT hostname, options FROM projects WHERE id = ?", (project,)).fetchone()
        return None if row is None else (row[0], json.loads(row[1]))

    def answered(self, segment: Segment, model_version: str) -> None:
        """Keep which prompt each region came from, in case the region is accepted."""
        prompt = json.dumps(_prompt_fields(segment))
        ids = dict.fromkeys(item["id"] for item in segment.regions)  # a region and its <Labels> item share one
        rows = [(region, segment.image_key, prompt, model_version, segment.score) for region in ids]
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO answers (region, image_key, prompt, model_version, score) VALUES (?, ?, ?, ?, ?)", rows
            )
            database.execute(
                "DELETE FROM answers WHERE number <= (SELECT MAX(number) FROM answers) - ?", (KEPT_ANSWERS,)
            )

    def accepted(self, project: str, task: Mapping[str, Any], annotation: Mapping[str, Any]) -> int:
        """Keep an annotation as it is now: the task's data, every region, and the prompts of ours.

        One that was skipped is kept, and is no example.

        Args:
            project: The project's number and time of creation.
            task: The annotation's task.
            annotation: As Label Studio sends it.

        Returns:
            How many of its regions are answers of this backend.
        """
        key = (project, int(annotation["id"]))
        items = objects(annotation.get("result"))
        regions = [with_labels(item, items) for item in items if item.get("type") != "labels"]
        with self._transaction() as database:
            database.execute("DELETE FROM regions WHERE project = ? AND annotation = ?", key)
            database.execute(
                "INSERT OR REPLACE INTO annotations (project, id, task, data, time, deleted) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *key,
                    task.get("id"),
                    json.dumps(task.get("data") or {}),
                    time.time(),
                    bool(annotation.get("was_cancelled")),
                ),
            )
            found = [self._origin(item) for item in regions]
            database.executemany(
                "INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?)",
                [(*key, json.dumps(item), *origin) for item, origin in zip(regions, found, strict=True)],
            )
        return sum(origin[0] is not None for origin in found)

    def deleted(self, project: str, annotations: list[int]) -> None:
        """Mark annotations as deleted on Label Studio; what was learned from them stays readable."""
        with self._transaction() as database:
            database.executemany(
                "UPDATE annotations SET deleted = 1 WHERE project = ? AND id = ?",
                [(project, annotation) for annotation in annotations],
            )

    def count_examples(self, project: str) -> int:
        """How many regions of ours were accepted in a project, and are not deleted."""
        with self._transaction() as database:
            row = database.execute(
                "SELECT COUNT(*) FROM regions r JOIN annotations a ON a.project = r.project AND a.id = r.annotation "
                "WHERE r.prompt IS NOT NULL AND NOT a.deleted AND r.project = ?",
                (project,),
            ).fetchone()
        return int(row[0])

    def examples(self, project: str | None = None) -> Iterator[dict[str, Any]]:
        """Every accepted region of ours: the task's data, the image's key, the region and its prompt.

        Args:
            project: Of this one only, oldest annotation first; None: of all.
        """
        with self._transaction() as database:
            rows = database.execute(
                "SELECT a.project, a.task, a.id, a.data, r.image_key, r.region, r.prompt, r.model_version "
                "FROM regions r JOIN annotations a ON a.project = r.project AND a.id = r.annotation "
                "WHERE r.prompt IS NOT NULL AND NOT a.deleted AND (?1 IS NULL OR a.project = ?1) "
                "ORDER BY a.project, a.id, r.rowid",
                (project,),
            ).fetchall()
        for project, task, annotation, data, image_key, region, prompt, model_version in rows:
            yield {
                "project": project,
                "task": task,
                "annotation": annotation,
                "data": json.loads(data),
                "image_key": image_key,
                "region": json.loads(region),
                "prompt": json.loads(prompt),
                "model_version": model_version,
            }

    def accepted_state(self, project: str) -> tuple[int, float]:
        """What changes whenever an annotation of a project is accepted, changed or deleted."""
        with self._transaction() as database:
            row = database.execute(
                "SELECT COUNT(*), COALESCE(MAX(time), 0) FROM annotations WHERE project = ? AND NOT deleted", (project,)
            ).fetchone()
        return int(row[0]), float(row[1])

    def accepted_regions(self, project: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """The data of its task and each accepted region of a project, whoever made it, the latest first."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT a.data, r.region FROM regions r JOIN annotations a ON a.project = r.project AND a.id = "
                "r.annotation WHERE a.project = ? AND NOT a.deleted ORDER BY a.time DESC, r.rowid",
                (project,),
            ).fetchall()
        for data, region in rows:
            yield json.loads(data), json.loads(region)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """The database for one thread: all that is done in the block is kept, or nothing of it."""
        with self._lock:
            try:
                with self._database:
                    yield self._database
            except (sqlite3.Error, UnicodeEncodeError) as error:  # half a character fits into JSON, not into SQLite
                raise RecordsError(f"the records in {self._path} cannot be used: {error}") from error

    def _origin(self, region: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
        """Image key, prompt and model version of a region this backend answered."""
        row = self._database.execute(
            "SELECT image_key, prompt, model_version FROM answers WHERE region = ?", (str(region.get("id", "")),)
        ).fetchone()
        return row or (None, None, None)


def _prompt_fields(segment: Segment) -> dict[str, Any]:
    """The prompt as JSON, in pixels; of a mask prompt only that there was one."""
    prompt = segment.prompt
    return {
        "points": [asdict(point) for point in prompt.points],
        "box_xyxy": None if prompt.box is None else prompt.box.xyxy,
        "mask": prompt.mask_logits is not None or prompt.mask is not None,
    }
