"""Datumaro's annotations as objects, and back: shapes of one ``group`` and label are one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ClickMaskError, DatasetError, ShapeError
from clickmask.decoder.formats.coco.segmentation import box_to_rle, segmentation_to_rle
from clickmask.decoder.formats.fields import Fields, array, as_fields, finite, integer, number, whole, with_fields
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import ObjectRecord, Ring
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import Ellipse, ellipse_to_mask, mask_to_rle, rle_area, rle_to_polygons
from clickmask.decoder.shapes.rle import Rle

Box = tuple[float, float, float, float]  # x, y, width, height [px]
_NO_OBJECTS = frozenset({"caption", "label", "hash_key", "feature_vector", "tabular"})


@dataclass(frozen=True, slots=True)
class Shape:
    """One annotation: its pixels, and how it was drawn: as a polygon, a box, or neither."""

    label: int
    group: int
    rle: Rle
    ring: Ring
    box: Box | None
    attributes: Mapping[str, Any]
    z_order: float


@dataclass(frozen=True, slots=True)
class Found:
    """One object of an image; the arguments are those of ``ObjectRecord``."""

    label: int
    rle: Rle
    rings: tuple[Ring, ...]
    box: Box | None
    is_box: bool
    attributes: Mapping[str, Any]
    z_order: float


def read_annotations(annotations: Sequence[Any], size: Size, where: str, options: ReadOptions) -> list[Found]:
    """Return the objects of an image, lowest first.

    Args:
        annotations: Of the image.
        size: Of the image.
        where: Names it in errors.
        options: ``on_problem`` receives annotations that were left out, ``on_loss`` those that are no objects.
    """
    shapes: list[Shape] = []
    for place, annotation in enumerate(annotations):
        at = f"{where}: annotation {place}"
        try:
            fields = as_fields(annotation, at)
            if fields.get("type") in _NO_OBJECTS:
                options.on_loss(f"annotations of the kind {fields['type']}", at)
            else:
                shapes.append(_read_shape(fields, size, at))
        except ClickMaskError as problem:
            options.on_problem(problem)
    return sorted(_objects(shapes), key=lambda found: found.z_order)


def write_annotations(item: ObjectRecord, group: int, label: int, options: WriteOptions) -> list[dict[str, Any]]:
    """Return an object as annotations: what was drawn, else its mask; several polygons share a group.

    Args:
        item: The object.
        group: Its number in its image, from 1.
        label: Number of its label.
        options: Simplification.

    Raises:
        ShapeError: If the object has no pixel, or the limits of the options cannot hold.
    """
    attributes = dict(item.extras)
    attributes |= {"is_crowd": True} if item.is_crowd else {}
    attributes |= {} if item.score is None else {"score": item.score}
    attributes |= {} if item.track_id is None else {"track_id": item.track_id}
    usual = {"id": item.id, "attributes": attributes, "group": group, "label_id": label, "z_order": group - 1}
    return [with_fields(shape, usual) for shape in _drawn(item, options)]


def _drawn(item: ObjectRecord, options: WriteOptions) -> list[dict[str, Any]]:
    if options.keeps_drawn and item.is_box and item.box is not None:
        return [{"type": "bbox", "bbox": list(item.box)}]
    if not rle_area(item.rle):
        raise ShapeError("has no pixel, wanted at least one")
    rings = [list(ring) for ring in item.rings] if options.keeps_drawn else _simplified(item, options)
    if rings:
        return [{"type": "polygon", "points": ring} for ring in rings]
    return [{"type": "mask", "rle": {"counts": item.rle["counts"], "size": list(item.rle["size"])}}]


def _simplified(item: ObjectRecord, options: WriteOptions) -> list[list[float]]:
    style = options.style or "parts"
    return rle_to_polygons(item.rle, style=style, min_iou=options.min_iou, max_points=options.max_points).to_coco()


def _read_shape(fields: Fields, size: Size, where: str) -> Shape:
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ShapeError(f"{where}: is a {kind!r:.40}, which has no area, wanted {', '.join(_KINDS)}")
    try:
        rle, ring, box = _KINDS[kind](fields, size, where)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None
    attributes = fields.get("attributes")
    group = whole(fields.get("group"))
    return Shape(
        label=integer(fields, "label_id", where),
        group=group if isinstance(group, int) else 0,
        rle=rle,
        ring=ring,
        box=box,
        attributes=attributes if isinstance(attributes, dict) else {},
        z_order=0.0 if fields.get("z_order") is None else number(fields, "z_order", where),
    )


def _polygon(fields: Fields, size: Size, where: str) -> tuple[Rle, Ring, Box | None]:
    points = [finite(value, "a coordinate", where) for value in array(fields, "points", where)]
    return segmentation_to_rle([points], size), tuple(points), None


def _bbox(fields: Fields, size: Size, where: str) -> tuple[Rle, Ring, Box | None]:
    values = [finite(value, "bbox", where) for value in array(fields, "bbox", where)]
    if len(values) != 4:
        raise DatasetError(f"{where}: bbox has {len(values)} numbers, wanted 4")
    x, y, width, height = values
    return box_to_rle(values, size), (), (x, y, width, height)


def _mask(fields: Fields, size: Size, where: str) -> tuple[Rle, Ring, Box | None]:
    return segmentation_to_rle(dict(as_fields(fields.get("rle"), where)), size), (), None


def _ellipse(fields: Fields, size: Size, where: str) -> tuple[Rle, Ring, Box | None]:
    """By the corners of its box."""
    values = [finite(value, "a coordinate", where) for value in array(fields, "points", where)]
    if len(values) != 4:
        raise DatasetError(f"{where}: an ellipse has {len(values)} numbers, wanted 4")
    x0, y0, x1, y1 = values
    ellipse = Ellipse((x0 + x1) / 2, (y0 + y1) / 2, abs(x1 - x0) / 2, abs(y1 - y0) / 2, 0.0)
    return mask_to_rle(ellipse_to_mask(ellipse, size)), (), None


def _objects(shapes: Sequence[Shape]) -> list[Found]:
    groups: dict[tuple[int, int, int], list[Shape]] = {}
    for place, shape in enumerate(shapes):
        key = (shape.label, shape.group, 0 if shape.group else place + 1)
        groups.setdefault(key, []).append(shape)
    return [found for group in groups.values() for found in _united(group)]


def _united(group: Sequence[Shape]) -> list[Found]:
    """The outlines of a group are one object, with its box; boxes alone are an object each."""
    outlines = [shape for shape in group if shape.box is None]
    boxes = [shape for shape in group if shape.box is not None]
    if not outlines:
        return [Found(one.label, one.rle, (), one.box, True, one.attributes, one.z_order) for one in boxes]
    rings = tuple(shape.ring for shape in outlines) if all(shape.ring for shape in outlines) else ()
    attributes = {name: value for shape in reversed(group) for name, value in shape.attributes.items()}
    z_order = max(shape.z_order for shape in outlines)
    box = boxes[0].box if boxes else None
    return [Found(group[0].label, _union([one.rle for one in outlines]), rings, box, False, attributes, z_order)]


def _union(rles: Sequence[Rle]) -> Rle:
    if len(rles) == 1:
        return rles[0]
    merged = coco_mask.merge([{"size": rle["size"], "counts": rle["counts"].encode("ascii")} for rle in rles])
    return {"size": list(rles[0]["size"]), "counts": merged["counts"].decode("ascii")}


_KINDS: Mapping[str, Callable[[Fields, Size, str], tuple[Rle, Ring, Box | None]]] = {
    "bbox": _bbox,
    "ellipse": _ellipse,
    "mask": _mask,
    "polygon": _polygon,
}
