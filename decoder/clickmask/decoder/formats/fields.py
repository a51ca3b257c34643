"""Take values out of foreign JSON, or say in one sentence what is wrong with them.

``where`` names the record in every message: ``instances.json: annotation 12``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import Tell

MAX_ID = 2**63 - 1
MAX_SIDE_PX = 1 << 17
Fields = Mapping[str, Any]


def wrong(where: str, name: str, got: object, wanted: str) -> DatasetError:
    """Return the error for a value that is not what it should be."""
    return DatasetError(f"{where}: {name} is {got!r:.80}, wanted {wanted}")


@contextmanager
def refused_as(error: type[ClickMaskError]) -> Iterator[None]:
    """Raise what is wrong with a record as another error, where whoever sent it must be answered so.

    Example:
        >>> from clickmask.decoder.errors import PromptError
        >>> with refused_as(PromptError):
        ...     _ = number({"x": "left"}, "x", "a click")
        Traceback (most recent call last):
            ...
        clickmask.decoder.errors.PromptError: a click: x is 'left', wanted a number
    """
    try:
        yield
    except DatasetError as wrong_field:
        raise error(str(wrong_field)) from None


def as_fields(value: object, where: str) -> Fields:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        raise wrong(where, "the record", value, "an object")
    return value


def plain_json(fields: Fields, where: str) -> Fields:
    """Return an object whose numbers are all finite, so that it can be written again."""
    if not is_plain(fields):
        raise DatasetError(f"{where}: holds NaN or infinity, wanted numbers that JSON can hold")
    return fields


def is_plain(value: object) -> bool:
    """Whether a value can be written as JSON: NaN and infinity cannot."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def other_fields(fields: Fields, known: Collection[str], where: str, tell: Tell) -> dict[str, Any]:
    """Return the fields that are not among the known, to travel along; those that JSON cannot hold are told."""
    others = {name: value for name, value in fields.items() if name not in known}
    if others and not is_plain(others):
        tell("fields that hold NaN or infinity", where)
        others = {name: value for name, value in others.items() if is_plain(value)}
    return others


def with_fields(element: dict[str, Any], extras: Fields) -> dict[str, Any]:
    """Return a record with fields that travelled along; its own come first and win."""
    return {**element, **{name: value for name, value in extras.items() if name not in element}}


def integer(fields: Fields, name: str, where: str, *, least: int = 0, most: int = MAX_ID) -> int:
    """Return a whole number in [least, most]; 3.0 and "3" count as 3."""
    value = whole(fields.get(name))
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise wrong(where, name, value, f"a whole number from {least} to {most}")
    return value


def whole(value: object) -> object:
    """Return 3 for 3.0 and "3", and anything else as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value


def flag(fields: Fields, name: str, where: str) -> bool:
    """Return a truth value, however it was written: 0, 1, true, "false", null; False where it is missing."""
    value = fields.get(name)
    value = value.lower() if isinstance(value, str) else value
    for known, meanings in ((False, (None, 0, "", "0", "false")), (True, (1, "1", "true"))):
        if value in meanings:
            return known
    raise wrong(where, name, fields.get(name), "0 or 1")


def number(fields: Fields, name: str, where: str) -> float:
    """Return a finite number."""
    return finite(fields.get(name), name, where)


def finite(value: object, name: str, where: str) -> float:
    """Return the value if it is a finite number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(where, name, value, "a number")
    if not abs(value) <= 1e18 or not math.isfinite(value):
        raise wrong(where, name, value, "a finite number")
    return float(value)


def text(fields: Fields, name: str, where: str) -> str:
    """Return a string that is not empty; a number counts as its digits."""
    value = fields.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise wrong(where, name, value, "a text")
    return value


def optional_text(fields: Fields, name: str, where: str) -> str:
    """Return a string, "" where there is none."""
    return text(fields, name, where) if fields.get(name) else ""


def array(fields: Fields, name: str, where: str) -> list[Any]:
    """Return a JSON array."""
    value = fields.get(name)
    if not isinstance(value, list):
        raise wrong(where, name, value, "an array")
    return value


def side(fields: Fields, name: str, where: str) -> int:
    """Return the height or width of an image [px], at least 1."""
    return integer(fields, name, where, least=1, most=MAX_SIDE_PX)


def optional_score(fields: Fields, where: str) -> float | None:
    """Return the confidence, or None where there is none."""
    return None if fields.get("score") is None else number(fields, "score", where)


def optional_integer(fields: Fields, name: str, where: str) -> int | None:
    """Return a whole number from 0, or None where there is none."""
    return None if fields.get(name) is None else integer(fields, name, where)
