"""One mask as one COCO annotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pycocotools import mask as coco_mask

from clickmask.decoder.formats.options import Encoding
from clickmask.decoder.shapes import Mask, mask_to_rle, rle_to_polygons, rle_to_uncompressed_rle
from clickmask.decoder.shapes.filling import fill_rings
from clickmask.decoder.shapes.polygons import Style
from clickmask.decoder.shapes.rle import Rle


def to_coco_annotation(
    mask: Mask | Rle,
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
        mask: The object's pixels, shape (H, W), bool or uint8 (any value but 0 is the object), or COCO's compressed run
            lengths of them, of which a window is decoded at most.
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
        >>> import numpy as np
        >>> mask = np.zeros((4, 6), dtype=bool)
        >>> mask[1:3, 2:5] = True
        >>> annotation = to_coco_annotation(mask, annotation_id=7, image_id=1, category_id=3)
        >>> annotation["bbox"], annotation["area"], annotation["iscrowd"]
        ([2.0, 1.0, 3.0, 2.0], 6, 0)
        >>> to_coco_annotation(mask_to_rle(mask), annotation_id=7, image_id=1, category_id=3) == annotation
        True
    """
    rle = mask if isinstance(mask, Mapping) else mask_to_rle(mask)
    segmentation, filled = _segmentation(rle, encoding, style, min_iou, max_points)
    annotation = {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": segmentation,
        "area": int(coco_mask.area(filled)),
        "bbox": coco_mask.toBbox(filled).tolist(),
        "iscrowd": 0,
    }
    return annotation if score is None else annotation | {"score": score}


def _segmentation(
    rle: Rle, encoding: Encoding, style: Style, min_iou: float | None, max_points: int | None
) -> tuple[Any, Rle]:
    """The segmentation, and what it decodes to."""
    if encoding == "rle":
        return dict(rle), rle
    if encoding == "counts":
        return rle_to_uncompressed_rle(rle), rle
    polygons = rle_to_polygons(rle, style=style, min_iou=min_iou, max_points=max_points)
    if not polygons.rings:
        return dict(rle), rle
    return polygons.to_coco(), rle if polygons.iou == 1 else fill_rings(polygons.rings, polygons.size)
