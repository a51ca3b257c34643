"""What the browser sends and gets: JSON on one side, values of the decoder and the project on the other."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from clickmask.decoder import Box, DatasetError, Point, Prompt, PromptError, Size
from clickmask.web.browser_rle import mask_to_runs, rle_to_runs, runs_to_mask, runs_to_rle
from clickmask.web.photos.records import Category, LabeledObject, WaitingBox

if TYPE_CHECKING:
    from clickmask.decoder import Answer

Message = Mapping[str, Any]
COLOR = re.compile("#[0-9a-fA-F]{6}")


def read_prompt(message: Message, size: Size) -> Prompt:
    """Build the prompt from ``points`` [[x, y, positive]], ``box`` and ``view`` [x0, y0, x1, y1], ``base`` (mask runs).

    The view is what of the picture is on the screen; the base is a mask that was there, which clicks correct.

    Raises:
        PromptError: If a number is missing or is no number.
        ShapeError: If ``base`` is malformed.
    """
    try:
        points = tuple(Point(float(x), float(y), bool(positive)) for x, y, positive in message.get("points") or ())
        box, view = (
            Box(*(float(value) for value in message[name])) if message.get(name) else None for name in ("box", "view")
        )
    except (TypeError, ValueError) as error:
        raise PromptError(f"points, box or view are malformed: {error}") from error
    base = message.get("base")
    return Prompt(points, box, mask=runs_to_mask(base, size) if base else None, view=view)


def segmentation_message(answer: Answer, *, wants_zoom: bool) -> dict[str, Any]:
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
        score, number = message.get("score"), message.get("number")
        return LabeledObject(
            id=_text(message["id"]),
            category=int(message["category"]),
            counts=runs_to_rle(str(message["runs"]), size)["counts"],
            prompts=_json(message.get("prompts") or {}),
            score=None if score is None else float(score),
            source=_text(message.get("source", "click")),
            crowd=bool(message.get("crowd", False)),
            extras=_json(dict(message.get("extras") or {})),
            number=None if number is None else int(number),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"the object is malformed: {error!r}, wanted id, category and runs") from error


def _json(value: object) -> str:
    """JSON that every page can be sent; raises ValueError for what is none, such as NaN or half a character."""
    return _text(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _text(value: object) -> str:
    text = str(value)
    text.encode()  # half a character cannot be sent, and would keep the picture from ever being opened again
    return text


def object_message(item: LabeledObject, size: Size) -> dict[str, Any]:
    """Return an object as the browser keeps it."""
    fields = {key: value for key, value in asdict(item).items() if key != "counts"}
    runs = rle_to_runs({"size": [size.height, size.width], "counts": item.counts})
    return {**fields, "runs": runs, "prompts": _sendable(item.prompts), "extras": _sendable(item.extras)}


def box_prompts(box: Box) -> str:
    """Return the prompts of an object that a box made, as they are kept."""
    return _json({"points": [], "box": [box.x0, box.y0, box.x1, box.y1]})


def box_message(box: WaitingBox) -> dict[str, Any]:
    """Return a box without a mask as the browser shows it."""
    return {"id": box.id, "category": box.category, "box": list(box.box), "score": box.score}


def _sendable(text: str) -> Any:
    """JSON text as a value; nothing of it if an older version kept what cannot be sent."""
    value = json.loads(text)
    try:
        _json(value)
    except ValueError:
        return {}
    return value


def read_categories(messages: list[Message], known: Mapping[int, Category] | None = None) -> list[Category]:
    """Return the list of categories; ids are kept, so objects stay what they are, and what files say of them."""
    try:
        return [_category(message, known or {}) for message in messages]
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"the class list is malformed: {error!r}, wanted id, name and color") from error


def _category(message: Message, known: Mapping[int, Category]) -> Category:
    color = str(message["color"])
    if not COLOR.fullmatch(color):
        raise ValueError(f"color {color[:40]!r} is not #rrggbb")
    number, name = int(message["id"]), _text(message["name"]).strip()
    old = known.get(number)
    return replace(old, name=name, color=color) if old else Category(number, name, color)
