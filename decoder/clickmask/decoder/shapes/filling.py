"""Filling polygons as COCO does: the judge of every polygon made here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.rle import Rle, compress

FAN_IN = 16  # run lengths united at a time: uniting thousands one by one takes quadratic time


def fill_rings(rings: Sequence[NDArray[np.float64]], size: Size) -> Rle:
    """Fill rings of shape (N, 2), N >= 3 [px]: even-odd within a ring, all rings united."""
    if not rings:
        return {"size": [size.height, size.width], "counts": compress(np.array([size.height * size.width]))}
    flat = [np.asarray(ring, np.float64).reshape(-1) for ring in rings]
    filled: list[Any] = coco_mask.frPyObjects(flat, size.height, size.width)
    while len(filled) > 1:
        filled = [coco_mask.merge(filled[at : at + FAN_IN]) for at in range(0, len(filled), FAN_IN)]
    return {"size": [size.height, size.width], "counts": filled[0]["counts"].decode("ascii")}


def rle_iou(first: Rle, second: Rle) -> float:
    """Intersection over union of two filled shapes of one size, in [0, 1]; two empty ones score 1."""
    if first["counts"] == second["counts"]:
        return 1.0
    return float(coco_mask.iou([_as_bytes(first)], [_as_bytes(second)], [0])[0, 0])


def check_ring(numbers: Sequence[float], index: int, size: Size) -> NDArray[np.float64]:
    """Turn one flat list [x0, y0, x1, y1, ...] into points, shape (N, 2).

    Raises:
        ShapeError: If it is not an even number of at least 6 finite numbers, or a point lies
            farther outside the image than the image is wide or high.
    """
    name = f"polygon {index}"
    try:
        flat = np.asarray(numbers, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ShapeError(f"{name} is {repr(numbers)[:60]}, wanted a flat list [x0, y0, x1, y1, ...]") from None
    if flat.ndim != 1 or flat.size % 2:
        raise ShapeError(f"{name} has shape {flat.shape}, wanted a flat list of x, y pairs")
    if flat.size < 6:
        raise ShapeError(f"{name} has {flat.size // 2} points, wanted at least 3")
    if not np.isfinite(flat).all():
        at = int(np.argmin(np.isfinite(flat)))
        raise ShapeError(f"{name} holds {flat[at]} at index {at}, wanted finite numbers")
    points = flat.reshape(-1, 2)
    sides = np.array([size.width, size.height])
    outside = ((points < -sides) | (points > 2 * sides)).any(axis=1)
    if outside.any():
        x, y = points[int(np.argmax(outside))].tolist()
        raise ShapeError(f"{name} has the point ({x}, {y}), far outside the {size} image")
    return points


def _as_bytes(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
