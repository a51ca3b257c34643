"""Masks with a flaw, as they come from a file, a tracker or a hasty hand: what corrections start from.

Source: the protocol of "FocalClick" (Chen et al., 2022), which starts from masks of an IoU around .8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.evaluation.person import Mask
from clickmask.decoder.shapes import mask_iou

IOU_RANGE = (0.6, 0.9)  # of a flawed mask with the truth

Flaw = Callable[[Mask, float, np.random.Generator], Mask | None]


def cut_off(truth: Mask, target: float, rng: np.random.Generator) -> Mask | None:
    """Everything beyond a straight line is missing."""
    angle = rng.uniform(0, 2 * math.pi)
    rows, columns = np.nonzero(truth)
    along = columns * math.cos(angle) + rows * math.sin(angle)
    kept = along <= np.quantile(along, target)
    flawed = np.zeros_like(truth)
    flawed[rows[kept], columns[kept]] = True
    return _within_range([flawed], truth)


def leaky(truth: Mask, target: float, rng: np.random.Generator) -> Mask | None:
    """A disc is glued on at the edge."""
    edge = truth & ~_eroded(truth)
    rows, columns = np.nonzero(edge)
    at = int(rng.integers(len(rows)))
    down, across = np.ogrid[: truth.shape[0], : truth.shape[1]]
    squared = (down - rows[at]) ** 2 + (across - columns[at]) ** 2
    radii = np.geomspace(2, max(truth.shape), 40)
    return _nearest(lambda radius: truth | (squared <= radius**2), radii, truth, target)


def shifted(truth: Mask, target: float, rng: np.random.Generator) -> Mask | None:
    """The whole mask lies beside its object."""
    angle = rng.uniform(0, 2 * math.pi)

    def moved(distance: float) -> Mask:
        by = np.array([[1.0, 0.0, distance * math.cos(angle)], [0.0, 1.0, distance * math.sin(angle)]])
        size = (truth.shape[1], truth.shape[0])
        return np.asarray(cv2.warpAffine(truth.astype(np.uint8), by, size, flags=cv2.INTER_NEAREST) > 0)

    return _nearest(moved, np.geomspace(1, max(truth.shape) / 2, 40), truth, target)


def coarse(truth: Mask, target: float, rng: np.random.Generator) -> Mask | None:
    """The mask is made of large squares."""
    offset = rng.uniform(0, 1, 2)

    def squares(side: float) -> Mask:
        down, across = (int(share * side) for share in offset)
        padded = np.pad(truth, ((down, math.ceil(side)), (across, math.ceil(side)))).astype(np.float32)
        small = cv2.resize(padded, None, fx=1 / side, fy=1 / side, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, padded.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0.5
        return np.asarray(large[down : down + truth.shape[0], across : across + truth.shape[1]])

    return _nearest(squares, np.geomspace(2, max(truth.shape) / 2, 40), truth, target)


FLAWS: Mapping[str, Flaw] = {"cut": cut_off, "leaky": leaky, "shifted": shifted, "coarse": coarse}


def flawed_mask(truth: Mask, flaw: Flaw, rng: np.random.Generator) -> Mask | None:
    """Give a mask a flaw of a random size.

    Args:
        truth: Shape (H, W), not empty.
        flaw: Which.
        rng: Equal generators make equal flaws.

    Returns:
        A mask of an IoU in ``IOU_RANGE`` with the truth; None where this flaw makes none on this object.
    """
    return flaw(truth, float(rng.uniform(*IOU_RANGE)), rng)


def _nearest(make: Callable[[float], Mask], sizes: Iterable[float], truth: Mask, target: float) -> Mask | None:
    """Of a flaw that grows with its size, the one whose IoU is nearest to the target."""
    made = (make(float(size)) for size in sizes)
    best, best_error = None, math.inf
    for mask in made:
        quality = mask_iou(mask, truth)
        if abs(quality - target) < best_error:
            best, best_error = mask, abs(quality - target)
        if quality < IOU_RANGE[0] / 2:
            break
    return None if best is None else _within_range([best], truth)


def _within_range(masks: Iterable[Mask], truth: Mask) -> Mask | None:
    lowest, highest = IOU_RANGE
    return next((mask for mask in masks if lowest - 0.02 <= mask_iou(mask, truth) <= highest + 0.02), None)


def _eroded(mask: Mask) -> NDArray[np.bool_]:
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
