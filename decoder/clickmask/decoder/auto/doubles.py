"""Which of several masks of the same thing is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder.auto.found import FoundMask

NEARLY_INSIDE = 0.9  # share of a mask that lies in another one, for it to count as lying within


def suppress_boxes(boxes: NDArray[np.float32], scores: ArrayLike, max_iou: float) -> list[int]:
    """Keep a box only if its IoU with every better one that is kept is at most ``max_iou``.

    Non-maximum suppression; of equal scores the first counts as better.

    Args:
        boxes: (N, 4) as (x0, y0, x1, y1).
        scores: (N,).
        max_iou: In [0, 1]; 1 keeps all.

    Returns:
        Positions of those kept, best first.

    Example:
        >>> boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 8], [20, 0, 29, 9]], np.float32)
        >>> suppress_boxes(boxes, [0.8, 0.9, 0.1], 0.7)
        [1, 2]
    """
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    x0, y0, x1, y1 = boxes[order].T
    areas = (x1 - x0) * (y1 - y0)
    alive = np.ones(len(order), np.bool_)
    kept = []
    for index in range(len(order)):
        if not alive[index]:
            continue
        kept.append(int(order[index]))
        later = slice(index + 1, None)
        width = np.minimum(x1[index], x1[later]) - np.maximum(x0[index], x0[later])
        height = np.minimum(y1[index], y1[later]) - np.maximum(y0[index], y0[later])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        alive[later] &= ~(shared > max_iou * (areas[index] + areas[later] - shared))
    return kept


def pixel_boxes(masks: Sequence[FoundMask]) -> NDArray[np.float32]:
    """Boxes as the official generator compares them, by their first and last pixels: (N, 4)."""
    corners = [(mask.box.x0, mask.box.y0, mask.box.x1 - 1, mask.box.y1 - 1) for mask in masks]
    return np.array(corners, np.float32).reshape(-1, 4)


def suppress_within_crop(masks: Sequence[FoundMask], max_iou: float) -> list[FoundMask]:
    """Of masks with nearly the same box keep that of the best predicted IoU; best first."""
    scores = [mask.predicted_iou for mask in masks]
    return [masks[index] for index in suppress_boxes(pixel_boxes(masks), scores, max_iou)]


def suppress_across_crops(masks: Sequence[FoundMask], max_iou: float) -> list[FoundMask]:
    """Of masks with nearly the same box keep that of the smallest crop; smallest crop first."""
    scores = np.float32(1) / np.array([mask.crop.area for mask in masks], np.float32)
    return [masks[index] for index in suppress_boxes(pixel_boxes(masks), scores, max_iou)]


def is_known(mask: FoundMask, others: Sequence[FoundMask], max_box_iou: float) -> bool:
    """Whether another click found nearly the same box before."""
    x0, y0, x1, y1 = pixel_boxes(others).T
    left, top, right, bottom = pixel_boxes([mask])[0]
    shared = np.clip(np.minimum(x1, right) - np.maximum(x0, left), 0, None)
    shared = shared * np.clip(np.minimum(y1, bottom) - np.maximum(y0, top), 0, None)
    union = (x1 - x0) * (y1 - y0) + (right - left) * (bottom - top) - shared
    elsewhere = np.array([other.point != mask.point for other in others], np.bool_)
    return bool((elsewhere & (shared > max_box_iou * union)).any())


def drop_nested(masks: Sequence[FoundMask], max_nesting: float) -> list[FoundMask]:
    """Of two masks that are one thing, with its rim and without, keep the better.

    Two masks are one thing if the smaller lies within the larger (at least nine tenths of it do) and has more than
    ``max_nesting`` of its area. A wheel in a car is not.

    Args:
        masks: Any number.
        max_nesting: Share in [0, 1]; 1 keeps all.

    Returns:
        Best first: by predicted IoU times stability.
    """
    best_first = sorted(masks, key=lambda mask: mask.predicted_iou * mask.stability, reverse=True)
    kept: list[FoundMask] = []
    for mask in best_first:
        near = [other for other in kept if max_nesting < _share(mask.area, other.area)]
        if not near or not (_shares_inside(mask, near) >= NEARLY_INSIDE).any():
            kept.append(mask)
    return kept


def _share(area: int, other: int) -> float:
    return min(area, other) / max(area, other)


def _shares_inside(mask: FoundMask, others: Sequence[FoundMask]) -> NDArray[np.float64]:
    """What share of the smaller mask lies in the larger one, for each of the others: (N,)."""
    own = [{"size": mask.rle["size"], "counts": mask.rle["counts"].encode()}]
    theirs = [{"size": other.rle["size"], "counts": other.rle["counts"].encode()} for other in others]
    of_own = np.asarray(coco_mask.iou(own, theirs, [1] * len(theirs)))[0]  # "crowds": shared area of own area
    smaller = np.array([min(mask.area, other.area) for other in others])
    return np.asarray(of_own * mask.area / smaller)
