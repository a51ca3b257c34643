"""Shapes: masks as lossless polygons, run lengths, brushes, bitmaps and boxes, and back again.

NumPy in, NumPy out: no tensor, no file, no dataset. A mask is a 2-D array of bool, or of
uint8 where any value but 0 is foreground. Frame everywhere: x right, y down, origin at the
image's top-left *corner*; pixel (row, column) covers [column, column + 1) x [row, row + 1).
Bad input raises ``clickmask.decoder.errors.ShapeError``, which says what, got and wanted.
"""

from clickmask.decoder.shapes.bitmap import bitmap_url_to_mask, mask_to_bitmap_url
from clickmask.decoder.shapes.boxes import (
    RotatedBox,
    box_iou,
    box_to_mask,
    mask_to_box,
    mask_to_rotated_box,
    rotated_box_to_mask,
)
from clickmask.decoder.shapes.brush import brush_to_mask, mask_to_brush, mask_to_sdk_brush
from clickmask.decoder.shapes.cleanup import drop_specks, fill_holes, keep_largest_part, smooth_mask
from clickmask.decoder.shapes.depth import deepest_point
from clickmask.decoder.shapes.ellipses import Ellipse, ellipse_to_mask, mask_to_ellipse
from clickmask.decoder.shapes.masks import Mask, mask_iou
from clickmask.decoder.shapes.polygons import Polygons, mask_to_polygons, polygons_to_mask, rle_to_polygons
from clickmask.decoder.shapes.rle import (
    Rle,
    mask_to_rle,
    mask_to_uncompressed_rle,
    rle_area,
    rle_to_crop,
    rle_to_mask,
    rle_to_uncompressed_rle,
)
from clickmask.decoder.shapes.yolo import polygons_to_yolo, yolo_to_polygons

__all__ = [
    "Ellipse",
    "Mask",
    "Polygons",
    "Rle",
    "RotatedBox",
    "bitmap_url_to_mask",
    "box_iou",
    "box_to_mask",
    "brush_to_mask",
    "deepest_point",
    "drop_specks",
    "ellipse_to_mask",
    "fill_holes",
    "keep_largest_part",
    "mask_iou",
    "mask_to_bitmap_url",
    "mask_to_box",
    "mask_to_brush",
    "mask_to_ellipse",
    "mask_to_polygons",
    "mask_to_rle",
    "mask_to_rotated_box",
    "mask_to_sdk_brush",
    "mask_to_uncompressed_rle",
    "polygons_to_mask",
    "polygons_to_yolo",
    "rle_area",
    "rle_to_crop",
    "rle_to_mask",
    "rle_to_polygons",
    "rle_to_uncompressed_rle",
    "rotated_box_to_mask",
    "smooth_mask",
    "yolo_to_polygons",
]
