"""Segments where nobody clicked: from boxes, points and outlines a task already has, or of everything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from clickmask.decoder import ClickMaskError, chance_all_good
from clickmask.plugin.clicks.like_these import LikeThese, annotated_masks
from clickmask.plugin.clicks.prompts import RegionPrompt, objects, prompt_from_region, with_labels
from clickmask.plugin.clicks.segmenter import Segmenter, Task
from clickmask.plugin.priority import ClickPriority
from clickmask.plugin.projects.label_config import LabelConfig
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.protocol.replies import JsonObject, PendingReply, Prediction, Reply, prediction, unprompted_reply
from clickmask.plugin.work import Work

MOST_PROMPTS = 200  # per task
_AT_ONCE = 3  # one task is decoded while the next is encoded and another fetched

_Found = tuple[list[JsonObject], list[float]]  # regions, and the score of each object

_log = logging.getLogger(__name__)


class Prelabeler:
    """Answers tasks without a person's prompt; people who click come first.

    Args:
        segmenter: Answers prompts.
        like_these: Knows what is accepted in a project.
        priority: Who waits for an answer.
        seconds: How long a request for many tasks is worked on; then it is answered with what is done [s].
    """

    def __init__(self, segmenter: Segmenter, like_these: LikeThese, priority: ClickPriority, seconds: float) -> None:
        self._segmenter = segmenter
        self._like_these = like_these
        self._priority = priority
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(_AT_ONCE, "prelabel")
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._left = 0
        self._requests: dict[int, _Request] = {}

    def answer(
        self, tasks: Sequence[Task], config: LabelConfig, project: Project, version: str
    ) -> Reply | PendingReply:
        """Answer a request without context.

        A single task is most likely being opened by a person who waits for the page, so it is answered only from
        what is ready. Several are "Retrieve predictions": they are worked through, and what is not done in time
        is answered with nothing; Label Studio asks for those tasks the next time.
        """
        if project.options.prelabel == "off":
            return unprompted_reply([[] for _ in tasks])
        if len(tasks) == 1:
            known = self._is_known(tasks[0], config, project)
            one = self.prediction(tasks[0], config, project, version) if known else None
            return unprompted_reply([one if one is not None and one["result"] else []])
        over = threading.Event()
        work = partial(self._prediction_unless, over, config=config, project=project, version=version)
        futures = [self._submit(work, task) for task in tasks]
        self._requests[id(futures)] = _Request(project.number, futures, over)
        return PendingReply(futures, partial(_done_so_far, futures, over), self._seconds)

    def prediction(self, task: Task, config: LabelConfig, project: Project, version: str) -> JsonObject:
        """Segment one task; a task that fails gets what was found before and a line in the log."""
        return self._prediction_unless(threading.Event(), task, config, project, version)

    def whole_prediction(self, task: Task, config: LabelConfig, project: Project, version: str) -> JsonObject:
        """Segment one task, all of it.

        Raises:
            ClickMaskError: If something of it cannot be segmented.
        """
        found = list(self._segments(threading.Event(), task, config, project))
        return _prediction_of(found, version)

    def work(self) -> list[Work]:
        """The requests for many tasks that are being worked on."""
        for key, request in list(self._requests.items()):
            if all(future.done() for future in request.futures):
                self._requests.pop(key, None)
        return [request.work() for request in list(self._requests.values())]

    def waiting(self) -> int:
        """How many tasks wait to be segmented, or are at work."""
        with self._lock:
            return self._left

    def close(self) -> None:
        """Take no more tasks; those at work are finished in the background."""
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[[Task], JsonObject], task: Task) -> Future[JsonObject]:
        with self._lock:
            self._left += 1
        future = self._pool.submit(work, task)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _: Future[JsonObject]) -> None:
        with self._lock:
            self._left -= 1

    def _is_known(self, task: Task, config: LabelConfig, project: Project) -> bool:
        """Whether a task can be answered while a person waits for the page."""
        prompts = existing_prompts(task, config, project)
        return bool(prompts) and self._segmenter.is_prepared(task, config, project)

    def _prediction_unless(
        self, over: threading.Event, task: Task, config: LabelConfig, project: Project, version: str
    ) -> JsonObject:
        """Segment one task, unless the time is over before its next prompt."""
        found: list[_Found] = []
        try:
            found.extend(self._segments(over, task, config, project))
        except ClickMaskError as error:
            _log.warning("task %s: %s", task.get("id"), error)
        if over.is_set() or self._closed.is_set():
            return prediction([], 0.0, version)
        return _prediction_of(found, version)

    def _segments(self, over: threading.Event, task: Task, config: LabelConfig, project: Project) -> Iterator[_Found]:
        """The regions and scores of each prompt, or of what nobody pointed at, until the time is over."""
        prompts = existing_prompts(task, config, project)
        for prompt in prompts:
            self._priority.give_way()
            if over.is_set() or self._closed.is_set():
                return
            segment = self._segmenter.segment(task, prompt, config, project)
            yield segment.regions, [segment.score]
        if prompts:
            return
        self._priority.give_way()
        if project.options.prelabel == "everything":
            yield self._segmenter.everything(task, config, project)
        elif project.options.prelabel == "like these":
            kinds = self._like_these.kinds(config, project)
            yield self._segmenter.similar(task, kinds, annotated_masks(task), config, project)


def _prediction_of(found: Sequence[_Found], version: str) -> JsonObject:
    scores = [score for _, some in found for score in some]
    regions = [region for some, _ in found for region in some]
    return prediction(regions, chance_all_good(scores) if scores else 0.0, version)


@dataclass(frozen=True, eq=False, slots=True)
class _Request:
    """One request for many tasks."""

    project: int
    futures: Sequence[Future[JsonObject]]
    over: threading.Event

    def work(self) -> Work:
        """As a person sees it."""
        done = sum(future.done() for future in self.futures)
        what = f"predictions for project {self.project or '?'}"
        return Work(f"predictions-{id(self.futures)}", what, done, len(self.futures), self.cancel)

    def cancel(self) -> None:
        """Begin no more of its tasks; it is answered with what is done."""
        self.over.set()
        for future in self.futures:
            future.cancel()


def _done_so_far(futures: Sequence[Future[JsonObject]], over: threading.Event) -> Reply:
    """What is done; nothing more is begun for this request."""
    over.set()
    found = [future.result() if future.done() and not future.cancelled() else None for future in futures]
    for future in futures:
        future.cancel()
    answers: list[Prediction] = [one if one is not None and one["result"] else [] for one in found]
    return unprompted_reply(answers, waiting=found.count(None))


def existing_prompts(task: Task, config: LabelConfig, project: Project) -> list[RegionPrompt]:
    """Find the regions of a task that can be turned into segments: those in tags that hold no answers themselves.

    Annotations count first; without any, predictions. One that holds answers already is left
    out: the points beside them are the used prompts of those answers.
    """
    config = config.of(task)
    for source in ("annotations", "predictions"):
        entries = [objects(entry.get("result")) for entry in objects(task.get(source))]
        found = [
            prompt_from_region(with_labels(item, entry))
            for entry in entries
            for item in _unanswered(entry, config, project)
        ]
        prompts = [prompt for prompt in found if prompt.says_where]
        if prompts:
            return prompts[:MOST_PROMPTS]
    return []


def _unanswered(
    regions: Sequence[Mapping[str, Any]], config: LabelConfig, project: Project
) -> Sequence[Mapping[str, Any]]:
    """The regions of one annotation that are prompts; none if it holds answers."""
    to_names = {control.to_name for control in config.controls}
    answering = {control.name for to_name in to_names for control in config.answering(to_name, project.options.answer)}
    if any(region.get("from_name") in answering for region in regions):
        return ()
    drawing = {control.name for control in config.controls}
    return [region for region in regions if region.get("from_name") in drawing]
