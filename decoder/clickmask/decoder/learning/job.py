"""Learning in a process of its own, at the lowest priority: what is to be learned as a file, what comes of it as lines.

Needs no PyTorch: whoever serves people starts the process and reads its lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from clickmask.decoder.errors import LearningError
from clickmask.decoder.learning.outcome import Outcome
from clickmask.decoder.models import Precision
from clickmask.decoder.shapes.rle import Rle

PROGRAM = "clickmask.decoder.learning"
FIRST_TRY = 10  # accepted objects; then at twice as many, and so on


@dataclass(frozen=True, slots=True)
class AcceptedObject:
    """An object to learn from.

    Args:
        key: Names it, for ever.
        image_key: Names its picture; equal keys are equal pixels.
        file: Of the picture.
        rle: Its mask as COCO's compressed run lengths.
        points: What the person clicked on it, (x, y) [px].
    """

    key: str
    image_key: str
    file: Path
    rle: Rle
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class LearningJob:
    """All that a process needs to learn.

    Args:
        folder: Where the project's versions are kept.
        project: The project's name.
        objects: Everything accepted, oldest first.
        model: As for ``load_model``, and so the next three.
        store: Folder of embeddings on disk, so that nothing is encoded again; None: there is none.
    """

    folder: Path
    project: str
    objects: tuple[AcceptedObject, ...]
    model: str
    device: str = "cpu"
    precision: Precision = "float32"
    image_side: int | None = None
    store: Path | None = None

    def as_json(self) -> str:
        """For a file."""
        return json.dumps(asdict(self), default=str)


def read_job(text: str) -> LearningJob:
    """What ``as_json`` gave."""
    found = json.loads(text)
    objects = tuple(
        AcceptedObject(
            one["key"], one["image_key"], Path(one["file"]), one["rle"], tuple((x, y) for x, y in one["points"])
        )
        for one in found.pop("objects")
    )
    store = found.pop("store")
    return LearningJob(
        **{**found, "folder": Path(found["folder"])}, objects=objects, store=None if store is None else Path(store)
    )


class LearningProcess:
    """A process that learns; its end is waited for by ``outcome``.

    Raises:
        LearningError: If it cannot be started.
    """

    def __init__(self, job: LearningJob) -> None:
        self._last_words: list[str] = []
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        try:
            with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, encoding="utf-8") as file:
                self._file = Path(file.name)
                file.write(job.as_json())
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM, str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                encoding="utf-8",
            )
        except OSError as error:
            self._errors.close()
            raise LearningError(f"learning cannot be started: {error}") from error

    def outcome(self, progress: Callable[[float], None]) -> Outcome:
        """Wait for what came of it.

        Args:
            progress: Told the share done, in (0, 1].

        Raises:
            LearningError: Why nothing was learned, also where the process died; what was used before is used on.
        """
        try:
            for line in self._lines():
                if "done" in line:
                    progress(float(line["done"]))
                elif "outcome" in line:
                    return Outcome.from_json(line["outcome"])
                elif "error" in line:
                    raise LearningError(str(line["error"]))
        finally:
            self._end()
        raise LearningError(
            f"learning was broken off, everything stays as it was: {' '.join(self._last_words) or 'no reason told'}"
        )

    def cancel(self) -> None:
        """End it; nothing of it is kept."""
        self._process.kill()

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found

    def _end(self) -> None:
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._file.unlink(missing_ok=True)
        self._errors.seek(0)
        self._last_words = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        self._errors.close()


def is_due(accepted: int, tried_at: int) -> bool:
    """Whether it is time to learn again: at 10 accepted objects, then at 20, 40, 80 and so on.

    Args:
        accepted: Objects there are now.
        tried_at: Objects there were at the last try; 0: there was none.

    Example:
        >>> [is_due(9, 0), is_due(10, 0), is_due(19, 10), is_due(25, 10), is_due(39, 25), is_due(40, 25)]
        [False, True, False, True, False, True]
    """
    due = FIRST_TRY
    while due <= tried_at:
        due *= 2
    return accepted >= due
