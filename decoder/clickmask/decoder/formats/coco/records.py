"""The elements of a COCO file as records, and back."""

from __future__ import annotations

from typing import Any

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.coco.annotation import to_coco_annotation
from clickmask.decoder.formats.coco.segmentation import box_to_rle, drawn_polygons, segmentation_to_rle
from clickmask.decoder.formats.fields import (
    Fields,
    flag,
    integer,
    optional_integer,
    optional_score,
    other_fields,
    side,
    text,
    with_fields,
)
from clickmask.decoder.formats.options import Tell, WriteOptions, say_nothing
from clickmask.decoder.formats.records import Category, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import rle_area

CATEGORY_FIELDS = frozenset({"id", "name", "supercategory"})
IMAGE_FIELDS = frozenset({"id", "file_name", "height", "width", "video", "frame"})
OBJECT_FIELDS = frozenset(
    {"id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "score", "track_id"}
)


def read_category(fields: Fields, where: str, tell: Tell = say_nothing) -> Category:
    """Return a category; ``tell`` receives what of it is lost.

    Raises:
        DatasetError: If the id or the name is missing or malformed.
    """
    supercategory = fields.get("supercategory")
    return Category(
        integer(fields, "id", where),
        text(fields, "name", where),
        supercategory if isinstance(supercategory, str) else "",
        other_fields(fields, CATEGORY_FIELDS, where, tell),
    )


def read_image(fields: Fields, where: str, tell: Tell = say_nothing) -> ImageRecord:
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
        extras=other_fields(fields, IMAGE_FIELDS, where, tell),
    )


def read_object(fields: Fields, size: Size, where: str, tell: Tell = say_nothing) -> ObjectRecord:
    """Return an annotation; one without a segmentation is its box, and its mask the box filled.

    Raises:
        DatasetError: If a field is missing or malformed.
        ShapeError: If the segmentation is malformed or not as large as the image.
    """
    object_id = integer(fields, "id", where)
    rings = drawn_polygons(fields.get("segmentation"))
    if len(rings) < len(fields.get("segmentation") or ()) and rings:
        tell("parts of polygons with fewer than 3 points", where)
    box = _stated_box(fields.get("bbox"))
    is_box = not rings and not isinstance(fields.get("segmentation"), dict) and box is not None
    try:
        rle = box_to_rle(list(box), size) if is_box and box else segmentation_to_rle(_shape(fields, rings), size)
        if rings and max(max(ring) for ring in rings) <= 1 and not rle_area(rle):
            raise ShapeError("every coordinate is in [0, 1], wanted pixels")
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None
    return ObjectRecord(
        id=object_id,
        category_id=integer(fields, "category_id", where),
        rle=rle,
        score=optional_score(fields, where),
        is_crowd=flag(fields, "iscrowd", where),
        track_id=optional_integer(fields, "track_id", where),
        rings=tuple(tuple(ring) for ring in rings),
        box=box,
        area=_stated_area(fields.get("area")),
        is_box=is_box,
        extras=other_fields(fields, OBJECT_FIELDS, where, tell),
    )


def write_category(category: Category) -> dict[str, Any]:
    """Return the element of ``categories``."""
    element = {"id": category.id, "name": category.name, "supercategory": category.supercategory}
    return with_fields(element, category.extras)


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
    return with_fields(element, image.extras)


def write_object(item: ObjectRecord, image_id: int, options: WriteOptions) -> dict[str, Any]:
    """Return the element of ``annotations``: drawn polygons and boxes as they are, unless the options ask for others.

    Crowds are written as plain run lengths, as COCO has them.

    Raises:
        ShapeError: If the limits of the options cannot hold.
    """
    element = _drawn(item, image_id) if _is_kept(item, options) else _cut(item, image_id, options)
    if options.min_iou is None and options.max_points is None:  # the shape is the one that was measured
        element |= {} if item.area is None else {"area": item.area}
        element |= {} if item.box is None else {"bbox": list(item.box)}
    element["iscrowd"] = int(item.is_crowd)
    if item.score is not None:
        element["score"] = item.score
    if item.track_id is not None:
        element["track_id"] = item.track_id
    return with_fields(element, item.extras)


def _is_kept(item: ObjectRecord, options: WriteOptions) -> bool:
    """Whether polygons or a box are written as they were drawn."""
    return item.is_box or (bool(item.rings) and options.keeps_drawn and options.encoding == "polygons")


def _drawn(item: ObjectRecord, image_id: int) -> dict[str, Any]:
    x, y, width, height = item.box or _extent(item)
    return {
        "id": item.id,
        "image_id": image_id,
        "category_id": item.category_id,
        "segmentation": [list(ring) for ring in item.rings],
        "area": width * height if item.is_box else rle_area(item.rle),
        "bbox": [x, y, width, height],
    }


def _cut(item: ObjectRecord, image_id: int, options: WriteOptions) -> dict[str, Any]:
    return to_coco_annotation(
        item.rle,
        annotation_id=item.id,
        image_id=image_id,
        category_id=item.category_id,
        encoding="counts" if item.is_crowd else options.encoding,
        style=options.style or "parts",
        min_iou=options.min_iou,
        max_points=options.max_points,
    )


def _extent(item: ObjectRecord) -> tuple[float, float, float, float]:
    """The box around drawn polygons (x, y, width, height)."""
    x = [value for ring in item.rings for value in ring[::2]]
    y = [value for ring in item.rings for value in ring[1::2]]
    return min(x), min(y), max(x) - min(x), max(y) - min(y)


def _shape(fields: Fields, rings: list[list[float]]) -> Any:
    return rings or fields.get("segmentation")


def _stated_box(value: object) -> tuple[float, float, float, float] | None:
    if not isinstance(value, list) or len(value) != 4 or not all(_is_number(side) for side in value):
        return None
    x, y, width, height = value
    return x, y, width, height


def _stated_area(value: object) -> float | None:
    return value if _is_number(value) else None  # type: ignore[return-value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18
