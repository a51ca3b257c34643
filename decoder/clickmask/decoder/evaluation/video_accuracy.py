"""How well a track fits the truth: J, the overlap of the masks, and F, the agreement of their outlines.

Source: "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation" (Perazzi et al., 2016).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes import Mask, mask_iou

OUTLINE_TOLERANCE = 0.008  # of the image's diagonal


def region_similarity(found: Mask, truth: Mask) -> float:
    """J: intersection over union, in [0, 1]; two empty masks score 1."""
    return mask_iou(found, truth)


def contour_accuracy(found: Mask, truth: Mask) -> float:
    """F: harmonic mean of the shares of either outline that lie near the other, in [0, 1].

    Near is within 0.8% of the diagonal, rounded up to pixels. Two empty outlines score 1,
    one empty outline 0.

    Example:
        >>> square = np.zeros((20, 20), bool)
        >>> square[5:15, 5:15] = True
        >>> contour_accuracy(square, square), contour_accuracy(np.roll(square, 5, axis=1), square)
        (1.0, 0.4507042253521127)
    """
    radius = math.ceil(OUTLINE_TOLERANCE * math.hypot(*truth.shape))
    found_outline, true_outline = outline(found), outline(truth)
    if not found_outline.any() or not true_outline.any():
        return float(found_outline.any() == true_outline.any())
    precision = (found_outline & _grow(true_outline, radius)).sum() / found_outline.sum()
    recall = (true_outline & _grow(found_outline, radius)).sum() / true_outline.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def outline(mask: Mask) -> NDArray[np.bool_]:
    """Pixels that differ from their neighbour to the right, below, or below to the right."""
    inside = np.pad(np.asarray(mask) != 0, ((0, 1), (0, 1)), mode="edge")
    here = inside[:-1, :-1]
    changes: NDArray[np.bool_] = (here ^ inside[:-1, 1:]) | (here ^ inside[1:, :-1]) | (here ^ inside[1:, 1:])
    return changes


def _grow(pixels: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Everything within a radius [px] of the pixels."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x * x + y * y <= radius * radius).astype(np.uint8)
    return np.asarray(cv2.dilate(pixels.astype(np.uint8), disc) != 0)
