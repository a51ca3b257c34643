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


def check_ring(numbers: object, name: str, size: Size) -> NDArray[np.float64]:
    """Turn one flat list [x0, y0, x1, y1, ...] into points, shape (N, 2).

    Args:
        numbers: As a file or a caller gave it.
        name: What messages call it.
        size: Of the image.

    Raises:
        ShapeError: If it is not an even number of at least 6 numbers, or ``check_coordinates`` says no.
    """
    flat = check_coordinates(numbers, name, size)
    if flat.size < 6 or flat.size % 2:
        raise ShapeError(f"{name} has {flat.size} numbers, wanted an even number of at least 6")
    return flat.reshape(-1, 2)


def check_coordinates(numbers: object, name: str, size: Size) -> NDArray[np.float64]:
    """Return coordinates [px] as an array (N,) if they are near an image.

    Raises:
        ShapeError: If they are no flat list of finite numbers, or one lies farther outside the image than its longer
            side.
    """
    try:
        flat = np.array(numbers)
    except ValueError:  # lists of several lengths
        flat = np.array(None)
    if flat.ndim != 1 or flat.dtype.kind not in "iuf":
        raise ShapeError(f"{name} is {numbers!r:.80}, wanted a flat list of numbers")
    longest = max(size.height, size.width)
    near = (flat >= -longest) & (flat <= 2 * longest)  # NaN is not
    if not near.all():
        at = int(np.argmin(near))
        raise ShapeError(f"{name} has the coordinate {flat[at]}, far off the {size} image or not finite")
    return flat.astype(np.float64)


def _as_bytes(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
