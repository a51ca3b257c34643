"""YOLO's segment rows: one ring per part, normalised to [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import check_size
from clickmask.decoder.shapes.polygons import Polygons

DECIMALS = 6  # 5 are lossless to 4000 px


def polygons_to_yolo(polygons: Polygons) -> list[list[float]]:
    """Normalise rings to [x0, y0, x1, y1, ...] in [0, 1], 6 decimals: lossless to 40,000 px.

    Convert the mask with ``style="painted"``: YOLO's training paints the outline too.

    Example:
        >>> import numpy as np
        >>> from clickmask.decoder.shapes import mask_to_polygons
        >>> polygons_to_yolo(mask_to_polygons(np.ones((2, 4), bool)))
        [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]]
    """
    sides = [polygons.size.width, polygons.size.height]
    return [np.round(ring / sides, DECIMALS).ravel().tolist() for ring in polygons.rings]


def yolo_to_polygons(rows: Sequence[Sequence[float]], size: Size) -> Polygons:
    """Scale normalised rows (without the class) back to rings [px]; ``iou`` is 1.0 (nothing is lost).

    Args:
        rows: Flat lists [x0, y0, x1, y1, ...], numbers in [0, 1] give or take a hundredth, as YOLO's
            training takes them.
        size: Height and width of the image [px].

    Raises:
        ShapeError: If a row is not an even number of at least 6 numbers in [0, 1].
    """
    size = check_size(size)
    return Polygons(tuple(_scale(row, index, size) for index, row in enumerate(rows)), size, 1.0)


def _scale(row: Sequence[float], index: int, size: Size) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    try:
        numbers = np.asarray(row, np.float64)
    except (TypeError, ValueError):
        raise ShapeError(f"row {index} is {repr(row)[:60]}, wanted numbers in [0, 1]") from None
    if numbers.ndim != 1 or numbers.size % 2 or numbers.size < 6:
        raise ShapeError(f"row {index} has {numbers.size} numbers, wanted x, y pairs of at least 3 points")
    wrong = ~((numbers >= -0.01) & (numbers <= 1.01))  # also true for NaN
    if wrong.any():
        raise ShapeError(f"row {index} holds {numbers[int(np.argmax(wrong))]}, wanted numbers in [0, 1]")
    return np.asarray(np.clip(numbers, 0, 1).reshape(-1, 2) * [size.width, size.height])
