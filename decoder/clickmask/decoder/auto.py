"""Segment everything: a grid of clicks, and of their masks the good ones that are not the same.

Source: the automatic masks of "Segment Anything" (Kirillov et al., 2023), section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.choose import CANDIDATES, stability_score
from clickmask.decoder.prompts import Point, Prompt, Size
from clickmask.decoder.segment import MaskSet, binarize

PROMPTS_PER_BATCH = 16

AnswerPrompts = Callable[[Sequence[Prompt]], Sequence[MaskSet]]
Progress = Callable[[float], None]  # told the share done, in (0, 1]


def ignore_progress(done: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class AutoSettings:
    """What counts as a mask worth showing.

    Args:
        points_per_side: The grid has this many clicks along the longer side of the image.
        min_predicted_iou: Masks the model trusts less are dropped, in [0, 1].
        min_stability: Masks with a softer edge are dropped, in [0, 1].
        max_overlap: Of two masks with a higher IoU only the better is kept, in [0, 1].
        min_area: Smaller masks are dropped, as a share of the image in [0, 1].
        max_area: Larger masks are dropped, likewise: they are mostly background.
        most: Only this many masks are kept, best first.
    """

    points_per_side: int = 16
    min_predicted_iou: float = 0.45  # nano is modest about itself
    min_stability: float = 0.6
    max_overlap: float = 0.7
    min_area: float = 0.001
    max_area: float = 0.9
    most: int = 100


@dataclass(frozen=True, slots=True, eq=False)
class FoundMask:
    """One mask nobody clicked."""

    logits: Tensor  # (h, w) float32 on the CPU
    predicted_iou: float  # in [0, 1]
    stability: float  # in [0, 1]
    point: Point  # the click that found it
    size: Size  # of the image

    def mask(self) -> NDArray[np.bool_]:
        """At the image's size: (H, W)."""
        return binarize(self.logits, self.size)


def segment_everything(
    answer: AnswerPrompts,
    size: Size,
    settings: AutoSettings = AutoSettings(),
    progress: Progress = ignore_progress,
) -> list[FoundMask]:
    """Find the masks of an image without a prompt.

    Args:
        answer: Gives a mask set for each prompt on this image.
        size: Of the image.
        settings: What to keep.
        progress: Told the share done, in (0, 1], after every batch.

    Returns:
        Best first: by predicted IoU times stability.
    """
    grid = grid_points(size, settings.points_per_side)
    found: list[FoundMask] = []
    for start in range(0, len(grid), PROMPTS_PER_BATCH):
        points = grid[start : start + PROMPTS_PER_BATCH]
        for point, mask_set in zip(points, answer([Prompt(points=(p,)) for p in points]), strict=True):
            found += _worth_showing(mask_set, point, settings)
        progress(min(1.0, (start + PROMPTS_PER_BATCH) / len(grid)))
    best_first = sorted(found, key=lambda mask: mask.predicted_iou * mask.stability, reverse=True)
    return drop_doubles(best_first, settings.max_overlap)[: settings.most]


def grid_points(size: Size, per_side: int) -> list[Point]:
    """Click centres of an even grid with ``per_side`` cells along the longer side.

    Example:
        >>> [(p.x, p.y) for p in grid_points(Size(100, 200), 2)]
        [(50.0, 50.0), (150.0, 50.0)]
    """
    step = max(size.height, size.width) / per_side
    columns, rows = max(1, round(size.width / step)), max(1, round(size.height / step))
    return [
        Point((column + 0.5) * size.width / columns, (row + 0.5) * size.height / rows)
        for row in range(rows)
        for column in range(columns)
    ]


def drop_doubles(best_first: Sequence[FoundMask], max_overlap: float) -> list[FoundMask]:
    """Keep a mask only if its IoU with every better one is at most ``max_overlap``."""
    if not best_first:
        return []
    flat = torch.stack([found.logits.flatten() > 0 for found in best_first]).float()  # (N, h * w)
    overlaps = flat @ flat.T
    areas = overlaps.diagonal()
    iou = overlaps / (areas[:, None] + areas[None] - overlaps).clamp(min=1)
    kept: list[int] = []
    for index in range(len(best_first)):
        if all(float(iou[index, other]) <= max_overlap for other in kept):
            kept.append(index)
    return [best_first[index] for index in kept]


def _worth_showing(mask_set: MaskSet, point: Point, settings: AutoSettings) -> Iterator[FoundMask]:
    candidates = mask_set.logits[CANDIDATES]
    scores = mask_set.predicted_iou[CANDIDATES].tolist()
    areas = (candidates > 0).float().mean(dim=(-2, -1)).tolist()
    for logits, score, stability, area in zip(candidates, scores, stability_score(candidates), areas, strict=True):
        good = score >= settings.min_predicted_iou and float(stability) >= settings.min_stability
        if good and settings.min_area <= area <= settings.max_area:
            yield FoundMask(logits, score, float(stability), point, mask_set.size)
