"""Masks of boxes: what a file brought as boxes only is answered by the model, one box after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clickmask.decoder import Box, ClickMaskError, Prompt
from clickmask.decoder.shapes import mask_to_rle
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.messages import box_prompts
from clickmask.web.photos.pictures import image_source
from clickmask.web.photos.records import LabeledObject, Picture, WaitingBox

if TYPE_CHECKING:
    from clickmask.decoder import ClickEngine

REPORTED = 5  # sentences about boxes that failed


def waiting_boxes(folder: OpenFolder) -> list[WaitingBox]:
    """Return the boxes of the folder's own pictures that wait for a mask."""
    own = {picture.id for picture in folder.pictures()}
    return [box for box in folder.project.boxes() if box.picture in own]


def make_masks(folder: OpenFolder, engine: ClickEngine, report: Callable[..., None]) -> dict[str, Any]:
    """Make an object of every waiting box; those that fail keep waiting.

    Returns:
        How many were ``made``, how many ``failed``, and ``problems`` as sentences.
    """
    boxes, made = waiting_boxes(folder), 0
    problems: list[str] = []
    for done, box in enumerate(boxes):
        report(done, len(boxes))
        picture = folder.picture(box.picture)
        try:
            item = _answered(folder, picture, box, engine)
            folder.project.write(picture.id, folder.project.picture(picture.id).revision, {item.id: item})
            folder.project.drop_boxes([box.id])
            made += 1
        except ClickMaskError as error:
            problems.append(f"{picture.name}: {error}")
    report(len(boxes), len(boxes))
    return {"made": made, "failed": len(problems), "problems": problems[:REPORTED]}


def _answered(folder: OpenFolder, picture: Picture, box: WaitingBox, engine: ClickEngine) -> LabeledObject:
    x0, y0, x1, y1 = box.box
    inside = Box(max(0.0, x0), max(0.0, y0), min(float(picture.width), x1), min(float(picture.height), y1))
    answer = engine.segment(image_source(folder.same_size(picture)), Prompt(box=inside))
    return LabeledObject(
        id=box.id,
        category=box.category,
        counts=mask_to_rle(answer.mask())["counts"],
        prompts=box_prompts(inside),
        score=float(answer.predicted_iou[answer.chosen]) if box.score is None else box.score,
        source="box",
        crowd=box.crowd,
        extras=box.extras,
        number=box.number,
    )
