"""Label Studio's requests as plain method calls: JSON bodies in, JSON bodies out.

Knows nothing about HTTP: the server (``plugin/app.py``) and the adapter for the official
runner call the same object. Any number of threads may.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from clickmask.plugin.clicks.prefetch import Ahead
from clickmask.plugin.clicks.prelabel import Batch
from clickmask.plugin.clicks.prompts import read_prompt
from clickmask.plugin.clicks.segmenter import Segment, Segmenter
from clickmask.plugin.engines import Engines
from clickmask.plugin.errors import RecordsError
from clickmask.plugin.projects.label_config import LabelConfig, read_label_config
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.protocol.replies import JsonObject, Later, Reply
from clickmask.plugin.protocol.requests import PredictRequest, read_predict, read_setup
from clickmask.plugin.records.records import Records
from clickmask.plugin.records.webhooks import record_event
from clickmask.plugin.registry import ProjectBook
from clickmask.plugin.tracking.answers import VideoAnswers
from clickmask.plugin.tracking.queue import Lane

_log = logging.getLogger(__name__)


class Predictor:
    """The backend behind every way of serving it; made by ``clickmask.plugin.build.build_backend``."""

    def __init__(
        self,
        engines: Engines,
        segmenter: Segmenter,
        projects: ProjectBook,
        records: Records,
        ahead: Ahead,
        batch: Batch,
        videos: VideoAnswers,
        lane: Lane,
        track_seconds: float,
    ) -> None:
        self._engines = engines
        self._segmenter = segmenter
        self._projects = projects
        self._records = records
        self._ahead = ahead
        self._batch = batch
        self._videos = videos
        self._lane = lane
        self._track_seconds = track_seconds

    def setup(self, body: object) -> JsonObject:
        """Answer /setup: remember the project, begin to load its model.

        Raises:
            RequestError: If the body, the label config or the extra params are wrong.
        """
        request = read_setup(body)
        if request.label_config:
            read_label_config(request.label_config)
        project = self._projects.introduce(request)
        self._engines.start(project.options.model)
        return {"model_version": self.model_version(project)}

    def predict(self, body: object) -> Reply:
        """Answer /predict: the regions for what a person drew, or what is known without.

        Raises:
            ClickMaskError: For every reason a person can mend.
        """
        answer = self.begin(body)
        if isinstance(answer, Later):
            wait(answer.futures, timeout=self._track_seconds)
            return answer.reply()
        return answer

    def begin(self, body: object) -> Reply | Later:
        """Answer /predict, without waiting for videos to be tracked.

        Raises:
            ClickMaskError: For every reason a person can mend.
        """
        request = read_predict(body)
        project = self._projects.find(request.project)
        config = read_label_config(request.label_config)
        if config.videos:
            return self._videos.answer(request, config.videos, project, self.model_version(project))
        with self._ahead.busy(), self._lane.click():
            if request.context is None:
                return self._unprompted(request, config, project)
            return self._prompted(request, config, project)

    def fit(self, event: str, body: object) -> JsonObject:
        """Answer /webhook: record what people accepted, before answering.

        Args:
            event: Label Studio's name of the event, such as "ANNOTATION_CREATED".
            body: The webhook's payload.
        """
        return record_event(event, body, self._records)

    def versions(self) -> JsonObject:
        """Answer /versions."""
        return {"versions": [model_version(name) for name in self._engines.states() or [self._engines.default]]}

    def health(self) -> JsonObject:
        """Answer /health; "UP" as soon as the server answers, since clicks wait for the model by themselves."""
        return {"status": "UP", "models": self._engines.states()}

    def model_version(self, project: Project) -> str:
        """The same text for the same model, so that predictions stay attributable."""
        return model_version(project.options.model or self._engines.default)

    def close(self) -> None:
        """Stop the background work and close the records."""
        self._ahead.close()
        self._videos.close()
        self._records.close()

    def _prompted(self, request: PredictRequest, config: LabelConfig, project: Project) -> Reply:
        task = request.tasks[0]
        drawn = read_prompt(request.context or [])
        if drawn is None:
            return self._reply([], 0.0, project, {"task": task.get("id"), "prompt": "none"})
        segment = self._segmenter.segment(task, drawn, config, project)
        self._keep(segment, project)
        self._ahead.opened(task, config, project)
        return self._reply(segment.regions, segment.score, project, _notes(task, segment))

    def _keep(self, segment: Segment, project: Project) -> None:
        """Record an answer; the person gets it even where the disk is full."""
        try:
            self._records.answered(segment, self.model_version(project))
        except RecordsError as error:
            _log.warning("%s", error)

    def _unprompted(self, request: PredictRequest, config: LabelConfig, project: Project) -> Reply:
        if len(request.tasks) == 1:  # a person opens it
            self._ahead.opened(request.tasks[0], config, project)
        results = self._batch.known(request.tasks, config, project, self.model_version(project))
        return Reply({"results": results}, {"tasks": len(request.tasks), "prompt": "null", "answers": len(results)})

    def _reply(self, regions: list[JsonObject], score: float, project: Project, notes: Mapping[str, object]) -> Reply:
        result = {"model_version": self.model_version(project), "score": score, "result": regions}
        return Reply({"results": [result]}, notes)


def model_version(model: str) -> str:
    """The version Label Studio shows for a model name or a path to weights.

    Example:
        >>> model_version("nano"), model_version("/weights/my.safetensors")
        ('clickmask-nano', 'clickmask-my')
    """
    return f"clickmask-{Path(model).stem if Path(model).suffix in ('.pt', '.pth', '.safetensors') else model}"


def _notes(task: Mapping[str, Any], segment: Segment) -> dict[str, object]:
    steps = {f"{step}_ms": round(value, 1) for step, value in segment.milliseconds.items()}
    cache = "hit" if segment.was_cached else "miss"
    return {
        "task": task.get("id"),
        "key": segment.image_key[:12],
        "cache": cache,
        "regions": len(segment.regions),
    } | steps
