"""Learns from what people accept: by itself at 10, 20, 40, 80, ... objects of a project, or when asked to.

One project after the other, in a process of the lowest priority, so that nobody's click waits for it.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clickmask.decoder import ClickMaskError
from clickmask.decoder.learning import (
    FIRST_TRY,
    AcceptedObject,
    LearningJob,
    LearningProcess,
    Outcome,
    Versions,
    is_due,
)
from clickmask.plugin.learning.learned import LearnedEngines
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.work import Work

_STEPS = 100

MakeJob = Callable[[Project, Versions, tuple[AcceptedObject, ...]], LearningJob]
ReadObjects = Callable[[Project, Path], list[AcceptedObject]]

_log = logging.getLogger(__name__)


@dataclass
class _Running:
    """The project that is being learned from."""

    project: Project
    process: LearningProcess | None = None
    share: float = 0.0


class Learner:
    """The learning of one backend; any number of threads may tell it of accepted objects.

    Args:
        learned: Where what is learned is used.
        count: How many answers were accepted in the project of an id.
        find: Gives a project by its id.
        read: Gives a project's accepted objects, their pictures' files laid into a folder.
        make_job: What a process is to do.
    """

    def __init__(
        self,
        learned: LearnedEngines,
        count: Callable[[str], int],
        find: Callable[[str], Project],
        read: ReadObjects,
        make_job: MakeJob,
    ) -> None:
        self._learned = learned
        self._count = count
        self._find = find
        self._read = read
        self._make_job = make_job
        self._pool = ThreadPoolExecutor(1, "learn")
        self._lock = threading.Lock()
        self._waiting: dict[str, Project] = {}
        self._running: _Running | None = None
        self._tried: dict[str, int] = {}  # project -> objects there were at the last try
        self._closed = threading.Event()
        self.outcomes: Counter[str] = Counter()  # "used", "not used" and "failed" -> how often, for the metrics
        self.objects = 0  # learned from since the start
        self.seconds = 0.0  # spent on it
        self.last: dict[str, str] = {}  # project -> what came of it, in words

    def accepted(self, project: str) -> None:
        """Something was accepted: learn from the project if it is time."""
        versions = self._learned.versions(project)
        if versions is None:
            return
        before = self._tried.get(project)
        if before is None:
            last = versions.state().last
            before = 0 if last is None else last.objects
        if is_due(self._count(project), before):
            self.start(project)

    def start(self, project: str) -> str:
        """Learn from a project as soon as it is its turn; return what to tell whoever asked."""
        if self._learned.versions(project) is None:
            return "this backend does not learn (--no-learning, or --engine); accepted answers are recorded"
        count = self._count(project)
        if count < FIRST_TRY:
            return f"{count} accepted answers teach too little, wanted at least {FIRST_TRY}; they are recorded"
        with self._lock:
            self._tried[project] = count
            if project not in self._waiting and not self._closed.is_set():
                self._waiting[project] = self._find(project)
                self._pool.submit(self._turn, project)
        return f"learning from {count} accepted answers in the background; the status page tells what comes of it"

    def waiting(self) -> int:
        """How many projects wait for their turn, or are being learned from."""
        return len(self._waiting)

    def work(self) -> list[Work]:
        """The project that is being learned from, and those that wait, for a person."""
        running = self._running
        return [self._work(project, running) for project in list(self._waiting.values())]

    def close(self) -> None:
        """Learn no more; what is being learned is dropped."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._cancel_running()

    def _work(self, project: Project, running: _Running | None) -> Work:
        is_running = running is not None and running.project.id == project.id
        done = round(_STEPS * running.share) if running is not None and is_running else 0
        what = f"learning from project {project.number or project.id}"
        return Work(
            f"learning-{project.id}", what, done, _STEPS if is_running else 0, partial(self._cancel, project.id)
        )

    def _cancel(self, project: str) -> None:
        self._waiting.pop(project, None)
        if self._running is not None and self._running.project.id == project:
            self._cancel_running()

    def _cancel_running(self) -> None:
        running = self._running
        if running is not None and running.process is not None:
            running.process.cancel()

    def _turn(self, name: str) -> None:
        """Learn from one project; whatever goes wrong, what it used before is used on."""
        project = self._waiting.get(name)
        if project is None or self._closed.is_set():
            return
        running = self._running = _Running(project)
        try:
            self._tell(name, self._learn(running))
        except (ClickMaskError, OSError) as error:
            self.outcomes["failed"] += 1
            self.last[name] = str(error)
            _log.warning("project %s: %s", project.number or name, error)
        except Exception:
            self.outcomes["failed"] += 1
            self.last[name] = "learning failed inside the backend; its log tells why"
            _log.exception("learning from project %s failed", project.number or name)
        finally:
            self._running = None
            self._waiting.pop(name, None)

    def _learn(self, running: _Running) -> Outcome:
        project = running.project
        versions = self._learned.versions(project.id)
        assert versions is not None, "a project is queued only where something is learned"
        with tempfile.TemporaryDirectory(prefix="clickmask-learning-") as folder:
            objects = self._read(project, Path(folder))
            running.process = LearningProcess(self._make_job(project, versions, tuple(objects)))
            if self._closed.is_set() or project.id not in self._waiting:
                running.process.cancel()

            def progress(share: float) -> None:
                running.share = share

            return running.process.outcome(progress)

    def _tell(self, name: str, outcome: Outcome) -> None:
        self.outcomes["used" if outcome.is_used else "not used"] += 1
        self.objects += outcome.objects
        self.seconds += outcome.seconds
        self.last[name] = outcome.sentence
        _log.info("project %s: %s", name.partition(".")[0], outcome.sentence)
