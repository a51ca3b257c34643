"""COCO segmentations, whichever of their three forms, as compressed run lengths.

Nothing is decoded to pixels on the way: a file of 100,000 annotations is checked in seconds.
"""

from __future__ import annotations

from typing import Any

from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import rle_area
from clickmask.decoder.shapes.filling import check_coordinates, check_ring
from clickmask.decoder.shapes.rle import Rle

LEAST_NUMBERS = 6  # of a polygon; pycocotools takes 4 numbers for a box


def segmentation_to_rle(segmentation: Any, size: Size) -> Rle:
    """Return a segmentation as compressed run lengths.

    Args:
        segmentation: Flat polygons [[x0, y0, x1, y1, ...], ...] in pixels, or a dict of
            ``size`` and ``counts``, compressed (text) or plain (numbers).
        size: Of the image.

    Raises:
        ShapeError: If it is none of these, a polygon is malformed or far off the image, the
            run lengths do not fill the size, or their size is not the image's.

    Example:
        >>> segmentation_to_rle([[1.0, 0.0, 3.0, 0.0, 3.0, 2.0, 1.0, 2.0]], Size(2, 3))
        {'size': [2, 3], 'counts': '24'}
    """
    if isinstance(segmentation, dict):
        return _run_lengths_to_rle(segmentation, size)
    if isinstance(segmentation, list) and segmentation:
        return _polygons_to_rle(segmentation, size)
    raise ShapeError(f"segmentation is {segmentation!r:.80}, wanted polygons or run lengths")


def drawn_polygons(segmentation: Any) -> list[list[float]]:
    """Return the polygons of a segmentation that have at least 3 points; none for run lengths and boxes.

    Example:
        >>> drawn_polygons([[5, 5, 5, 9], [1, 0, 3, 0, 3, 2]])
        [[1, 0, 3, 0, 3, 2]]
    """
    if not isinstance(segmentation, list):
        return []
    flat = bool(segmentation) and not any(isinstance(part, list) for part in segmentation)
    parts = [segmentation] if flat else segmentation
    return [part for part in parts if not isinstance(part, list) or len(part) >= LEAST_NUMBERS]


def box_to_rle(bbox: Any, size: Size) -> Rle:
    """Return the box [x, y, width, height] in pixels, as pycocotools fills it, as run lengths.

    Raises:
        ShapeError: If it is not four finite numbers with a positive width and height, or
            lies far off the image.
    """
    numbers = check_coordinates(bbox, "bbox", size).tolist()
    if len(numbers) != 4:
        raise ShapeError(f"bbox has {len(numbers)} numbers, wanted 4")
    x, y, width, height = numbers
    if width <= 0 or height <= 0:
        raise ShapeError(f"bbox {bbox!r:.80} is empty, wanted a positive width and height")
    return _polygons_to_rle([[x, y, x + width, y, x + width, y + height, x, y + height]], size)


def _run_lengths_to_rle(segmentation: dict[str, Any], size: Size) -> Rle:
    rle_area(segmentation)  # raises unless the counts are sound and fill the size
    if list(segmentation["size"]) != [size.height, size.width]:
        raise ShapeError(f"run lengths of size {segmentation['size']} on an image of {[size.height, size.width]}")
    if isinstance(segmentation["counts"], str):
        return {"size": [size.height, size.width], "counts": segmentation["counts"]}
    return _as_text(coco_mask.frPyObjects(segmentation, size.height, size.width))


def _polygons_to_rle(polygons: list[Any], size: Size) -> Rle:
    rings = [check_ring(polygon, "polygon", size).reshape(-1) for polygon in polygons]
    return _as_text(coco_mask.merge(coco_mask.frPyObjects(rings, size.height, size.width)))


def _as_text(rle: dict[str, Any]) -> Rle:
    height, width = rle["size"]
    return {"size": [int(height), int(width)], "counts": rle["counts"].decode("ascii")}
