"""Boxes, points and coarse masks become fine masks, each with its score and with what is odd about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import PromptError
from clickmask.decoder.formats.records import ObjectRecord
from clickmask.decoder.images import ImageSource
from clickmask.decoder.mask_prompts import mask_to_logits
from clickmask.decoder.prompts import Box, Prompt, Size
from clickmask.decoder.shapes import box_iou, mask_iou, mask_to_box, mask_to_rle, rle_area, rle_to_mask
from clickmask.decoder.shapes.depth import deepest_point
from clickmask.decoder.shapes.rle import Rle

Kind = Literal["auto", "boxes", "points", "masks"]
Flag = Literal["border", "unstable", "disagrees", "double", "kept"]

POINT_PX = 9  # a side; what is not larger is taken for a point
LEAST_STABILITY = 0.7
LEAST_BOX_IOU = 0.6  # of the mask's box with the box that was given
LEAST_MASK_IOU = 0.5  # of the mask with the coarse one
DOUBLE_IOU = 0.9


@dataclass(frozen=True, slots=True)
class LabeledObject:
    """One object with what a person should know of it.

    Args:
        record: The object, its mask new; id, category and extras as they were.
        flags: "border": it touches the picture's border. "unstable": its edge is soft. "disagrees": it is not where
            the box or the coarse mask was. "double": another object of the picture is nearly the same. "kept":
            nothing was found, the old shape stays.
    """

    record: ObjectRecord
    flags: tuple[Flag, ...]


def upgrade_objects(
    engine: Engine, image: ImageSource, objects: Iterable[ObjectRecord], size: Size, kind: Kind = "auto"
) -> list[LabeledObject]:
    """Give every object of a picture a mask that follows it.

    Args:
        engine: Answers.
        image: The picture.
        objects: As they are.
        size: Of the picture.
        kind: What the objects are; "auto" looks at each: a filled box is a box, a speck a point, all else a mask.

    Raises:
        ImageError: If the picture cannot be read.
    """
    labeled = [upgrade_object(engine, image, item, size, kind) for item in objects]
    return flag_doubles(labeled)


def upgrade_object(
    engine: Engine, image: ImageSource, item: ObjectRecord, size: Size, kind: Kind = "auto"
) -> LabeledObject:
    """Give one object a mask that follows it; a crowd and what cannot be asked for stay as they are."""
    before = rle_to_mask(item.rle)
    box = mask_to_box(before)
    if item.is_crowd or box is None:
        return LabeledObject(item, ("kept",))
    found = object_kind(item, box) if kind == "auto" else kind
    try:
        answer = engine.segment(image, _prompt(found, before, box))
    except PromptError:
        return LabeledObject(item, ("kept",))
    mask = answer.mask()
    tight = mask_to_box(mask)
    if tight is None:
        return LabeledObject(replace(item, score=0.0), ("kept",))
    flags: list[Flag] = []
    if touches_border(tight, size):
        flags.append("border")
    if answer.stability[answer.chosen] < LEAST_STABILITY:
        flags.append("unstable")
    if not _agrees(found, before, box, mask, tight):
        flags.append("disagrees")
    record = replace(
        item, rle=mask_to_rle(mask), score=round(min(max(answer.score, 0.0), 1.0), 4), rings=(), box=None, area=None,
        is_box=False,
    )  # fmt: skip
    return LabeledObject(record, tuple(flags))


def object_kind(item: ObjectRecord, box: Box) -> Kind:
    """What an object was drawn as.

    Example:
        >>> filled = mask_to_rle(np.ones((20, 30), bool))
        >>> object_kind(ObjectRecord(1, 1, filled), Box(0, 0, 30, 20))
        'boxes'
    """
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if max(width, height) <= POINT_PX:
        return "points"
    return "boxes" if item.is_box or rle_area(item.rle) == width * height else "masks"


def _prompt(kind: Kind, mask: NDArray[np.bool_], box: Box) -> Prompt:
    if kind == "boxes":
        return Prompt(box=box)
    if kind == "masks":
        return Prompt(box=box, mask_logits=mask_to_logits(mask))
    deepest = deepest_point(mask)
    assert deepest is not None  # it has a box, so it has a pixel
    return Prompt(points=(deepest[0],))


def _agrees(kind: Kind, before: NDArray[np.bool_], box: Box, mask: NDArray[np.bool_], tight: Box) -> bool:
    if kind == "points":
        return bool((before & mask).any())
    if kind == "boxes":
        return box_iou(box, tight) >= LEAST_BOX_IOU
    return mask_iou(before, mask) >= LEAST_MASK_IOU


def touches_border(box: Box, size: Size) -> bool:
    """Whether a box reaches the picture's border."""
    return box.x0 <= 0 or box.y0 <= 0 or box.x1 >= size.width or box.y1 >= size.height


def flag_doubles(labeled: Sequence[LabeledObject]) -> list[LabeledObject]:
    """Flag every object that is nearly the same as one before it."""
    encoded = [_as_bytes(item.record.rle) for item in labeled]
    flagged = []
    for index, item in enumerate(labeled):
        overlaps = coco_mask.iou([encoded[index]], encoded[:index], [0] * index) if index else np.zeros((1, 0))
        is_double = bool((np.asarray(overlaps) > DOUBLE_IOU).any())
        flagged.append(replace(item, flags=(*item.flags, "double")) if is_double else item)
    return flagged


def _as_bytes(rle: Rle) -> dict[str, object]:
    return {"size": rle["size"], "counts": rle["counts"].encode()}
