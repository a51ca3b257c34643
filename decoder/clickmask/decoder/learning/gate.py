"""The gate: what was learned is used only if it helps on objects it never saw, and nothing general is lost."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.engine import Engine
from clickmask.decoder.evaluation.person import human_click
from clickmask.decoder.images import ImageSource
from clickmask.decoder.learning.drawn import draw_pictures
from clickmask.decoder.learning.examples import Example
from clickmask.decoder.learning.memory import drawn_source
from clickmask.decoder.mask_rule import MaskRule
from clickmask.decoder.prompts import Point, Prompt
from clickmask.decoder.shapes import mask_iou

GOOD = 0.85  # IoU at which a person stops
MOST_CLICKS = 10
GENERAL_PICTURES = 30
GENERAL_SEED = 1  # other pictures than those that answers are remembered on
GENERAL_CLICKS = 3

Mask = NDArray[np.bool_]  # (H, W)


def mean_clicks(engine: Engine, examples: Sequence[Example]) -> float:
    """Clicks until a mask is good, as a person clicks and as the engine answers; ``MOST_CLICKS`` where it never is."""
    return fmean(clicks_to_good(engine, example, MOST_CLICKS) for example in examples)


def general_iou(engine: Engine) -> float:
    """Mean IoU after three clicks on drawn pictures whose masks are known, on the whole picture alone."""
    ious = []
    for number, picture in enumerate(draw_pictures(GENERAL_PICTURES, GENERAL_SEED)):
        source = drawn_source(f"{GENERAL_SEED} {number}", picture.pixels)
        found = ious_after_clicks(engine, source, picture.masks[0], f"{number}", GENERAL_CLICKS, MaskRule(zoom=False))
        ious.append(found[-1])
    return fmean(ious)


def clicks_to_good(engine: Engine, example: Example, most: int) -> int:
    """Clicks until the mask of an object is good; ``most`` where it never is."""
    ious = ious_after_clicks(engine, example.image, example.load_mask(), example.key, most, MaskRule(), GOOD)
    return len(ious) if ious[-1] >= GOOD else most


def ious_after_clicks(
    engine: Engine, image: ImageSource, truth: Mask, name: str, most: int, how: MaskRule, good: float = 1.0
) -> list[float]:
    """IoU after each click, until it is good; the same person for the same name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    points: tuple[Point, ...] = ()
    mask, logits, ious = np.zeros_like(truth), None, list[float]()
    while len(ious) < most and (not ious or ious[-1] < good):
        click = human_click(truth, mask, rng)
        if click is None:
            break
        points = (*points, click)
        answer = engine.segment(image, Prompt(points=points, mask_logits=logits), how)
        mask, logits = answer.mask(), answer.mask_prompt
        ious.append(mask_iou(mask, truth))
    return ious
