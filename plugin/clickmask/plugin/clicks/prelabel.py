"""Segments where nobody clicked: from boxes, points and outlines a task already has, or of everything."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import fmean
from typing import Any

from clickmask.decoder import ClickMaskError
from clickmask.plugin.clicks.prompts import Drawn, drawn_from, objects
from clickmask.plugin.clicks.segmenter import Segmenter, Task
from clickmask.plugin.projects.label_config import LabelConfig
from clickmask.plugin.projects.projects import Project

JsonObject = dict[str, Any]

MOST_PROMPTS = 200  # per task
_AT_ONCE = 3  # one task is decoded while the next is encoded and another fetched

_log = logging.getLogger(__name__)


class Batch:
    """Answers tasks without a person's prompt."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    def known(
        self, tasks: Sequence[Task], config: LabelConfig, project: Project, version: str
    ) -> list[JsonObject | list[JsonObject]]:
        """Answer a request without context.

        A single task is most likely being opened by a person who waits for the page, so it is
        answered only from what is ready. Several are "Retrieve predictions": all are worked through.

        Returns:
            One prediction per task, in order, and an empty list for a task without segments, so
            that Label Studio stores nothing for it; an empty list if there is nothing to tell at all.
        """
        if project.options.prelabel == "off":
            return []
        if len(tasks) == 1 and not (
            existing_prompts(tasks[0], config, project) and self._segmenter.is_prepared(tasks[0], config, project)
        ):
            return []
        answers: list[JsonObject | list[JsonObject]] = [
            prediction if prediction["result"] else []
            for prediction in self.predictions(tasks, config, project, version)
        ]
        return answers if any(answers) else []

    def predictions(
        self, tasks: Sequence[Task], config: LabelConfig, project: Project, version: str
    ) -> Iterator[JsonObject]:
        """Segment many tasks, several at a time; one prediction per task, in order."""
        with ThreadPoolExecutor(_AT_ONCE, "batch") as pool:
            yield from pool.map(partial(self.prediction, config=config, project=project, version=version), tasks)

    def prediction(self, task: Task, config: LabelConfig, project: Project, version: str) -> JsonObject:
        """Segment one task; a task that fails gets an empty result and a line in the log."""
        regions: list[JsonObject] = []
        scores: list[float] = []
        try:
            for drawn in existing_prompts(task, config, project):
                segment = self._segmenter.segment(task, drawn, config, project)
                regions += segment.regions
                scores.append(segment.score)
            if not scores and project.options.prelabel == "everything":
                regions, scores = self._segmenter.everything(task, config, project)
        except ClickMaskError as error:
            _log.warning("task %s: %s", task.get("id"), error)
        return {"model_version": version, "score": fmean(scores) if scores else 0.0, "result": regions}


def existing_prompts(task: Task, config: LabelConfig, project: Project) -> list[Drawn]:
    """The regions of a task that can be turned into segments: those in tags that hold no answers themselves.

    Annotations count first; without any, predictions. One that holds answers already is left
    out: the points beside them are the used prompts of those answers.
    """
    config = config.of(task)
    for source in ("annotations", "predictions"):
        entries = [objects(entry.get("result")) for entry in objects(task.get(source))]
        found = [drawn_from(item) for entry in entries for item in _unanswered(entry, config, project)]
        if found:
            return found[:MOST_PROMPTS]
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
