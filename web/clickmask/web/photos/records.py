"""The rows of a project, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["todo", "done", "skipped"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file of the project; ``revision`` counts the writes to its objects."""

    id: int
    name: str  # path inside the folder, with forward slashes
    width: int
    height: int
    status: Status
    revision: int
    object_count: int
    missing: bool  # the file is gone; its labels are not


@dataclass(frozen=True, slots=True)
class Category:
    """A class objects can belong to; ``color`` is ``#rrggbb``."""

    id: int
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class LabeledObject:
    """One accepted object.

    Args:
        id: Name chosen by whoever made the object, unique in the project.
        category: Id of its category.
        runs: Mask as run lengths in base64 (``clickmask.web.browser_rle``).
        prompts: JSON text of the points and box that made the mask, kept to refine it later.
        score: Predicted IoU when it was accepted; None if a person or a file drew it.
        source: Where the mask comes from: ``click``, ``edit``, ``auto`` or ``import``.
    """

    id: str
    category: int
    runs: str
    prompts: str = "{}"
    score: float | None = None
    source: str = "click"


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after a write; None means it did not or does not exist."""

    id: str
    before: LabeledObject | None
    after: LabeledObject | None
