"""What can be evaluated: a model, and two classical methods that take the same clicks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.engine import Engine
from clickmask.decoder.evaluation.person import Mask
from clickmask.decoder.images import ImageSource
from clickmask.decoder.mask_rule import MaskRule, Rule
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.segment import binarize

CLASSICAL_SIDE_PX = 240  # classical methods work at this size, or they would take seconds a click


@dataclass(frozen=True, eq=False)
class Answer:
    """One answer at the image's size.

    Args:
        mask: What is shown first.
        logits: What the next prompt hands back, or None.
        options: All masks that were offered, for the oracle's choice; empty where there was one only.
        object_score: Logit, > 0: there is an object.
        score: The IoU that the method predicts for its mask, in [0, 1]; None where it predicts none.
    """

    mask: Mask
    logits: Tensor | None = None
    options: tuple[Mask, ...] = ()
    object_score: float = 0.0
    score: float | None = None


class Session(Protocol):
    """A method looking at one image."""

    def answer(self, prompt: Prompt) -> Answer:
        """Answer a prompt in pixels of the image."""


class Method(Protocol):
    """Something that answers prompts."""

    @property
    def name(self) -> str:
        """As it stands in the table."""

    def open(self, image: NDArray[np.uint8]) -> Session:
        """Look at an image (H, W, 3)."""


@dataclass(frozen=True)
class ModelMethod:
    """A network, with or without a second look."""

    model: Model
    rule: Rule | int = "auto"
    zoom: bool = False

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return self.model.version + (" + zoom" if self.zoom else "")

    def open(self, image: NDArray[np.uint8]) -> Session:
        """Look at an image with an engine of its own: what people use is what is measured."""
        return _ModelSession(Engine(self.model), ImageSource("image", lambda: image), MaskRule(self.rule, self.zoom))


@dataclass(frozen=True)
class _ModelSession:
    engine: Engine
    image: ImageSource
    how: MaskRule

    def answer(self, prompt: Prompt) -> Answer:
        """Answer as the engine does, corrections included."""
        found = self.engine.segment(self.image, prompt, self.how)
        options = tuple(binarize(row, found.size) for row in found.logits) if prompt.is_ambiguous else ()
        return Answer(found.mask(), found.mask_prompt, options, found.object_score, found.score)


@dataclass(frozen=True)
class GrabCut:
    """OpenCV's GrabCut: clicks are discs of certain foreground or background, a box bounds the foreground."""

    name: str = "GrabCut"

    def open(self, image: NDArray[np.uint8]) -> Session:
        """Scale the image down."""
        return _GrabCutSession(_small(image), Size(*image.shape[:2]))


@dataclass(frozen=True)
class _GrabCutSession:
    image: NDArray[np.uint8]
    size: Size

    def answer(self, prompt: Prompt) -> Answer:
        """Run five rounds from the clicks alone."""
        hints = np.full(self.image.shape[:2], cv2.GC_PR_BGD, np.uint8)
        side = max(hints.shape)
        if prompt.box is not None:
            hints[:] = cv2.GC_BGD
            hints[_box_slices(prompt, self.size, hints.shape)] = cv2.GC_PR_FGD
        else:
            _draw(hints, prompt, self.size, positive=True, radius=side // 5, value=cv2.GC_PR_FGD)
        _draw(hints, prompt, self.size, positive=True, radius=side // 60 + 1, value=cv2.GC_FGD)
        _draw(hints, prompt, self.size, positive=False, radius=side // 60 + 1, value=cv2.GC_BGD)
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(self.image[..., ::-1].copy(), hints, None, *models, 5, cv2.GC_INIT_WITH_MASK)
        return Answer(_large((hints == cv2.GC_FGD) | (hints == cv2.GC_PR_FGD), self.size))


@dataclass(frozen=True)
class RandomWalker:
    """scikit-image's random walker from discs around the clicks; the border is background until one is clicked."""

    name: str = "random walker"

    def open(self, image: NDArray[np.uint8]) -> Session:
        """Scale the image down."""
        return _RandomWalkerSession(_small(image), Size(*image.shape[:2]))


@dataclass(frozen=True)
class _RandomWalkerSession:
    image: NDArray[np.uint8]
    size: Size

    def answer(self, prompt: Prompt) -> Answer:
        """Solve for the probability of reaching a positive click first."""
        from skimage.segmentation import random_walker  # a training extra

        seeds = np.zeros(self.image.shape[:2], np.uint8)
        if prompt.box is not None:
            rows, columns = _box_slices(prompt, self.size, seeds.shape)
            seeds[:] = 2
            seeds[rows, columns] = 0
            seeds[(rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2] = 1
        elif all(point.positive for point in prompt.points):
            seeds[[0, -1]] = seeds[:, [0, -1]] = 2
        _draw(seeds, prompt, self.size, positive=False, radius=2, value=2)
        _draw(seeds, prompt, self.size, positive=True, radius=2, value=1)
        labels = random_walker(self.image / 255.0, seeds, beta=130, mode="cg_j", channel_axis=-1, prob_tol=0.1)
        return Answer(_large(labels == 1, self.size))


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, CLASSICAL_SIDE_PX / max(image.shape[:2]))
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _large(mask: Mask, size: Size) -> Mask:
    grown = cv2.resize(mask.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown > 0.5)


def _box_slices(prompt: Prompt, size: Size, shape: tuple[int, ...]) -> tuple[slice, slice]:
    assert prompt.box is not None
    y, x = shape[0] / size.height, shape[1] / size.width
    top, left = int(prompt.box.y0 * y), int(prompt.box.x0 * x)
    return slice(top, max(top + 1, round(prompt.box.y1 * y))), slice(left, max(left + 1, round(prompt.box.x1 * x)))


def _draw(canvas: NDArray[np.uint8], prompt: Prompt, size: Size, *, positive: bool, radius: int, value: int) -> None:
    for point in prompt.points:
        if point.positive == positive:
            place = (int(point.x * canvas.shape[1] / size.width), int(point.y * canvas.shape[0] / size.height))
            cv2.circle(canvas, place, radius, value, -1)
