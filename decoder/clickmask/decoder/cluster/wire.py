"""Requests to decoders on other machines, and their answers, as bytes: a line of JSON, then pixels if they are sent.

Nothing is unpickled, so that whoever reaches a decoder can ask it, and no more.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clickmask.decoder import errors
from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.click_engine import Answer
from clickmask.decoder.errors import ClickMaskError, PromptError
from clickmask.decoder.formats.json_writer import compact_json
from clickmask.decoder.images import Pixels
from clickmask.decoder.mask_rule import MaskRule
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.refine.window import Window
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask
from clickmask.decoder.shapes.rle import Rle

Fields = dict[str, Any]


def pack(fields: Mapping[str, Any], pixels: Pixels | None = None) -> bytes:
    """A message as bytes."""
    shape = None if pixels is None else list(pixels.shape[:2])
    body = b"" if pixels is None else np.ascontiguousarray(pixels).tobytes()
    return compact_json({**fields, "pixels": shape}).encode() + b"\n" + body


def unpack(data: bytes) -> tuple[Fields, Pixels | None]:
    """The fields and the pixels of a message.

    Raises:
        PromptError: If it is none.
    """
    line, _, body = data.partition(b"\n")
    try:
        fields: Fields = json.loads(line)
        shape = fields.pop("pixels")
        pixels = None if shape is None else np.frombuffer(body, np.uint8).reshape(*shape, 3)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PromptError(f"the message is malformed: {error!r}, wanted a line of JSON and pixels") from None
    return fields, pixels


def prompt_fields(prompt: Prompt) -> Fields:
    """A prompt as JSON; a mask as run lengths."""
    logits = prompt.mask_logits
    values = None if logits is None else logits.detach().cpu().float().numpy()
    return {
        "points": [[point.x, point.y, point.positive] for point in prompt.points],
        "box": None if prompt.box is None else prompt.box.xyxy,
        "view": None if prompt.view is None else prompt.view.xyxy,
        "mask": None if prompt.mask is None else mask_to_rle(prompt.mask),
        "logits": None if values is None else [*values.shape, b64encode(values.tobytes()).decode("ascii")],
    }


def read_prompt(fields: Fields) -> Prompt:
    """The prompt of JSON, to the bit."""
    logits = None
    if fields["logits"] is not None:
        *shape, text = fields["logits"]
        logits = torch.from_numpy(np.frombuffer(b64decode(text), np.float32).reshape(shape).copy())
    return Prompt(
        points=tuple(Point(x, y, positive) for x, y, positive in fields["points"]),
        box=None if fields["box"] is None else Box(*fields["box"]),
        view=None if fields["view"] is None else Box(*fields["view"]),
        mask=None if fields["mask"] is None else rle_to_mask(fields["mask"]),
        mask_logits=logits,
    )


def rule_fields(how: MaskRule | None) -> list[Any] | None:
    """How to answer, as JSON."""
    return None if how is None else [how.rule, how.zoom]


def read_rule(fields: list[Any] | None) -> MaskRule | None:
    """How to answer."""
    return None if fields is None else MaskRule(*fields)


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What a decoder on another machine answered; see ``Answer``."""

    rles: tuple[Rle, ...]  # of the four rows, the chosen one as it is shown
    score: float
    chosen: int
    predicted_iou: tuple[float, ...]
    stability: tuple[float, ...]
    object_score: float
    cache_hit: bool
    encode_ms: float
    decode_ms: float

    def mask(self, row: int | None = None) -> NDArray[np.bool_]:
        """See ``Answer``."""
        return rle_to_mask(self.rles[self.chosen if row is None else row])


def answer_fields(answer: Answer) -> Fields:
    """An answer as JSON."""
    return asdict(
        RemoteAnswer(
            rles=tuple(mask_to_rle(answer.mask(row)) for row in range(len(answer.predicted_iou))),
            score=answer.score,
            chosen=answer.chosen,
            predicted_iou=answer.predicted_iou,
            stability=answer.stability,
            object_score=answer.object_score,
            cache_hit=answer.cache_hit,
            encode_ms=answer.encode_ms,
            decode_ms=answer.decode_ms,
        )
    )


def read_answer(fields: Fields) -> RemoteAnswer:
    """The answer of JSON."""
    lists = {name: tuple(fields[name]) for name in ("rles", "predicted_iou", "stability")}
    return RemoteAnswer(**{**fields, **lists})


def read_found(fields: Fields) -> FoundMask:
    """A mask that nobody clicked, of the JSON of ``asdict``."""
    parts = {"box": Box(**fields["box"]), "point": Point(**fields["point"]), "crop": Window(**fields["crop"])}
    return FoundMask(**{**fields, **parts})


def error_fields(error: ClickMaskError) -> list[str]:
    """An error as JSON."""
    return [type(error).__name__, str(error)]


def read_error(fields: list[str]) -> ClickMaskError:
    """The error of JSON, as its own class."""
    name, message = fields
    known = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, ClickMaskError):
        return known(message)
    return ClickMaskError(message)
