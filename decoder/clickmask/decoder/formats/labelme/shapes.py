"""LabelMe's shapes as masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.fields import Fields, array, finite, text, wrong
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes import Ellipse, bitmap_url_to_mask, box_to_mask, ellipse_to_mask, polygons_to_mask

Points = list[tuple[float, float]]


def shape_to_mask(shape: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    """Return the pixels of a polygon, rectangle, circle or mask, shape (H, W).

    Raises:
        DatasetError: If a field is missing or malformed.
        ShapeError: If the shape is malformed or has no area (points and lines).
    """
    kind = shape.get("shape_type", "polygon")
    if not isinstance(kind, str) or kind not in _SHAPES:
        raise ShapeError(f"{where}: shape_type is {kind!r:.40}, which has no area, wanted {', '.join(_SHAPES)}")
    points = [_point(point, where) for point in array(shape, "points", where)]
    try:
        return _SHAPES[kind](points, shape, size)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None


def _polygon(points: Points, _shape: Fields, size: Size) -> NDArray[np.bool_]:
    return polygons_to_mask([[value for point in points for value in point]], size)


def _rectangle(points: Points, _shape: Fields, size: Size) -> NDArray[np.bool_]:
    (x0, y0), (x1, y1) = _two(points, "rectangle")
    return box_to_mask(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), size)


def _circle(points: Points, _shape: Fields, size: Size) -> NDArray[np.bool_]:
    (x, y), edge = _two(points, "circle")
    radius = math.dist((x, y), edge)
    return ellipse_to_mask(Ellipse(x, y, radius, radius, 0.0), size)


def _mask(points: Points, shape: Fields, size: Size) -> NDArray[np.bool_]:
    """A PNG that covers the pixels from the first point to the second, both included."""
    (x0, y0), _ = _two(points, "mask")
    part = bitmap_url_to_mask(text(shape, "mask", "the shape"))
    left, top = round(x0), round(y0)
    whole = np.zeros((size.height, size.width), dtype=np.bool_)
    rows, columns = slice(max(top, 0), max(top + part.shape[0], 0)), slice(max(left, 0), max(left + part.shape[1], 0))
    window = whole[rows, columns]
    window |= part[max(-top, 0) :, max(-left, 0) :][: window.shape[0], : window.shape[1]]
    return whole


def _two(points: Points, kind: str) -> Points:
    if len(points) != 2:
        raise ShapeError(f"a {kind} has {len(points)} points, wanted 2")
    return points


def _point(point: object, where: str) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) != 2:
        raise wrong(where, "a point", point, "[x, y] in pixels")
    return finite(point[0], "x", where), finite(point[1], "y", where)


_SHAPES: Mapping[str, Callable[[Points, Fields, Size], NDArray[np.bool_]]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "circle": _circle,
    "mask": _mask,
}
