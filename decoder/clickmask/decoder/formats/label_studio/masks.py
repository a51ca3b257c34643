"""Label Studio regions as masks.

``image_rotation`` says how the picture was turned on the annotator's screen. It is checked but
not applied: coordinates and pixels of every region stay those of the picture as it is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.fields import Fields, array, as_fields, finite, integer, number, side, text, wrong
from clickmask.decoder.formats.label_studio.paths import flatten_path, read_vertex
from clickmask.decoder.formats.records import Ring
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes import (
    Ellipse,
    RotatedBox,
    bitmap_url_to_mask,
    box_to_mask,
    brush_to_mask,
    ellipse_to_mask,
    polygons_to_mask,
    rotated_box_to_mask,
)
from clickmask.decoder.shapes.masks import check_size

MAX_PERCENT = 1_000.0
DECIMALS_PX = 6  # of coordinates that were percents


def result_to_mask(item: Any) -> NDArray[np.bool_]:
    """Return the pixels of one item of an annotation's ``result``.

    Brush, bitmask, polygon, closed vector (with Bezier curves), rectangle (also rotated),
    ellipse and keypoint (the disc that Label Studio draws) are read; what an item is, is told
    by the keys of its ``value``, as Label Studio itself does.

    Args:
        item: The item, as JSON gives it.

    Returns:
        The mask, shape (original_height, original_width).

    Raises:
        ShapeError: If the shape is malformed, or has no area (an open vector).
        DatasetError: If a field is missing or is not what it should be.

    Example:
        >>> value = {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0}
        >>> item = {"id": "a", "type": "rectangle", "original_width": 4, "original_height": 4, "value": value}
        >>> result_to_mask(item).astype(int)
        array([[1, 1, 0, 0],
               [1, 1, 0, 0],
               [0, 0, 0, 0],
               [0, 0, 0, 0]])
    """
    where = f"region {as_fields(item, 'region').get('id')!r:.40}"
    value = as_fields(item.get("value"), f"{where}: value")
    if "image_rotation" in item:
        integer(item, "image_rotation", where, least=-360, most=360)
    for keys, read in _READERS:
        if keys <= value.keys():
            return read(value, region_size(item), where)
    raise wrong(where, "value", sorted(value), "the keys of a brush, bitmask, polygon, vector, box, ellipse or point")


def is_shape(item: Any) -> TypeGuard[Fields]:
    """Whether an item of a ``result`` has a shape on an image; choices, texts and relations have none."""
    if not isinstance(item, dict) or not isinstance(item.get("value"), dict):
        return False
    return any(keys <= item["value"].keys() for keys, _ in _READERS)


def region_size(item: Fields) -> Size:
    """Return the size of the image an item was drawn on.

    Raises:
        DatasetError: If it is missing or impossible.
    """
    where = f"region {item.get('id')!r:.40}"
    return check_size(Size(side(item, "original_height", where), side(item, "original_width", where)))


def region_ring(item: Fields) -> Ring | None:
    """Return the ring of a polygon or turned rectangle, flat [px]; None of other regions.

    Raises:
        DatasetError: If a field is missing or malformed.
        ShapeError: If a width or height is not positive.
    """
    where = f"region {item.get('id')!r:.40}"
    value, size = as_fields(item.get("value"), where), region_size(item)
    if {"x", "y", "height"} <= value.keys() and "rle" not in value and "radiusX" not in value:
        return _turned_ring(value, size, where) if _rotation(value, where) else None
    if "points" not in value or value.keys() & {"rle", "imageDataURL", "vertices"}:
        return None
    points = [_pixels(_pair(point, where), size) for point in array(value, "points", where)]
    return tuple(_tidy(number) for point in points for number in point)


def region_box(item: Fields) -> tuple[float, float, float, float] | None:
    """Return an upright rectangle's (x, y, width, height) [px]; None of other regions.

    Raises:
        DatasetError: If a field is missing or malformed.
        ShapeError: If a width or height is not positive.
    """
    where = f"region {item.get('id')!r:.40}"
    value = as_fields(item.get("value"), where)
    if not {"x", "y", "width", "height"} <= value.keys() or value.keys() & {"rle", "imageDataURL", "radiusX"}:
        return None
    x, y, width, height = extent(value, "x", "y", "width", "height", size=region_size(item), where=where)
    return _tidy(x), _tidy(y), _tidy(width), _tidy(height)


def _turned_ring(value: Fields, size: Size, where: str) -> Ring:
    x, y, width, height = extent(value, "x", "y", "width", "height", size=size, where=where)
    angle = math.radians(_rotation(value, where))
    cos, sin = math.cos(angle), math.sin(angle)  # turned about the top-left corner, clockwise on screen
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    return tuple(_tidy(at) for u, v in corners for at in (x + u * cos - v * sin, y + u * sin + v * cos))


def _tidy(pixels: float) -> float:
    """A coordinate without the noise of percents, which can move it over a pixel's centre."""
    return round(pixels, DECIMALS_PX)


