"""Polygons for programs that paint outlines, simplified where a person wants it."""

from __future__ import annotations

from decoder.formats.options import WriteOptions
from decoder.shapes import Polygons, mask_to_polygons, rle_to_mask
from decoder.shapes.rle import Rle


def painted_outline(rle: Rle, options: WriteOptions) -> Polygons:
    """Return an object's polygons: exact for outline painters too, or simplified as the options say.

    Raises:
        ShapeError: If the run lengths are malformed or the limits cannot hold.
    """
    mask = rle_to_mask(rle)
    if options.min_iou is None and options.max_points is None:
        return mask_to_polygons(mask, style="painted")
    return mask_to_polygons(mask, min_iou=options.min_iou, max_points=options.max_points)
