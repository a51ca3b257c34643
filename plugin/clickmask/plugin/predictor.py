"""Answers Label Studio: the five calls of its ML protocol, for every project, person and thread.

Knows no web framework: ``clickmask.plugin.server.app`` serves it over HTTP, and Label Studio's own runner can
call the same object. Any number of threads may.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any

from clickmask.plugin.clicks.prefetch import Prefetcher
from clickmask.plugin.clicks.prelabel import Prelabeler
from clickmask.plugin.clicks.prompts import RegionPrompt, read_prompt
from clickmask.plugin.clicks.segmenter import Segment, Segmenter
from clickmask.plugin.engines import Engines
from clickmask.plugin.errors import BusyError, RecordsError
from clickmask.plugin.learning.learned import LearnedEngines, adapter_of
from clickmask.plugin.learning.learner import Learner
from clickmask.plugin.priority import ClickPriority
from clickmask.plugin.projects.label_config import LabelConfig, read_label_config
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.protocol.replies import JsonObject, PendingReply, Reply, merged, prediction
from clickmask.plugin.protocol.requests import PredictRequest, read_predict, read_setup
from clickmask.plugin.records.records import Records
from clickmask.plugin.records.webhooks import START_TRAINING, project_id, record_event
from clickmask.plugin.registry import ProjectRegistry
from clickmask.plugin.tracking.answers import VideoAnswers

_log = logging.getLogger(__name__)


class Predictor:
    """The backend behind every way of serving it; made by ``clickmask.plugin.build.build_backend``."""

    def __init__(
        self,
        engines: Engines,
        segmenter: Segmenter,
        projects: ProjectRegistry,
        records: Records,
        prefetcher: Prefetcher,
        prelabeler: Prelabeler,
        videos: VideoAnswers,
        priority: ClickPriority,
        predict_seconds: float,
        learned: LearnedEngines,
        learner: Learner,
    ) -> None:
        self._engines = engines
        self._segmenter = segmenter
        self._projects = projects
        self._records = records
        self._prefetcher = prefetcher
        self._prelabeler = prelabeler
        self._videos = videos
        self._priority = priority
        self._predict_seconds = predict_seconds
        self._learned = learned
        self._learner = learner

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
        if isinstance(answer, PendingReply):
            wait(answer.futures, timeout=answer.seconds)
            return answer.reply()
        return answer

    def begin(self, body: object) -> Reply | PendingReply:
        """Answer /predict, without waiting for what is done in the background: fetching, tracking, many tasks.

        Raises:
            ClickMaskError: For every reason a person can mend.
        """
        request = read_predict(body)
        project = self._projects.find(request.project)
        config = read_label_config(request.label_config)
        if request.context is None:
            return self._unprompted(request, config, project)
        if _is_on_video(request.context, config):
            return self._videos.answer(request, config.videos, project, self.model_version(project))
        return self._prompted(request, request.context, config, project)

    def fit(self, event: str, body: object) -> JsonObject:
        """Answer /webhook: record what people accepted, before answering.

        Args:
            event: Label Studio's name of the event, such as "ANNOTATION_CREATED".
            body: The webhook's payload.
        """
        done = record_event(event, body, self._records)
        project = project_id(body)
        if event == START_TRAINING:
            return done | {"message": self._learner.start(project)}
        if done.get("ours"):
            self._learner.accepted(project)
        return done

    def versions(self) -> JsonObject:
        """Answer /versions."""
        return {"versions": [model_version(name) for name in self._engines.states() or [self._engines.default]]}

    def health(self) -> JsonObject:
        """Answer /health; "UP" as soon as the server answers, since clicks wait for the model by themselves."""
        return {"status": "UP", "models": self._engines.states()}

    def model_version(self, project: Project) -> str:
        """The same text for the same model and what it learned, so that predictions stay attributable."""
        engine = self._learned.ready(project)
        return self._version(project, None if engine is None else adapter_of(engine))

    def _version(self, project: Project, adapter: str | None) -> str:
        return model_version(project.options.model or self._engines.default, adapter)

    def close(self) -> None:
        """Stop the background work and close the records."""
        self._prelabeler.close()
        self._segmenter.close()
        self._prefetcher.close()
        self._videos.close()
        self._learner.close()
        self._records.close()

    def _prompted(
        self, request: PredictRequest, context: Sequence[Mapping[str, Any]], config: LabelConfig, project: Project
    ) -> Reply | PendingReply:
        task = request.tasks[0]
        prompt = read_prompt(context)
        if prompt is None:
            return self._reply([], 0.0, self.model_version(project), {"task": task.get("id"), "prompt": "none"})
        arriving = self._segmenter.arriving(task, prompt, config, project)
        answer = partial(self._answer, task, prompt, config, project)
        if arriving is None:
            return answer()
        return PendingReply((arriving,), partial(_after, arriving, answer), self._predict_seconds)

    def _answer(self, task: Mapping[str, Any], prompt: RegionPrompt, config: LabelConfig, project: Project) -> Reply:
        with self._priority.click():
            segment = self._segmenter.segment(task, prompt, config, project)
        self._keep(segment, project)
        self._prefetcher.opened(task, config, project)
        version = self._version(project, segment.adapter)
        return self._reply(segment.regions, segment.score, version, _log_fields(task, segment))

    def _keep(self, segment: Segment, project: Project) -> None:
        """Record an answer; the person gets it even where the disk is full."""
        try:
            self._records.answered(segment, self._version(project, segment.adapter))
        except RecordsError as error:
            _log.warning("%s", error)

    def _unprompted(self, request: PredictRequest, config: LabelConfig, project: Project) -> Reply | PendingReply:
        version = self.model_version(project)
        if config.videos and not config.controls and not config.repeating:
            return self._videos.answer(request, config.videos, project, version)
        if len(request.tasks) == 1:  # a person opens it
            self._prefetcher.opened(request.tasks[0], config, project)
        images = self._prelabeler.answer(request.tasks, config, project, version)
        if not config.videos:
            return images
        return merged(images, self._videos.answer(request, config.videos, project, version))

    def _reply(self, regions: list[JsonObject], score: float, version: str, log_fields: Mapping[str, object]) -> Reply:
        return Reply({"results": [prediction(regions, score, version)]}, log_fields)


def model_version(model: str, adapter: str | None = None) -> str:
    """The version Label Studio shows for a model name or a path to weights, and for what it learned.

    Example:
        >>> model_version("nano"), model_version("/weights/my.safetensors", "project-3-2")
        ('clickmask-nano', 'clickmask-my+project-3-2')
    """
    name = Path(model).stem if Path(model).suffix in (".pt", ".pth", ".safetensors") else model
    return f"clickmask-{name}" if adapter is None else f"clickmask-{name}+{adapter}"


def _log_fields(task: Mapping[str, Any], segment: Segment) -> dict[str, object]:
    steps = {f"{step}_ms": round(value, 1) for step, value in segment.milliseconds.items()}
    cache = "hit" if segment.was_cached else "miss"
    return {
        "task": task.get("id"),
        "key": segment.image_key[:12],
        "cache": cache,
        "regions": len(segment.regions),
    } | steps


def _is_on_video(context: Sequence[Mapping[str, Any]], config: LabelConfig) -> bool:
    """Whether what a person drew is on a video of the config, which may have images too."""
    if not config.videos or not (config.controls or config.repeating):
        return bool(config.videos)
    return any(isinstance(item, Mapping) and item.get("to_name") in config.videos for item in context)


def _after(arriving: Future[None], answer: Callable[[], Reply]) -> Reply:
    """Answer once the image has arrived.

    Raises:
        ClickMaskError: If it did not: the reason, or that it still may.
    """
    if not arriving.done():
        raise BusyError("the image is still being fetched: try again in a while")
    arriving.result()
    return answer()
