"""What the browser sends and gets: JSON on one side, values of the decoder and the project on the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from clickmask.decoder import Box, DatasetError, Point, Prompt, PromptError, Size
from clickmask.web.browser_rle import check_runs, mask_to_runs, runs_to_mask
from clickmask.web.photos.records import Category, LabeledObject

if TYPE_CHECKING:
    from clickmask.decoder import Segmentation

Message = Mapping[str, Any]


def read_prompt(message: Message, size: Size) -> Prompt:
    """Build the prompt from ``points`` [[x, y, positive]], ``box`` [x0, y0, x1, y1] and ``base`` (mask runs).

    Raises:
        PromptError: If a number is missing or is no number.
        ShapeError: If ``base`` is malformed.
    """
    try:
        points = tuple(Point(float(x), float(y), bool(positive)) for x, y, positive in message.get("points") or ())
        box = Box(*(float(value) for value in message["box"])) if message.get("box") else None
    except (TypeError, ValueError) as error:
        raise PromptError(f"points or box are malformed: {error}") from error
    base = message.get("base")
    if not base:
        return Prompt(points, box)
    from clickmask.decoder.mask_prompts import mask_to_logits  # the page is up before PyTorch is

    return Prompt(points, box, mask_to_logits(runs_to_mask(base, size)))


def segmentation_message(answer: Segmentation, *, wants_zoom: bool) -> dict[str, Any]:
    """The chosen mask with the scores of all four, and whether the model's masks want a second look."""
    return {
        "runs": mask_to_runs(answer.mask()),
        "chosen": answer.chosen,
        "iou": [round(float(value), 4) for value in answer.predicted_iou],
        "stability": [round(float(value), 4) for value in answer.stability],
        "object_score": round(float(answer.object_score), 3),
        "wants_zoom": wants_zoom,
        "cached": answer.cache_hit,
        "encode_ms": round(answer.encode_ms, 1),
        "decode_ms": round(answer.decode_ms, 1),
    }


def read_object(message: Message, size: Size) -> LabeledObject:
    """One object to store, its mask checked against the picture.

    Raises:
        DatasetError: If a field is missing.
        ShapeError: If the mask does not fit the picture.
    """
    try:
        runs = str(message["runs"])
        score = message.get("score")
        item = LabeledObject(
            id=str(message["id"]),
            category=int(message["category"]),
            runs=runs,
            prompts=json.dumps(message.get("prompts") or {}),
            score=None if score is None else float(score),
            source=str(message.get("source", "click")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"the object is malformed: {error!r}, wanted id, category and runs") from error
    check_runs(runs, size)
    return item


def object_message(item: LabeledObject) -> dict[str, Any]:
    """An object as the browser keeps it."""
    return {**asdict(item), "prompts": json.loads(item.prompts)}


def read_categories(messages: list[Message]) -> list[Category]:
    """The list of categories; ids are kept, so objects stay what they are."""
    try:
        return [Category(int(m["id"]), str(m["name"]).strip(), str(m["color"])) for m in messages]
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"the class list is malformed: {error!r}, wanted id, name and color") from error
