"""Accepted objects as a network learns from them: on the whole picture, and nearer, in windows as zoom sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import DatasetError
from clickmask.decoder.frame import Frame
from clickmask.decoder.images import ImageSource
from clickmask.decoder.mask_prompts import mask_to_logits
from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures
from clickmask.decoder.prompts import Box, Point, Prompt, Size
from clickmask.decoder.refine.window import Window, zoom_window
from clickmask.decoder.shapes import mask_to_box

TRUTH_SIDE = 128  # of the grid on which answers are compared [cells]
HELD_BACK = 3  # every third object is not learned from, but tried on

Mask = NDArray[np.bool_]  # (H, W)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """An object that a person accepted.

    Args:
        key: Names it; the same object has the same key whenever it is learned from.
        image: Where it is.
        load_mask: Gives its mask, (H, W) bool; called only if it is learned from.
        points: What the person clicked, oldest first; empty where it is not known.
    """

    key: str
    image: ImageSource
    load_mask: Callable[[], Mask]
    points: tuple[Point, ...] = ()

    @property
    def is_held_back(self) -> bool:
        """Whether it is one of those that show if learning helped: every third, by its key, for ever."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:8]) % HELD_BACK == 0


class Look(NamedTuple):
    """One square that the network sees of an object."""

    features: ImageFeatures  # of one image
    truth: Mask  # (TRUTH_SIDE, TRUTH_SIDE): where the object is in that square


class View(NamedTuple):
    """An object on the whole picture, and nearer."""

    whole: Look
    near: Look
    scale: tuple[float, float]  # a place p of the whole square lies at scale * p + offset of the near one, (x, y)
    offset: tuple[float, float]
    clicks: tuple[tuple[float, float], ...]  # where the person clicked on it, in the whole square


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Those to learn from and those to try on."""
    return [one for one in examples if not one.is_held_back], [one for one in examples if one.is_held_back]


def look_at(engine: Engine, example: Example, rng: np.random.Generator, windows: int) -> list[View]:
    """The views of one object; embeddings come from the engine's cache where they are known.

    Raises:
        ImageError: If the picture cannot be read.
        DatasetError: If the mask is empty, or none of the picture's size.
    """
    mask = example.load_mask()
    embedding = engine.embed(example.image)
    size, geometry = embedding.size, engine.model.network.config.geometry
    whole = Look(trainable(embedding.plain_features), truth_in(geometry, mask))
    seen = [window_around(mask, rng) if number else window_around(mask) for number in range(windows)]
    clicks = tuple(Frame(geometry, size).point(p.x, p.y) for p in example.points if p.positive)
    views = []
    for window in dict.fromkeys(seen):
        if window is None:
            views.append(View(whole, whole, (1.0, 1.0), (0.0, 0.0), clicks))
            continue
        inside = np.ascontiguousarray(mask[window.top : window.bottom, window.left : window.right])
        near = trainable(engine.embed_window(example.image, window).plain_features)
        scale, offset = _places(geometry, size, window)
        views.append(View(whole, Look(near, truth_in(geometry, inside)), scale, offset, clicks))
    return views


def window_around(mask: Mask, rng: np.random.Generator | None = None) -> Window | None:
    """Where zoom looks at an object, or at an answer that is larger than it; None where it sees all of the picture."""
    size, box = Size(*mask.shape), mask_to_box(mask)
    if box is None:
        raise DatasetError("the mask is empty, wanted an object")
    across, down = (box.x1 - box.x0), (box.y1 - box.y0)
    grown = rng.uniform(0, 0.5, 4) if rng is not None else np.zeros(4)
    larger = Box(
        max(0.0, box.x0 - grown[0] * across),
        max(0.0, box.y0 - grown[1] * down),
        min(float(size.width), box.x1 + grown[2] * across),
        min(float(size.height), box.y1 + grown[3] * down),
    )
    return zoom_window(mask_to_logits(mask), Prompt(box=larger), size)


def truth_in(geometry: Geometry, mask: Mask) -> Mask:
    """A mask in the square that the network sees, on the grid of ``TRUTH_SIDE``; one that is small is never lost."""
    inside = Frame(geometry, Size(*mask.shape)).inside
    height, width = (max(1, round(length * TRUTH_SIDE / geometry.side)) for length in (inside.height, inside.width))
    cover = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    square = np.zeros((TRUTH_SIDE, TRUTH_SIDE), np.bool_)
    square[:height, :width] = cover >= min(0.5, max(float(cover.max()), 1e-6))
    return square


def _places(geometry: Geometry, size: Size, window: Window) -> tuple[tuple[float, float], tuple[float, float]]:
    """Scale and offset, (x, y) each, from the whole square to the window's."""
    whole, near = Frame(geometry, size), Frame(geometry, window.size)
    (x0, y0), (x1, y1) = whole.point(window.left, window.top), whole.point(window.right, window.bottom)
    u, v = near.point(window.size.width, window.size.height)
    scale = (u / (x1 - x0), v / (y1 - y0))
    return scale, (-x0 * scale[0], -y0 * scale[1])


def trainable(features: ImageFeatures) -> ImageFeatures:
    """A copy that gradients may pass: what was computed in inference mode may not be used otherwise."""
    fine = features.high_resolution
    return ImageFeatures(features.image.clone(), HighResolution(fine.s4.clone(), fine.s8.clone()))


def stack_features(features: Sequence[ImageFeatures]) -> ImageFeatures:
    """One batch of the features of several images."""

    def stacked(maps: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(maps))

    fine = [one.high_resolution for one in features]
    return ImageFeatures(
        stacked([one.image for one in features]),
        HighResolution(stacked([one.s4 for one in fine]), stacked([one.s8 for one in fine])),
    )
