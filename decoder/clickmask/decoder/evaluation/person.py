"""The standard simulated person of click evaluations: always clicks the deepest point of the larger error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Point
from clickmask.decoder.shapes import deepest_point

Mask = NDArray[np.bool_]  # (H, W)


def iou(first: Mask, second: Mask) -> float:
    """Intersection over union; two empty masks are equal.

    Example:
        >>> iou(np.array([[True, True]]), np.array([[True, False]]))
        0.5
    """
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0


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
