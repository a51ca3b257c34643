"""LabelMe's shapes, and X-AnyLabeling's, as masks and as they were drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.fields import Fields, array, finite, text, wrong
from clickmask.decoder.formats.records import Ring
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes import Ellipse, bitmap_url_to_mask, box_to_mask, ellipse_to_mask, polygons_to_mask

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape's pixels, shape (H, W), and how it was drawn: as a polygon, a box, or neither."""

    mask: NDArray[np.bool_]
    ring: Ring = ()
    box: tuple[float, float, float, float] | None = None  # x, y, width, height [px]


def read_shape(shape: Fields, size: Size, where: str) -> Shape:
    """Return a polygon, rectangle (upright or turned), circle or mask.

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


def _polygon(points: Points, _shape: Fields, size: Size) -> Shape:
    ring = tuple(value for point in points for value in point)
    return Shape(polygons_to_mask([list(ring)], size), ring)


def _rectangle(points: Points, shape: Fields, size: Size) -> Shape:
    """By two opposite corners, or by all four, as X-AnyLabeling has it; four of a turned one are a polygon."""
    x, y = [point[0] for point in points], [point[1] for point in points]
    if len(points) == 4 and not (len(set(x)) == len(set(y)) == 2):
        return _polygon(points, shape, size)
    if len(points) not in (2, 4):
        raise ShapeError(f"a rectangle has {len(points)} points, wanted 2 or 4")
    box = Box(min(x), min(y), max(x), max(y))
    return Shape(box_to_mask(box, size), (), (box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0))


def _circle(points: Points, _shape: Fields, size: Size) -> Shape:
    (x, y), edge = _two(points, "circle")
    radius = math.dist((x, y), edge)
    return Shape(ellipse_to_mask(Ellipse(x, y, radius, radius, 0.0), size))


def _mask(points: Points, shape: Fields, size: Size) -> Shape:
    """A PNG that covers the pixels from the first point to the second, both included."""
    (x0, y0), _ = _two(points, "mask")
    part = bitmap_url_to_mask(text(shape, "mask", "the shape"))
    left, top = round(x0), round(y0)
    whole = np.zeros((size.height, size.width), dtype=np.bool_)
    rows, columns = slice(max(top, 0), max(top + part.shape[0], 0)), slice(max(left, 0), max(left + part.shape[1], 0))
    window = whole[rows, columns]
    window |= part[max(-top, 0) :, max(-left, 0) :][: window.shape[0], : window.shape[1]]
    return Shape(whole)


def _two(points: Points, kind: str) -> Points:
    if len(points) != 2:
        raise ShapeError(f"a {kind} has {len(points)} points, wanted 2")
    return points


def _point(point: object, where: str) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) != 2:
        raise wrong(where, "a point", point, "[x, y] in pixels")
    return finite(point[0], "x", where), finite(point[1], "y", where)


_SHAPES: Mapping[str, Callable[[Points, Fields, Size], Shape]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "oriented_rectangle": _polygon,
    "rotation": _polygon,
    "circle": _circle,
    "mask": _mask,
}