def _read_brush(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    return brush_to_mask(array(value, "rle", where), size)


def _read_bitmask(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    try:
        return bitmap_url_to_mask(text(value, "imageDataURL", where), size)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None


def _read_polygon(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    ring = [_pixels(_pair(point, where), size) for point in array(value, "points", where)]
    return polygons_to_mask([[number for point in ring for number in point]], size)


def _read_vector(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    if value.get("closed") is not True:
        raise ShapeError(f"{where}: the vector is open and has no area, wanted a closed one")
    vertices = [read_vertex(vertex, where) for vertex in array(value, "vertices", where)]
    ring = [_pixels(point, size) for point in flatten_path(vertices)]
    return polygons_to_mask([[number for point in ring for number in point]], size)


def _read_rectangle(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    x, y, width, height = extent(value, "x", "y", "width", "height", size=size, where=where)
    angle = math.radians(_rotation(value, where))
    if angle == 0:
        return box_to_mask(Box(x, y, x + width, y + height), size)
    cos, sin = math.cos(angle), math.sin(angle)  # turned about the top-left corner, clockwise on screen
    center = x + (width * cos - height * sin) / 2, y + (width * sin + height * cos) / 2
    return rotated_box_to_mask(RotatedBox(*center, width, height, math.degrees(angle) % 180), size)


def _read_ellipse(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    shape = extent(value, "x", "y", "radiusX", "radiusY", size=size, where=where)
    return ellipse_to_mask(Ellipse(*shape, _rotation(value, where) % 180), size)


def _read_keypoint(value: Fields, size: Size, where: str) -> NDArray[np.bool_]:
    """The disc that Label Studio draws: ``width`` is its radius in percent of the image's width."""
    x, y = _pixels((_percent(value, "x", where), _percent(value, "y", where)), size)
    radius = _percent(value, "width", where) * size.width / 100 if "width" in value else 0.0
    disc = ellipse_to_mask(Ellipse(x, y, max(radius, 0.5), max(radius, 0.5), 0.0), size)
    column, row = min(max(int(x), 0), size.width - 1), min(max(int(y), 0), size.height - 1)
    disc[row, column] = True  # a point is never less than the pixel it lies in
    return disc


def extent(value: Fields, *names: str, size: Size, where: str) -> tuple[float, float, float, float]:
    """Two points in pixels: a place, and widths or radii.

    Raises:
        ShapeError: If a width or radius is not positive.
        DatasetError: If a number is missing or is no percentage near the image.
    """
    x, y, width, height = (_percent(value, name, where) for name in names)
    if width <= 0 or height <= 0:
        raise ShapeError(f"{where}: {names[2]} and {names[3]} are {width} and {height}, wanted more than 0")
    return (*_pixels((x, y), size), *_pixels((width, height), size))


def _rotation(value: Fields, where: str) -> float:
    return number(value, "rotation", where) % 360 if "rotation" in value else 0.0


def _percent(value: Fields, name: str, where: str) -> float:
    percent = number(value, name, where)
    if abs(percent) > MAX_PERCENT:
        raise wrong(where, name, percent, f"a percentage near the image (at most {MAX_PERCENT})")
    return percent


def _pair(point: Any, where: str) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) != 2:
        raise wrong(where, "a point", point, "[x, y] in percent")
    return finite(point[0], "x", where), finite(point[1], "y", where)


def _pixels(percent: tuple[float, float], size: Size) -> tuple[float, float]:
    return percent[0] * size.width / 100, percent[1] * size.height / 100


_Read = Callable[[Fields, Size, str], NDArray[np.bool_]]
_READERS: tuple[tuple[set[str], _Read], ...] = (  # the first whose keys are all there
    ({"rle"}, _read_brush),
    ({"imageDataURL"}, _read_bitmask),
    ({"vertices"}, _read_vector),
    ({"points"}, _read_polygon),
    ({"radiusX", "radiusY"}, _read_ellipse),
    ({"x", "y", "height"}, _read_rectangle),
    ({"x", "y"}, _read_keypoint),
)
