"""Encoding ahead: the task a person opened at once, the next ones while nobody waits for an answer."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from clickmask.decoder import ClickMaskError
from clickmask.plugin.clicks.segmenter import Segmenter, Task
from clickmask.plugin.priority import ClickPriority
from clickmask.plugin.projects.label_config import LabelConfig
from clickmask.plugin.projects.projects import Project

NextTasks = Callable[[Project, int], Sequence[Task]]  # the tasks after the one of this number

_MOST_JOBS = 32
_LAST_SECONDS = 5.0
_MOST_PROJECTS = 1_000

_log = logging.getLogger(__name__)
_Job = Callable[[], object]
_Jobs = OrderedDict[tuple[str, int], _Job]  # by project and task


class Prefetcher:
    """One thread that encodes images before they are clicked on.

    Args:
        segmenter: Encodes.
        next_tasks: Asks Label Studio what comes after a task; raises ClickMaskError if it cannot.
        tidy: Called after each image, to keep the disk within its budget.
        priority: Who waits for an answer; meanwhile no task that nobody opened is begun.
    """

    def __init__(
        self, segmenter: Segmenter, next_tasks: NextTasks, tidy: Callable[[], None], priority: ClickPriority
    ) -> None:
        self._priority = priority
        self._segmenter = segmenter
        self._next_tasks = next_tasks
        self._tidy = tidy
        self._opened: _Jobs = OrderedDict()  # newest last, and done first
        self._following: _Jobs = OrderedDict()
        self._changed = threading.Condition()
        self._last_opened: dict[str, int] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="encode ahead", daemon=True)
        self._thread.start()

    def opened(self, task: Task, config: LabelConfig, project: Project) -> None:
        """Encode this task's image if need be, and then those of the tasks after it; returns at once."""
        number = task.get("id")
        if not isinstance(number, int):
            return
        with self._changed:
            if self._last_opened.get(project.id) == number:
                return
            self._last_opened[project.id] = number
            if len(self._last_opened) > _MOST_PROJECTS:
                self._last_opened.pop(next(iter(self._last_opened)))
            self._add(self._opened, project, number, partial(self._open, task, number, config, project))

    def waiting(self) -> int:
        """How many images wait to be encoded ahead."""
        return len(self._opened) + len(self._following)

    def close(self) -> None:
        """Stop after the image at hand; one that takes long is left to itself."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(_LAST_SECONDS)

    def _open(self, task: Task, number: int, config: LabelConfig, project: Project) -> None:
        self._segmenter.prepare(task, config, project)
        following = self._next_tasks(project, number)
        with self._changed:
            for later in reversed(following):
                job = partial(self._segmenter.prepare, later, config, project)
                self._add(self._following, project, int(later["id"]), job)

    def _add(self, jobs: _Jobs, project: Project, number: int, job: _Job) -> None:
        """Put a job on top; the caller holds the lock."""
        jobs.pop((project.id, number), None)
        jobs[project.id, number] = job
        while len(jobs) > _MOST_JOBS:
            jobs.popitem(last=False)
        self._changed.notify_all()

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            try:
                job()
                self._tidy()
            except ClickMaskError as error:
                _log.info("encoding ahead: %s", error)
            except Exception:
                _log.exception("encoding ahead failed")

    def _next_job(self) -> _Job | None:
        """Wait until there is something to do and, for tasks that nobody opened, nobody waits; None when closed."""
        with self._changed:
            while not self._closed:
                if self._opened:
                    return self._opened.popitem(last=True)[1]
                rest = self._priority.seconds_to_quiet()
                if self._following and not rest:
                    return self._following.popitem(last=True)[1]
                self._changed.wait(timeout=rest if self._following else None)
            return None
