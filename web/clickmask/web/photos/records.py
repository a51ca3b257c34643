"""The rows of a project, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from clickmask.decoder import Size

Status = Literal["todo", "done", "skipped", "accepted", "redo"]
STATUSES: tuple[Status, ...] = get_args(Status)
UNCHECKED = ("import", "auto", "box", "similar", "track")  # sources of objects that no person made
FINISHED: tuple[Status, ...] = ("done", "accepted")  # what exports take unless they are told otherwise


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file of the project.

    Args:
        id: Its number in the project.
        name: Path inside the folder, with forward slashes.
        width: Of the picture that was labeled [px].
        height: Of the picture that was labeled [px].
        status: How far it is: to do, done (also without objects), skipped, accepted by a reviewer, to be redone.
        note: A reviewer's or anybody's remark.
        revision: How often its objects were written.
        object_count: How many there are.
        box_count: Boxes of a file that wait for a mask.
        missing: The file is gone; its labels are not.
        replaced: Size of the file if it is another than that of the labels, as "451x300".
    """

    id: int
    name: str
    width: int
    height: int
    status: Status
    note: str
    revision: int
    object_count: int
    box_count: int
    missing: bool
    replaced: str | None

    @property
    def size(self) -> Size:
        """Of the picture that was labeled."""
        return Size(self.height, self.width)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file that was imported calls a picture, to be written again; ``extras`` is a JSON object as text."""

    number: int
    file_name: str
    extras: str = "{}"


@dataclass(frozen=True, slots=True)
class Category:
    """A class objects can belong to.

    Args:
        id: What objects and files refer to.
        name: What a person sees.
        color: ``#rrggbb``.
        supercategory: COCO's.
        extras: Other fields of a file, a JSON object as text.
    """

    id: int
    name: str
    color: str
    supercategory: str = ""
    extras: str = "{}"


@dataclass(frozen=True, slots=True)
class LabeledObject:
    """One accepted object.

    Args:
        id: Name chosen by whoever made the object, unique in the project.
        category: Id of its category.
        counts: Mask as compressed COCO run lengths of the picture's size.
        prompts: JSON text of the points and box that made the mask, kept to refine it later.
        score: Predicted IoU when it was accepted; None if a person or a file drew it.
        source: Where the mask comes from: ``click``, ``edit``, ``auto``, ``box``,
            ``similar``, ``track``, ``import``, or ``checked`` if a person looked at one of these.
        crowd: Whether it covers a group that was not separated.
        extras: Attributes, group, track and other fields of a file, a JSON object as text.
        number: Id of its annotation in the file it comes from.
    """

    id: str
    category: int
    counts: str
    prompts: str = "{}"
    score: float | None = None
    source: str = "click"
    crowd: bool = False
    extras: str = "{}"
    number: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingBox:
    """A box of a file that has no mask yet.

    Args:
        id: Unique in the project.
        picture: Id of its picture.
        category: Id of its category.
        box: (x0, y0, x1, y1) [px].
        score: The detector's, or None.
        crowd: See ``LabeledObject``.
        extras: See ``LabeledObject``.
        number: See ``LabeledObject``.
    """

    id: str
    picture: int
    category: int
    box: tuple[float, float, float, float]
    score: float | None = None
    crowd: bool = False
    extras: str = "{}"
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after a write; None means it did not or does not exist."""

    id: str
    before: LabeledObject | None
    after: LabeledObject | None


@dataclass(frozen=True, slots=True)
class Write:
    """What one write changed; ``revision`` is the picture's after it."""

    revision: int
    changes: tuple[Change, ...]
