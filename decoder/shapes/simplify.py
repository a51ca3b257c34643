"""Fewer points at a promised IoU, or the best IoU for so many points.

Fit sides to every ring, share the points out, move the corners, leave corners out while the
promise holds. Filling as COCO does it has the last word on every answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from decoder.prompts import Size
from decoder.shapes.allotment import (
    LEAST_TOLERANCE_PX,
    TOLERANCE,
    Choices,
    allot_by_error,
    allot_by_points,
    build_outline,
    ring_choices,
)
from decoder.shapes.descent import GRID_PX, ErrorTable, Outline
from decoder.shapes.filling import fill_rings, rle_iou
from decoder.shapes.fitting import Floats
from decoder.shapes.keyholes import find_cuts, join_rings, nearest_cuts
from decoder.shapes.masks import mask_size
from decoder.shapes.rings import Rings, find_rings
from decoder.shapes.rle import Rle, mask_to_rle

BUDGET_SHARES = (1.1, 1.0, 0.92, 0.85, 0.78, 0.7, 0.6, 0.45, 0.3, 0.15, 0.05)  # fitted errors are estimates
MAX_MOVED_POINTS = 4_000  # beyond it corners stay where the fit put them
MAX_STEP_PX = 6.4
REACH = 3  # corners away from a left-out one that move to make up for it
BATCH_SHARE = 0.5  # of the slack that corners left out together may use


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """Polygons tried for a mask.

    Args:
        outline: Corners of the rings that are not left out.
        kept: Which of the mask's rings those are.
        joined: The rings with their holes joined, shape (N, 2) each [px].
        iou: What they reach when filled.
    """

    outline: Outline
    kept: list[int]
    joined: list[Floats]
    iou: float

    @property
    def num_points(self) -> int:
        """Points of all joined rings together."""
        return sum(len(ring) for ring in self.joined)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What trying polygons for one mask needs."""

    size: Size
    rings: Rings
    targets: dict[int, int]  # hole -> the ring it is cut to
    rle: Rle
    table: ErrorTable


def reach_iou(pixels: NDArray[np.uint8], min_iou: float) -> Attempt | None:
    """Find few points that reach ``min_iou`` on a mask of shape (H, W) that is not empty; None: only exact ones do."""
    task = _prepare(pixels)
    budget = (1 - min_iou) * task.table.area
    deviation_px = budget / _perimeter_px(task.rings)
    choices = ring_choices(task.rings, deviation_px)
    steps_px = _steps_px(deviation_px)
    for share in BUDGET_SHARES:
        attempt = _fit(task, choices, allot_by_error(choices, share * budget), steps_px)
        if attempt.iou >= min_iou:
            return _leave_out(task, attempt, min_iou, steps_px)
    return None


def spend_points(pixels: NDArray[np.uint8], max_points: int) -> Attempt:
    """Find the best IoU for at most ``max_points`` points (3 or more) on a mask that is not empty."""
    task = _prepare(pixels)
    deviation_px = _deviation_for(task.rings, max_points)
    choices = ring_choices(task.rings, deviation_px)
    sides = allot_by_points(choices, max_points)
    if any(sides):
        return _fit(task, choices, sides, _steps_px(deviation_px))
    return _triangle(task)


def allowed_px(pixels: NDArray[np.uint8], min_iou: float) -> float:
    """How far from the mask's outline a polygon may be on average to reach ``min_iou``."""
    return (1 - min_iou) * int(np.count_nonzero(pixels)) / _perimeter_px(find_rings(pixels))


def _prepare(pixels: NDArray[np.uint8]) -> _Task:
    rings = find_rings(pixels)
    targets = {cut.hole: cut.target for cut in find_cuts(rings, pixels)}
    return _Task(mask_size(pixels), rings, targets, mask_to_rle(pixels), ErrorTable.of(pixels))


def _perimeter_px(rings: Rings) -> float:
    return float(np.abs(rings.corners[rings.following()] - rings.corners).sum())


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


def _fit(task: _Task, choices: Sequence[Choices], sides: Sequence[int], steps_px: Sequence[float]) -> Attempt:
    """Lay and move the corners of the rings that get any; a hole goes with the part it is in."""
    kept = [at for at in range(len(sides)) if sides[at] and sides[_outer_ring(task, at)]]
    outline = build_outline([choices[at] for at in kept], [sides[at] for at in kept])
    return _judge(task, _move(task, outline, steps_px), kept)


