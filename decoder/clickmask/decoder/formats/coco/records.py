"""The elements of a COCO file as records, and back."""

from __future__ import annotations

from typing import Any

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.coco.annotation import to_coco_annotation
from clickmask.decoder.formats.coco.segmentation import box_to_rle, segmentation_to_rle
from clickmask.decoder.formats.fields import Fields, integer, optional_integer, optional_score, side, text, wrong
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import Category, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.rle import Rle


def read_category(fields: Fields, where: str) -> Category:
    """Return a category.

    Raises:
        DatasetError: If the id or the name is missing or malformed.
    """
    supercategory = fields.get("supercategory")
    return Category(
        integer(fields, "id", where),
        text(fields, "name", where),
        supercategory if isinstance(supercategory, str) else "",
    )


def read_image(fields: Fields, where: str) -> ImageRecord:
    """Return an image; frames of videos carry ``video`` and ``frame``.

    Raises:
        DatasetError: If the id, the name or the size is missing or malformed.
    """
    return ImageRecord(
        id=integer(fields, "id", where),
        file_name=text(fields, "file_name", where),
        size=Size(side(fields, "height", where), side(fields, "width", where)),
        video=None if fields.get("video") is None else text(fields, "video", where),
        frame=optional_integer(fields, "frame", where),
    )


def read_object(fields: Fields, size: Size, where: str) -> ObjectRecord:
    """Return an annotation; one without a segmentation gets its box as its mask.

    Raises:
        DatasetError: If a field is missing or malformed.
        ShapeError: If the segmentation is malformed or not as large as the image.
    """
    object_id = integer(fields, "id", where)
    try:
        rle = _read_rle(fields, size)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None
    return ObjectRecord(
        id=object_id,
        category_id=integer(fields, "category_id", where),
        rle=rle,
        score=optional_score(fields, where),
        is_crowd=_read_crowd(fields, where),
        track_id=optional_integer(fields, "track_id", where),
    )


def write_category(category: Category) -> dict[str, Any]:
    """Return the element of ``categories``."""
    return {"id": category.id, "name": category.name, "supercategory": category.supercategory}


def write_image(image: ImageRecord) -> dict[str, Any]:
    """Return the element of ``images``."""
    element: dict[str, Any] = {
        "id": image.id,
        "file_name": image.file_name,
        "height": image.size.height,
        "width": image.size.width,
    }
    if image.video is not None:
        element |= {"video": image.video, "frame": image.frame}
    return element


def write_object(item: ObjectRecord, image_id: int, options: WriteOptions) -> dict[str, Any]:
    """Return the element of ``annotations``; crowds are written as plain run lengths, as COCO has them.

    Raises:
        ShapeError: If the limits of the options cannot hold.
    """
    element = to_coco_annotation(
        item.rle,
        annotation_id=item.id,
        image_id=image_id,
        category_id=item.category_id,
        encoding="counts" if item.is_crowd else options.encoding,
        style=options.style,
        min_iou=options.min_iou,
        max_points=options.max_points,
        score=item.score,
    )
    element["iscrowd"] = int(item.is_crowd)
    return element if item.track_id is None else element | {"track_id": item.track_id}


def _read_rle(fields: Fields, size: Size) -> Rle:
    segmentation = fields.get("segmentation")
    if segmentation in (None, []) and "bbox" in fields:
        return box_to_rle(fields["bbox"], size)
    return segmentation_to_rle(segmentation, size)


def _read_crowd(fields: Fields, where: str) -> bool:
    crowd = fields.get("iscrowd", 0)
    if crowd not in (0, 1):
        raise wrong(where, "iscrowd", crowd, "0 or 1")
    return bool(crowd)
