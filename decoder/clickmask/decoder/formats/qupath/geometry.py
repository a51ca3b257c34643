"""GeoJSON's geometries as masks, and masks as polygons with holes [px of the whole picture, y down]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.fields import array, as_fields, finite, wrong
from clickmask.decoder.formats.records import Ring
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import polygons_to_mask
from clickmask.decoder.shapes.rings import find_rings
from clickmask.decoder.shapes.rle import Rle, rle_to_crop

Points = list[list[float]]


def read_geometry(geometry: object, where: str) -> list[list[Ring]]:
    """Return the polygons of a ``Polygon`` or ``MultiPolygon``, each the outline and then its holes [px].

    Raises:
        DatasetError: If it is malformed.
        ShapeError: If it is of a kind that has no area, such as a point or a line.
    """
    fields = as_fields(geometry, where)
    kind = fields.get("type")
    if kind == "Polygon":
        return [_polygon(array(fields, "coordinates", where), where)]
    if kind == "MultiPolygon":
        return [_polygon(polygon, where) for polygon in array(fields, "coordinates", where)]
    raise ShapeError(f"{where}: is a {kind!r:.40}, which has no area, wanted Polygon, MultiPolygon")


def fill_polygons(polygons: Sequence[Sequence[Ring]], size: Size) -> NDArray[np.bool_]:
    """Fill polygons without their holes, shape (H, W).

    Raises:
        ShapeError: If a ring has fewer than 3 points or lies far off the image.
    """
    mask = np.zeros((size.height, size.width), np.bool_)
    for outline, *holes in polygons:
        part = polygons_to_mask([list(outline)], size)
        if holes:
            part &= ~polygons_to_mask([list(hole) for hole in holes], size)
        mask |= part
    return mask


def mask_geometry(rle: Rle) -> dict[str, Any]:
    """Return a mask's outline along the pixels' edges, holes and all, as a valid geometry.

    Parts that touch at a corner only are polygons of their own: a ring that touches itself is none.

    Raises:
        ShapeError: If the mask has no pixel.

    Example:
        >>> mask_geometry({"size": [2, 2], "counts": [2, 1, 1]})
        {'type': 'Polygon', 'coordinates': [[[2, 1], [2, 0], [1, 0], [1, 1], [2, 1]]]}
    """
    pixels, left, top = rle_to_crop(rle)
    count, labels = cv2.connectedComponents(pixels, connectivity=4)
    parts = [_part((labels == number).astype(np.uint8), left, top) for number in range(1, count)]
    if not parts:
        raise ShapeError("has no pixel, wanted at least one")
    return _geometry(parts)


def ring_geometry(rings: Sequence[Ring]) -> dict[str, Any]:
    """Return drawn polygons as a geometry."""
    return _geometry([[_closed([list(pair) for pair in zip(r[::2], r[1::2], strict=True)])] for r in rings])


def _polygon(rings: object, where: str) -> list[Ring]:
    if not isinstance(rings, list) or not rings:
        raise wrong(where, "coordinates", rings, "rings of points")
    return [_ring(points, where) for points in rings]


def _ring(points: object, where: str) -> Ring:
    if not isinstance(points, list) or not all(isinstance(point, list) and len(point) >= 2 for point in points):
        raise wrong(where, "a ring", points, "points [x, y] in pixels")
    flat = [finite(value, "a coordinate", where) for point in points for value in point[:2]]
    closed = flat[:2] == flat[-2:] and len(flat) > 2
    return tuple(flat[:-2] if closed else flat)


def _part(pixels: NDArray[np.uint8], left: int, top: int) -> list[Points]:
    """The outline of one part, then its holes."""
    rings = find_rings(pixels)
    order = sorted(range(len(rings)), key=lambda index: bool(rings.is_hole[index]))
    return [_closed((rings.ring(index) + np.array([left, top])).tolist()) for index in order]


def _geometry(polygons: list[list[Points]]) -> dict[str, Any]:
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed(points: Points) -> Points:
    return [*points, points[0]]
