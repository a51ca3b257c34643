"""The standard simulated person of click evaluations: always clicks the deepest point of the larger error."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Box, Point

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
    missed, missed_depth = _deepest(truth & ~answer)
    added, added_depth = _deepest(answer & ~truth)
    if missed_depth == 0 and added_depth == 0:
        return None
    row, column = missed if missed_depth >= added_depth else added
    return Point(column + 0.5, row + 0.5, positive=missed_depth >= added_depth)


def tight_box(truth: Mask) -> Box:
    """The smallest box around a mask that is not empty."""
    rows, columns = np.flatnonzero(truth.any(axis=1)), np.flatnonzero(truth.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _deepest(error: Mask) -> tuple[tuple[int, int], float]:
    """(row, column) of the point farthest from all that is no error, and how far [px]; 0 if there is none."""
    padded = np.pad(error, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return (int(row), int(column)), float(depth[row, column])
