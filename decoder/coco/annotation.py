"""One mask as one COCO annotation."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from decoder.formats.options import Encoding
from decoder.shapes import (
    Mask,
    mask_to_box,
    mask_to_polygons,
    mask_to_rle,
    mask_to_uncompressed_rle,
    polygons_to_mask,
)
from decoder.shapes.polygons import Style
from decoder.shapes.rle import Rle

_RUN_LENGTHS = {"rle": mask_to_rle, "counts": mask_to_uncompressed_rle}


def to_coco_annotation(
    mask: Mask,
    *,
    annotation_id: int,
    image_id: int,
    category_id: int,
    encoding: Encoding = "polygons",
    style: Style = "parts",
    min_iou: float | None = None,
    max_points: int | None = None,
    score: float | None = None,
) -> dict[str, Any]:
    """Return the annotation of one object, ready for ``json.dumps``.

    ``area`` and ``bbox`` are those of the segmentation as pycocotools decodes it. By default
    that is the mask itself, bit for bit, holes and islands included; after simplification
    (``min_iou``, ``max_points``) it is the simplified shape. An empty mask has no polygon and
    is written as run lengths.

    Args:
        mask: The object's pixels, shape (H, W), bool or uint8 (any value but 0 is the object).
        annotation_id: Unique in the dataset.
        image_id: The image's id in the dataset.
        category_id: The category's id in the dataset.
        encoding: "polygons"; "rle", compressed run lengths, smallest; or "counts", plain run
            lengths, as COCO writes crowds.
        style: How polygons are cut, see ``mask_to_polygons``.
        min_iou: Simplify polygons as far as the decoded IoU stays at least this, in (0, 1].
        max_points: Simplify polygons to at most this many points.
        score: Confidence in [0, 1], written where there is one.

    Raises:
        ShapeError: If the mask is malformed or the limits cannot hold, see ``mask_to_polygons``.

    Example:
        >>> mask = np.zeros((4, 6), dtype=bool)
        >>> mask[1:3, 2:5] = True
        >>> annotation = to_coco_annotation(mask, annotation_id=7, image_id=1, category_id=3)
        >>> annotation["bbox"], annotation["area"], annotation["iscrowd"]
        ([2.0, 1.0, 3.0, 2.0], 6, 0)
    """
    if encoding == "polygons":
        segmentation, decoded = _polygons(mask, style, min_iou, max_points)
    else:
        segmentation, decoded = _RUN_LENGTHS[encoding](mask), mask
    annotation = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": segmentation,
        "area": int(np.count_nonzero(decoded)),
        "bbox": _bbox(decoded),
        "iscrowd": 0,
    }
    return annotation if score is None else annotation | {"score": score}


def rle_to_coco_annotation(
    rle: Rle, *, annotation_id: int, image_id: int, category_id: int, score: float | None = None
) -> dict[str, Any]:
    """Return the same as ``to_coco_annotation`` with encoding "rle", without decoding the mask.

    Example:
        >>> rle = {"size": [3, 3], "counts": "013000"}
        >>> rle_to_coco_annotation(rle, annotation_id=7, image_id=1, category_id=3)["bbox"]
        [0.0, 0.0, 3.0, 3.0]
    """
    annotation = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": dict(rle),
        "area": int(coco_mask.area(rle)),
        "bbox": coco_mask.toBbox(rle).tolist(),
        "iscrowd": 0,
    }
    return annotation if score is None else annotation | {"score": score}


def _polygons(mask: Mask, style: Style, min_iou: float | None, max_points: int | None) -> tuple[Any, Mask]:
    """The segmentation, and the mask it decodes to."""
    polygons = mask_to_polygons(mask, style=style, min_iou=min_iou, max_points=max_points)
    if not polygons.rings:
        return mask_to_rle(mask), mask
    return polygons.to_coco(), mask if polygons.iou == 1 else polygons_to_mask(polygons)


def _bbox(mask: Mask) -> list[float]:
    """COCO's [x, y, width, height] in pixels; all 0 for an empty mask."""
    box = mask_to_box(mask)
    return [0.0, 0.0, 0.0, 0.0] if box is None else [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
