"""Polygons for programs that paint outlines, simplified where a person wants it."""

from __future__ import annotations

from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.shapes import Polygons, rle_to_polygons
from clickmask.decoder.shapes.rle import Rle


def painted_outline(rle: Rle, options: WriteOptions) -> Polygons:
    """Return an object's polygons: exact for outline painters too, or simplified as the options say.

    Raises:
        ShapeError: If the run lengths are malformed or the limits cannot hold.
    """
    if options.min_iou is None and options.max_points is None:
        return rle_to_polygons(rle, style="painted")
    return rle_to_polygons(rle, min_iou=options.min_iou, max_points=options.max_points)
