"""Leaving corners out of polygons as long as a promised IoU allows.

Corners go many at a time and then one by one; those around them move to make up for it.
Wrong pixels are counted on the way, and the one that is returned is filled to make sure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes.descent import Outline
from clickmask.decoder.shapes.fitting import Floats
from clickmask.decoder.shapes.trials import MAX_MOVED_POINTS, Target, Trial

REACH = 3  # corners away from a left-out one that move to make up for it
FIRST_SHARE = 1.0  # of the slack that corners left out together may use up before others make up for it
NEXT_SHARE = 0.3  # of the share that was too much


def leave_out(target: Target, trial: Trial, min_iou: float, step_px: float) -> Trial:
    """Leave corners out of a trial that reaches ``min_iou``, moving others by steps; the result reaches it as well."""
    outlines = [trial.outline]
    budget = target.wrong_pixels(min_iou)
    share = FIRST_SHARE
    while len(outlines[-1].points) <= MAX_MOVED_POINTS:
        outline = outlines[-1]
        slack = budget - target.table.wrong_pixels(outline)
        chosen = _cheapest(target.table.removal_costs(outline), outline, share * slack)
        if not chosen.any():
            break
        fewer = _without(target, outline, chosen, step_px)
        if target.table.wrong_pixels(fewer) <= budget:
            outlines.append(fewer)
        elif np.count_nonzero(chosen) > 1:
            share *= NEXT_SHARE
        else:
            break
    tried = (target.judge(outline, trial.kept) for outline in reversed(outlines[1:]))
    return next((found for found in tried if found.iou >= min_iou), trial)


def _cheapest(costs: Floats, outline: Outline, max_cost: float) -> NDArray[np.bool_]:
    """Corners to leave out together: the cheapest, and more while none are close and the sum allows; 3 a ring stay."""
    lengths = np.diff(outline.starts)
    costs = np.where(np.repeat(lengths, lengths) > 3, np.maximum(costs, 0), np.inf)
    chosen = np.zeros(len(costs), np.bool_)
    close = np.zeros(len(costs), np.bool_)
    previous, following = outline.previous, outline.following
    for at in np.argsort(costs).tolist():
        if close[at]:
            continue
        max_cost -= float(costs[at])
        if not np.isfinite(max_cost) or (max_cost < 0 and chosen.any()):
            break
        chosen[at] = True
        for near in (previous[at], following[at], previous[previous[at]], following[following[at]]):
            close[near] = True
    return chosen


def _without(target: Target, outline: Outline, chosen: NDArray[np.bool_], step_px: float) -> Outline:
    """Leave the chosen corners out and move the ones around them."""
    active = chosen
    for _ in range(REACH):
        active = active | active[outline.previous] | active[outline.following]
    lengths = np.diff(outline.starts) - np.add.reduceat(chosen, outline.starts[:-1], dtype=np.int64)
    left = Outline(outline.points[~chosen], np.concatenate([[0], np.cumsum(lengths)]))
    return target.move(left, [step_px], active[~chosen])
