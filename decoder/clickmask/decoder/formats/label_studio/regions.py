"""Masks as Label Studio regions: one item of an annotation's ``result`` per region.

Coordinates are percent of the image's width and height, from its top-left corner. Label Studio
draws and saves them as they are written here; brush and bitmask regions carry the pixels.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import (
    Mask,
    Polygons,
    deepest_point,
    mask_to_bitmap_url,
    mask_to_box,
    mask_to_brush,
    mask_to_ellipse,
    mask_to_polygons,
    mask_to_rotated_box,
)
from clickmask.decoder.shapes.masks import mask_size
from clickmask.decoder.shapes.polygons import Style

DRAWN_DECIMALS = 10  # of a percent that stands for what a person drew
KEYPOINT_WIDTH_PERCENT = 0.5  # Label Studio's own default


@dataclass(frozen=True, slots=True)
class Region:
    """What a region says besides its shape.

    Args:
        from_name: Name of the control tag, such as ``<BrushLabels name="brush">``.
        to_name: Name of the ``<Image>`` tag.
        labels: Label values; empty for controls without labels (``<Brush>``).
        id: Unique in its annotation, see ``new_region_id``.
        score: Confidence in [0, 1], or None.
        meta: Fields that travel along.
    """

    from_name: str
    to_name: str
    labels: tuple[str, ...]
    id: str
    score: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def new_region_id() -> str:
    """Return a random region id of 12 characters (72 bits: never twice)."""
    return secrets.token_urlsafe(9)


def to_brush_result(mask: Mask, region: Region) -> dict[str, Any]:
    """Return a BrushLabels region: the mask, pixel for pixel.

    Raises:
        ShapeError: If the mask is malformed.

    Example:
        >>> region = Region("brush", "image", ("Cat",), id="cat-1", score=0.9)
        >>> item = to_brush_result(np.eye(4, dtype=bool), region)
        >>> item["type"], item["original_width"], item["value"]["brushlabels"]
        ('brushlabels', 4, ['Cat'])
    """
    return _item(mask, region, "brush", {"format": "rle", "rle": mask_to_brush(mask)})


def to_bitmask_result(mask: Mask, region: Region) -> dict[str, Any]:
    """Return a BitmaskLabels region: the mask, pixel for pixel, as the alpha of a PNG.

    Raises:
        ShapeError: If the mask is malformed.
    """
    return _item(mask, region, "bitmask", {"imageDataURL": mask_to_bitmap_url(mask)})


def to_polygon_results(
    mask: Mask, region: Region, *, style: Style = "parts", min_iou: float | None = None, max_points: int | None = None
) -> list[dict[str, Any]]:
    """Return PolygonLabels regions, one per part of the mask; none for an empty mask.

    A region has one ring, so a mask of several parts becomes several regions: the first has
    the region's id, the others have it as ``parentID`` and ids that start with it ("id.2"),
    by which ``clickmask.decoder.formats.label_studio`` puts them together again. Exact by default.

    Args:
        mask: The object's pixels, shape (H, W).
        region: Names, labels, id and score.
        style: See ``mask_to_polygons``.
        min_iou: Simplify as far as the IoU stays at least this, in (0, 1].
        max_points: Simplify to at most this many points in all.

    Raises:
        ShapeError: If the mask is malformed or the limits cannot hold.
    """
    polygons = mask_to_polygons(mask, style=style, min_iou=min_iou, max_points=max_points)
    values = [{"points": points, "closed": True} for points in _percent_rings(polygons)]
    return _part_items(mask, region, "polygon", values)


def to_vector_results(
    mask: Mask, region: Region, *, style: Style = "parts", min_iou: float | None = None, max_points: int | None = None
) -> list[dict[str, Any]]:
    """Return closed VectorLabels regions, one per part of the mask; otherwise as ``to_polygon_results``.

    Raises:
        ShapeError: If the mask is malformed or the limits cannot hold.
    """
    polygons = mask_to_polygons(mask, style=style, min_iou=min_iou, max_points=max_points)
    values = [{"vertices": _vertices(points), "closed": True} for points in _percent_rings(polygons)]
    return _part_items(mask, region, "vector", values)


def to_rectangle_result(mask: Mask, region: Region) -> dict[str, Any]:
    """Return a RectangleLabels region: the upright box around the mask.

    Raises:
        ShapeError: If the mask is malformed or empty.
    """
    box = mask_to_box(mask)
    if box is None:
        raise _empty("rectangle")
    size = mask_size(mask)
    x, y = _percent_point(box.x0, box.y0, size)
    width, height = _percent_point(box.x1 - box.x0, box.y1 - box.y0, size)
    return _item(mask, region, "rectangle", {"x": x, "y": y, "width": width, "height": height, "rotation": 0})


def to_rotated_rectangle_result(mask: Mask, region: Region) -> dict[str, Any]:
    """Return a RectangleLabels region: the rotated box of least area around the mask.

    Raises:
        ShapeError: If the mask is malformed or empty.
    """
    box = mask_to_rotated_box(mask)
    if box is None:
        raise _empty("rectangle")
    size = mask_size(mask)
    corner_x, corner_y = box.corners[0].tolist()  # Label Studio turns about the top-left corner
    x, y = _percent_point(corner_x, corner_y, size)
    width, height = _percent_point(box.width, box.height, size)
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": round(box.angle_degrees, 3)}
    return _item(mask, region, "rectangle", value)


def to_ellipse_result(mask: Mask, region: Region) -> dict[str, Any]:
    """Return an EllipseLabels region: the ellipse with the mask's area, centre and axes.

    Raises:
        ShapeError: If the mask is malformed or empty.
    """
    ellipse = mask_to_ellipse(mask)
    if ellipse is None:
        raise _empty("ellipse")
    size = mask_size(mask)
    x, y = _percent_point(ellipse.center_x, ellipse.center_y, size)
    radius_x, radius_y = _percent_point(ellipse.radius_x, ellipse.radius_y, size)
    rotation = round(ellipse.angle_degrees, 3)
    return _item(
        mask, region, "ellipse", {"x": x, "y": y, "radiusX": radius_x, "radiusY": radius_y, "rotation": rotation}
    )


def to_keypoint_result(mask: Mask, region: Region) -> dict[str, Any]:
    """Return a KeyPointLabels region at the centre of the pixel deepest inside the mask.

    Raises:
        ShapeError: If the mask is malformed or empty.
    """
    deepest = deepest_point(mask)
    if deepest is None:
        raise _empty("keypoint")
    x, y = _percent_point(deepest[0].x, deepest[0].y, mask_size(mask))
    return _item(mask, region, "keypoint", {"x": x, "y": y, "width": KEYPOINT_WIDTH_PERCENT})


def to_drawn_polygon_results(
    rings: Sequence[Sequence[float]], size: Size, region: Region, tag: Literal["polygon", "vector"]
) -> list[dict[str, Any]]:
    """Return a region per drawn ring, with as many digits as bring its pixels back.

    Args:
        rings: Flat x0, y0, x1, y1, ... [px].
        size: Of the image.
        region: Names, labels, id and score.
        tag: The kind of region.
    """
    scale = 100 / np.array([size.width, size.height])
    points = [np.round(np.reshape(ring, (-1, 2)) * scale, DRAWN_DECIMALS).tolist() for ring in rings]
    if tag == "polygon":
        return _part_items(size, region, tag, [{"points": ring, "closed": True} for ring in points])
    return _part_items(size, region, tag, [{"vertices": _vertices(ring), "closed": True} for ring in points])


def to_drawn_rectangle_result(box: tuple[float, float, float, float], size: Size, region: Region) -> dict[str, Any]:
    """Return a RectangleLabels region of a drawn box (x, y, width, height) [px]."""
    sides = (size.width, size.height, size.width, size.height)
    x, y, width, height = (round(100 * at / side, DRAWN_DECIMALS) for at, side in zip(box, sides, strict=True))
    return _item(size, region, "rectangle", {"x": x, "y": y, "width": width, "height": height, "rotation": 0})


def _item(mask: Mask | Size, region: Region, tag: str, value: Mapping[str, Any]) -> dict[str, Any]:
    size = mask if isinstance(mask, Size) else mask_size(mask)
    labels = {f"{tag}labels": list(region.labels)} if region.labels else {}
    item = {
        "id": region.id,
        "from_name": region.from_name,
        "to_name": region.to_name,
        "type": f"{tag}labels" if region.labels else tag,
        "original_width": size.width,
        "original_height": size.height,
        "image_rotation": 0,
        "value": {**value, **labels},
    }
    item |= {} if region.score is None else {"score": region.score}
    return item | {"meta": dict(region.meta)} if region.meta else item


def _part_items(
    mask: Mask | Size, region: Region, tag: str, values: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One item per value; all but the first are children of the first."""
    parts = [replace(region, id=f"{region.id}.{number}") for number in range(2, len(values) + 1)]
    items = [_item(mask, part, tag, value) for part, value in zip([region, *parts], values, strict=False)]
    return items[:1] + [item | {"parentID": region.id} for item in items[1:]]


def _percent_rings(polygons: Polygons) -> list[list[list[float]]]:
    scale = 100 / np.array([polygons.size.width, polygons.size.height])
    return [np.round(ring * scale, _decimals(polygons.size)).tolist() for ring in polygons.rings]


def _vertices(points: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    """The points as Label Studio chains them: each names the one before it."""
    names = [None, *(f"p{index}" for index in range(1, len(points) + 1))]
    return [
        {"id": name, "prevPointId": previous, "x": x, "y": y, "isBezier": False}
        for previous, name, (x, y) in zip(names, names[1:], points, strict=False)
    ]


def _percent_point(x_px: float, y_px: float, size: Size) -> tuple[float, float]:
    decimals = _decimals(size)
    return round(100 * x_px / size.width, decimals), round(100 * y_px / size.height, decimals)


def _decimals(size: Size) -> int:
    """Digits of a percent that keep a coordinate within 0.08 px, so that no pixel changes sides."""
    return 3 if max(size.height, size.width) <= 16_000 else 5


def _empty(shape: str) -> ShapeError:
    return ShapeError(f"the mask is empty, wanted at least one pixel to make a {shape} of")
