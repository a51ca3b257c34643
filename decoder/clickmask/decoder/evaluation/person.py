"""Simulated people: the standard one clicks the deepest point of the larger error, others click as people do."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Point
from clickmask.decoder.shapes import deepest_point

Mask = NDArray[np.bool_]  # (H, W)


def next_click(truth: Mask, answer: Mask) -> Point | None:
    """Where to click to correct an answer.

    Of the deepest point that is missed and the deepest that is wrongly covered, the deeper one; depth is the
    distance to what is no such error, and the picture's border counts as that.

    Returns:
        A click at a pixel's centre, positive on what is missed; None where the answer is right.
    """
    missed, added = deepest_point(truth & ~answer), deepest_point(answer & ~truth)
    if missed is not None and (added is None or missed[1] >= added[1]):
        return missed[0]
    return None if added is None else replace(added[0], positive=False)


def human_click(truth: Mask, answer: Mask, rng: np.random.Generator) -> Point | None:
    """Where a person may click to correct an answer: in the larger error, but seldom in its middle.

    A third of the clicks each is uniform inside, near its border, and on a part that lies off its centre.

    Returns:
        A click at a pixel's centre, positive on what is missed; None where the answer is right.
    """
    standard = next_click(truth, answer)
    if standard is None:
        return None
    error = truth & ~answer if standard.positive else answer & ~truth
    _, parts = cv2.connectedComponents(error.view(np.uint8), connectivity=4)
    part = parts == parts[int(standard.y), int(standard.x)]
    rows, columns = np.nonzero(part)
    depth = cv2.distanceTransform(np.pad(part.view(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    deep = depth[rows, columns]
    off_centre = np.hypot(rows - rows.mean(), columns - columns.mean())
    weights = (
        np.ones(len(rows)),
        (deep <= max(1.0, 0.3 * float(deep.max()))).astype(np.float64),
        (off_centre >= np.quantile(off_centre, 0.6)).astype(np.float64),
    )[int(rng.integers(3))]
    at = int(rng.choice(len(rows), p=weights / weights.sum()))
    return Point(float(columns[at]) + 0.5, float(rows[at]) + 0.5, standard.positive)
