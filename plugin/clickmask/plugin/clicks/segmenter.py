"""One prompt on one task's image, from percent to regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import (
    Answer,
    ClickEngine,
    Engine,
    Example,
    ImageSource,
    Kind,
    MaskRule,
    Prompt,
    Size,
)
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.shapes import mask_to_rle
from clickmask.plugin.clicks.answers import answer_regions
from clickmask.plugin.clicks.candidates import candidates
from clickmask.plugin.clicks.prompts import RegionPrompt, label_only_prompt
from clickmask.plugin.errors import RequestError
from clickmask.plugin.files.images import Images, Turned
from clickmask.plugin.files.locations import Location, locate
from clickmask.plugin.learning.learned import LearnedEngines, adapter_of
from clickmask.plugin.metrics import Metrics
from clickmask.plugin.projects.label_config import LabelConfig
from clickmask.plugin.projects.options import ProjectOptions
from clickmask.plugin.projects.projects import Project

Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Segment:
    """The answer to one prompt.

    Args:
        regions: One per tag that holds answers; none for an empty mask.
        score: Predicted IoU of the mask, in [0, 1].
        image_key: Names the image.
        prompt: What was asked, in pixels.
        was_cached: Whether the image was encoded before.
        adapter: What the model that answered had learned, by name; None for the model as it came.
        milliseconds: Time by step: prepare (fetch and encode), decode, shape.
    """

    regions: list[dict[str, Any]]
    score: float
    image_key: str
    prompt: Prompt
    was_cached: bool
    adapter: str | None
    milliseconds: dict[str, float]


class Segmenter:
    """Answers prompts for all projects and people of a process."""

    def __init__(self, engines: LearnedEngines, images: Images, metrics: Metrics) -> None:
        self._engines = engines
        self._images = images
        self._metrics = metrics

    def segment(self, task: Task, drawn: RegionPrompt, config: LabelConfig, project: Project) -> Segment:
        """Answer one prompt.

        Raises:
            ClickMaskError: For every reason a person can mend: see ``locate``, ``Images.load``,
                ``Engines.get``, ``RegionPrompt.prompt`` and ``Engine.segment``.
        """
        config = config.of(task)
        location = locate(task, _source(config, drawn.to_name), drawn.item_index, project.connection)
        engine = self._engines.get(project)
        start, was_cached = perf_counter(), engine.is_cached(location.key)
        image, size = self._as_shown(engine, location, drawn.size, project)
        prepared = perf_counter()
        prompt = drawn.prompt(size)
        options = project.options.for_labels(drawn.labels)
        answer = _decode(engine, image, prompt, options)
        decoded = perf_counter()
        masks = candidates(answer) if options.candidates else [(answer.mask(), answer.score)]
        regions = [region for mask, score in masks for region in answer_regions(mask, score, drawn, config, options)]
        milliseconds = {
            "prepare": 1000 * (prepared - start),
            "decode": 1000 * (decoded - prepared),
            "shape": 1000 * (perf_counter() - decoded),
        }
        self._count(was_cached, milliseconds)
        return Segment(regions, answer.score, image.key, prompt, was_cached, adapter_of(engine), milliseconds)

    def arriving(self, task: Task, drawn: RegionPrompt, config: LabelConfig, project: Project) -> Future[None] | None:
        """Fetch a prompt's image in the background; None if the prompt can be answered without waiting for it.

        Raises:
            RequestError: If the task has no such image.
            RefusedError: If it may not be read.
        """
        config = config.of(task)
        location = locate(task, _source(config, drawn.to_name), drawn.item_index, project.connection)
        engine = self._engines.ready(project)
        if engine is not None and engine.has_pixels(location.key):
            return None
        return self._images.arriving(location, project.connection)

    def close(self) -> None:
        """Fetch no more images."""
        self._images.close()

    def everything(self, task: Task, config: LabelConfig, project: Project) -> tuple[list[dict[str, Any]], list[float]]:
        """Segment everything on the task's first image: regions, and the predicted IoU of each object.

        Raises:
            ClickMaskError: As ``segment``.
        """
        config = config.of(task)
        location = self.first_image(task, config, project)
        engine = self._engines.get(project)
        found = engine.segment_everything(self._image(location, project))
        drawn = label_only_prompt(next(iter(config.images), "image"), project.options.label)
        options = project.options.for_labels(drawn.labels)
        regions = [
            region
            for mask in found
            for region in answer_regions(mask.mask(), mask.predicted_iou, drawn, config, options)
        ]
        return regions, [mask.predicted_iou for mask in found]

    def describe(self, task: Task, region: Mapping[str, Any], config: LabelConfig, project: Project) -> Example | None:
        """Say what an accepted region looks like; None if it covers no pixel.

        Raises:
            ClickMaskError: As ``segment``; also if the region is of another picture's size.
        """
        config = config.of(task)
        source = _source(config, str(region.get("to_name", "")))
        location = locate(task, source, region.get("item_index"), project.connection)
        engine = self._engine_here(project)
        mask = result_to_mask(region)
        image, _ = self._as_shown(engine, location, Size(*mask.shape), project)
        return engine.describe(image, mask)

    def similar(
        self,
        task: Task,
        kinds: Mapping[tuple[str, ...], Kind],
        known: Sequence[NDArray[np.bool_]],
        config: LabelConfig,
        project: Project,
    ) -> tuple[list[dict[str, Any]], list[float]]:
        """Find objects like the examples on the task's first image: regions, and the score of each object.

        Args:
            task: Of the image.
            kinds: What is looked for, by labels.
            known: What is annotated already.
            config: The project's tags.
            project: Whose options count.

        Raises:
            ClickMaskError: As ``segment``.
        """
        config = config.of(task)
        location = self.first_image(task, config, project)
        engine, image = self._engine_here(project), self._image(location, project)
        size = engine.image_size(image)
        taken = [mask_to_rle(mask) for mask in known if Size(*mask.shape) == size]
        regions: list[dict[str, Any]] = []
        scores: list[float] = []
        for labels, kind in kinds.items():
            drawn = replace(label_only_prompt(next(iter(config.images), "image"), ""), labels=labels)
            options = project.options.for_labels(labels)
            for one in engine.find_similar(image, kind, taken):
                written = answer_regions(one.found.mask(), one.score, drawn, config, options)
                if written:
                    regions += written
                    scores.append(one.score)
                    taken.append(one.found.rle)
        return regions, scores

    def _engine_here(self, project: Project) -> Engine:
        """The engine, for what decoders on other machines do not offer."""
        engine = self._engines.get(project)
        if not isinstance(engine, Engine):
            raise RequestError(
                'decoders on other machines do not look for similar objects: no "like these" with --engine'
            )
        return engine

    def prepare(self, task: Task, config: LabelConfig, project: Project) -> bool:
        """Encode the task's first image; say whether it was encoded already.

        Raises:
            ClickMaskError: As ``segment``.
        """
        location = self.first_image(task, config, project)
        return self._engines.get(project).encode(self._image(location, project))

    def is_prepared(self, task: Task, config: LabelConfig, project: Project) -> bool:
        """Whether a prompt on the task's first image would be answered without encoding; never waits."""
        engine = self._engines.ready(project)
        return engine is not None and engine.is_cached(self.first_image(task, config, project).key)

    def first_image(self, task: Task, config: LabelConfig, project: Project) -> Location:
        """Where the task's first image is."""
        config = config.of(task)
        return locate(task, _source(config, next(iter(config.images), "")), None, project.connection)

    def _as_shown(
        self, engine: ClickEngine, location: Location, shown: Size | None, project: Project
    ) -> tuple[ImageSource, Size]:
        """The image as the page has it: turned by its EXIF orientation, or not; and its size.

        Raises:
            RequestError: If the page has another picture than the backend.
        """
        image = self._image(location, project)
        size = engine.image_size(image)
        if shown is None or size == shown:
            return image, size
        if size == Size(shown.width, shown.height):
            turned = self._image(location, project, "the other way")
            if engine.image_size(turned) == shown:
                return turned, shown
        raise RequestError(
            f"the page shows a picture of {shown} pixels, the backend has one of {size}: reload the page"
        )

    def _image(self, location: Location, project: Project, turned: Turned = "as browsers do") -> ImageSource:
        def load() -> NDArray[np.uint8]:
            with self._metrics.step("fetch"):
                return self._images.load(location, project.connection, turned)

        return ImageSource(location.key if turned == "as browsers do" else f"{location.key} {turned}", load)

    def _count(self, was_cached: bool, milliseconds: Mapping[str, float]) -> None:
        self._metrics.embedding(was_cached=was_cached)
        for step, value in milliseconds.items():
            self._metrics.observe(step, value)


def _decode(engine: ClickEngine, image: ImageSource, prompt: Prompt, options: ProjectOptions) -> Answer:
    segment = engine.chain.segment if options.chain else engine.segment
    return segment(image, prompt, MaskRule(options.rule, options.zoom))


def _source(config: LabelConfig, to_name: str) -> str:
    """Where the task's data hold the image of this tag; where no tag has the name, "$image"."""
    return config.images.get(to_name, "$image")
