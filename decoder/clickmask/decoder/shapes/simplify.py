"""Fewer points at a promised IoU, or the best IoU for so many points.

Fit sides to every ring, share the points out, move the corners, leave corners out while the
promise holds. Filling as COCO does it has the last word on every answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from clickmask.decoder.shapes.allotment import (
    LEAST_TOLERANCE_PX,
    TOLERANCE,
    Choices,
    allot_by_error,
    allot_by_points,
    build_outline,
    ring_choices,
)
from clickmask.decoder.shapes.descent import GRID_PX, Outline
from clickmask.decoder.shapes.pruning import leave_out
from clickmask.decoder.shapes.rings import Rings
from clickmask.decoder.shapes.trials import Target, Trial

FIRST_SHARE, LAST_SHARE = 1.1, 0.03  # of the wrong pixels allowed, as the fit's error, which is an estimate
NEXT_SHARE = 0.93  # at most of the share that was too much
MOVED_SHARE = 0.85  # of the wrong pixels is what moving the corners leaves at best
MAX_STEP_PX = 6.4


def reach_iou(target: Target, min_iou: float) -> Trial | None:
    """Find few points that reach ``min_iou``; None: only exact ones do."""
    deviation_px = target.deviation_px(min_iou)
    steps_px = _steps_px(deviation_px)
    while True:
        trial = _search(target, min_iou, ring_choices(target.rings, deviation_px), steps_px)
        if trial is not None:
            return leave_out(target, trial, min_iou, steps_px[0])
        if TOLERANCE * deviation_px <= LEAST_TOLERANCE_PX:
            return None
        deviation_px /= 2  # rings of very uneven detail need more sides than was thought


def _search(target: Target, min_iou: float, choices: Sequence[Choices], steps_px: Sequence[float]) -> Trial | None:
    """Try more and more sides until the IoU is reached, guessing from each trial what the next one needs."""
    budget = target.wrong_pixels(min_iou)
    share = FIRST_SHARE
    while share > LAST_SHARE:
        outline, kept = _lay(target, choices, allot_by_error(choices, share * budget))
        excess = MOVED_SHARE * target.table.wrong_pixels(outline) / budget
        if excess <= 1:
            trial = target.judge(target.move(outline, steps_px), kept)
            if trial.iou >= min_iou:
                return trial
            excess = (1 - trial.iou) / (1 - min_iou)
        share *= min(NEXT_SHARE, 1 / excess)
    return None


def spend_points(target: Target, max_points: int) -> Trial:
    """Find the best IoU for at most ``max_points`` points, 3 or more."""
    deviation_px = _deviation_for(target.rings, max_points)
    choices = ring_choices(target.rings, deviation_px)
    sides = allot_by_points(choices, max_points)
    if not any(sides):
        return _triangle(target)
    outline, kept = _lay(target, choices, sides)
    return target.judge(target.move(outline, _steps_px(deviation_px)), kept)


def _steps_px(deviation_px: float) -> list[float]:
    """Steps of the corners' search, from about the mean deviation down to the grid, each a third of the one before."""
    powers = round(np.log(min(max(deviation_px, 2 * GRID_PX), MAX_STEP_PX) / GRID_PX) / np.log(3))
    return [GRID_PX * 3**power for power in range(powers, -1, -1)]


def _deviation_for(rings: Rings, max_points: int) -> float:
    """A mean deviation at which somewhat more than ``max_points`` points would be spent."""
    deviation_px = LEAST_TOLERANCE_PX / TOLERANCE
    largest = max(range(len(rings)), key=lambda at: len(rings.ring(at)))
    while len(cv2.approxPolyDP(rings.ring(largest), TOLERANCE * deviation_px, True)) > 1.5 * max_points + 8:
        deviation_px *= 1.5
    return deviation_px


def _lay(target: Target, choices: Sequence[Choices], sides: Sequence[int]) -> tuple[Outline, list[int]]:
    """Corners of the rings that get any, and which rings those are; a hole goes with the part it is in."""
    kept = [at for at in range(len(sides)) if sides[at] and sides[target.outer_ring(at)]]
    outline = build_outline([choices[at] for at in kept], [sides[at] for at in kept])
    return target.inside(outline), kept


def _triangle(target: Target) -> Trial:
    """The least polygon there is, around most of the largest ring."""
    outers = np.flatnonzero(~target.rings.is_hole).tolist()
    largest = max(outers, key=lambda at: cv2.contourArea(target.rings.ring(at)))
    x0, y0 = target.rings.ring(largest).min(axis=0).tolist()
    x1, y1 = target.rings.ring(largest).max(axis=0).tolist()
    corners = np.array([[x0, y0], [x0, y1], [x1, (y0 + y1) / 2]], np.float64)
    outline = Outline(np.round(corners / GRID_PX) * GRID_PX, np.array([0, 3]))
    return target.judge(target.move(outline, _steps_px(MAX_STEP_PX)), [largest])