def _outer_ring(task: _Task, ring: int) -> int:
    """The outer ring of the part a ring belongs to."""
    while ring in task.targets:
        ring = task.targets[ring]
    return ring


def _move(task: _Task, outline: Outline, steps_px: Sequence[float], active: NDArray[np.bool_] | None = None) -> Outline:
    inside = np.clip(outline.points, 0, [task.size.width, task.size.height])
    outline = Outline(inside, outline.starts)
    return task.table.improve(outline, steps_px, active) if len(inside) <= MAX_MOVED_POINTS else outline


def _judge(task: _Task, outline: Outline, kept: list[int]) -> Attempt:
    """Join the holes, fill, compare."""
    place = {ring: at for at, ring in enumerate(kept)}
    corners = [outline.points[begin:end] for begin, end in pairwise(outline.starts.tolist())]
    pairs = []
    for ring in kept:
        target = task.targets.get(ring)
        while target is not None and target not in place:
            target = task.targets.get(target)
        if target is not None:
            pairs.append((place[ring], place[target]))
    joined = join_rings(corners, nearest_cuts(corners, pairs))
    return Attempt(outline, kept, joined, rle_iou(fill_rings(joined, task.size), task.rle))


def _leave_out(task: _Task, attempt: Attempt, min_iou: float, steps_px: Sequence[float]) -> Attempt:
    """Leave corners out, many at first and then one by one, as long as the IoU allows."""
    budget = (1 - min_iou) * task.table.area
    share = BATCH_SHARE
    while len(attempt.outline.points) <= MAX_MOVED_POINTS:
        slack = budget - task.table.wrong_pixels(attempt.outline)
        chosen = _cheapest(task.table.removal_costs(attempt.outline), attempt.outline, share * slack)
        if not chosen.any():
            break
        tried = _without(task, attempt, chosen, steps_px)
        if tried.iou >= min_iou:
            attempt = tried
        elif share > 0 and np.count_nonzero(chosen) > 1:
            share = 0.0
        else:
            break
    return attempt


def _cheapest(costs: Floats, outline: Outline, max_cost: float) -> NDArray[np.bool_]:
    """Corners to leave out together: the cheapest, and more while none are neighbours and the sum allows."""
    lengths = np.diff(outline.starts)
    costs = np.where(np.repeat(lengths, lengths) > 3, costs, np.inf)
    chosen = np.zeros(len(costs), np.bool_)
    blocked = np.zeros(len(costs), np.bool_)
    previous, following = outline.previous, outline.following
    spent = 0.0
    for at in np.argsort(costs).tolist():
        spent += max(float(costs[at]), 0.0)
        if not np.isfinite(spent) or (spent > max_cost and chosen.any()):
            break
        if not blocked[at]:
            chosen[at] = True
            for near in (previous[at], following[at], previous[previous[at]], following[following[at]]):
                blocked[near] = True
    return chosen


def _without(task: _Task, attempt: Attempt, chosen: NDArray[np.bool_], steps_px: Sequence[float]) -> Attempt:
    """Leave the chosen corners out and move the ones around them."""
    outline = attempt.outline
    active = chosen.copy()
    for _ in range(REACH):
        active |= active[outline.previous] | active[outline.following]
    lengths = np.diff(outline.starts) - np.add.reduceat(chosen, outline.starts[:-1], dtype=np.int64)
    left = Outline(outline.points[~chosen], np.concatenate([[0], np.cumsum(lengths)]))
    return _judge(task, _move(task, left, steps_px, active[~chosen]), attempt.kept)


def _triangle(task: _Task) -> Attempt:
    """The least polygon there is, around most of the largest ring."""
    outers = np.flatnonzero(~task.rings.is_hole).tolist()
    largest = max(outers, key=lambda at: cv2.contourArea(task.rings.ring(at)))
    x0, y0 = task.rings.ring(largest).min(axis=0).tolist()
    x1, y1 = task.rings.ring(largest).max(axis=0).tolist()
    corners = np.array([[x0, y0], [x0, y1], [x1, (y0 + y1) / 2]], np.float64)
    outline = Outline(np.round(corners / GRID_PX) * GRID_PX, np.array([0, 3]))
    return _judge(task, _move(task, outline, _steps_px(MAX_STEP_PX)), [largest])
