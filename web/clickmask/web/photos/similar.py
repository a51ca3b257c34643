"""Find similar: the others of a kind, proposed on the open picture, or put unchecked on the pictures after it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clickmask.decoder import ClickMaskError, DatasetError
from clickmask.decoder.shapes import rle_to_mask
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.pictures import image_source
from clickmask.web.photos.records import FINISHED, UNCHECKED, LabeledObject, Picture

if TYPE_CHECKING:
    from clickmask.decoder import Engine, Example, Kind, SimilarObject
    from clickmask.decoder.shapes import Rle

SOURCE = "similar"
MOST_EXAMPLES = 20  # of a kind; each costs a look at its picture
MOST_REFUSED = 20
REPORTED = 5  # sentences about pictures that were left out
NO_EXAMPLE = "there is no object to find the others of: accept one first"


@dataclass(frozen=True, slots=True)
class Shown:
    """An object of a picture that is an example, or what a person dropped."""

    picture: Picture
    rle: Rle


def examples_on(folder: OpenFolder, picture: Picture, ids: Iterable[str]) -> list[Shown]:
    """The objects of a picture with these ids.

    Raises:
        DatasetError: If there is none.
    """
    wanted = set(ids)
    found = [item for item in folder.project.objects(picture.id) if item.id in wanted]
    if not found:
        raise DatasetError(NO_EXAMPLE)
    return [Shown(picture, _rle(picture, item)) for item in found[-MOST_EXAMPLES:]]


def examples_of(folder: OpenFolder, category: int) -> list[Shown]:
    """The objects of a class that a person made or checked, those of the picture that was worked on last first.

    Raises:
        DatasetError: If there is none.
    """
    found: list[Shown] = []
    pictures = [picture for picture in folder.pictures() if picture.object_count and _can_be_read(picture)]
    for picture in sorted(pictures, key=lambda one: one.revision, reverse=True):
        for item in folder.project.objects(picture.id):
            if item.category == category and item.source not in UNCHECKED and not item.crowd:
                found.append(Shown(picture, _rle(picture, item)))
        if len(found) >= MOST_EXAMPLES:
            break
    if not found:
        raise DatasetError(NO_EXAMPLE)
    return found[:MOST_EXAMPLES]


def read_kind(folder: OpenFolder, engine: Engine, examples: Sequence[Shown], refused: Sequence[Shown]) -> Kind:
    """What the examples and what was dropped look like.

    Raises:
        ImageError: If a picture cannot be read.
    """
    from clickmask.decoder import Kind  # the page is up before PyTorch is

    described, dropped = (
        tuple(found for one in shown if (found := _described(folder, engine, one)) is not None)
        for shown in (examples, refused[-MOST_REFUSED:])
    )
    if not described:
        raise DatasetError(NO_EXAMPLE)
    return Kind(described, dropped)


def propose(
    folder: OpenFolder,
    picture: Picture,
    engine: Engine,
    kind: Kind,
    dropped: Sequence[Rle],
    progress: Callable[[float], None],
) -> list[SimilarObject]:
    """Find objects of a kind on a picture; none that is there already, and none that was dropped."""
    known = [_rle(picture, item) for item in folder.project.objects(picture.id)]
    return engine.find_similar(image_source(folder.same_size(picture)), kind, [*known, *dropped], progress)


def unfinished_after(folder: OpenFolder, picture_id: int, count: int) -> list[Picture]:
    """Return at most ``count`` pictures after one that are not done, skipped, gone or replaced.

    Raises:
        DatasetError: If there is none.
    """
    pictures = folder.pictures()
    start = next((place for place, picture in enumerate(pictures) if picture.id == picture_id), -1) + 1
    done = (*FINISHED, "skipped")
    left = [one for one in pictures[start:] if one.status not in done and _can_be_read(one)]
    if not left:
        raise DatasetError("there is no picture after this one that is not done")
    return left[:count]


def look_through(
    folder: OpenFolder,
    pictures: Sequence[Picture],
    engine: Engine,
    kind: Kind,
    category: int,
    report: Callable[..., None],
) -> dict[str, Any]:
    """Put what is found on each picture, unchecked, with its score; what an earlier look put there goes.

    Returns:
        How many were ``made`` on how many ``pictures``, and ``problems`` as sentences.
    """
    made = reached = 0
    problems: list[str] = []
    for done, picture in enumerate(pictures):
        report(done, len(pictures))
        try:
            new = _put(folder, picture, engine, kind, category)
            made, reached = made + new, reached + (new > 0)
        except ClickMaskError as error:
            problems.append(f"{picture.name}: {error}")
    report(len(pictures), len(pictures))
    return {"made": made, "pictures": reached, "problems": problems[:REPORTED]}


def _put(folder: OpenFolder, picture: Picture, engine: Engine, kind: Kind, category: int) -> int:
    project = folder.project
    objects = project.objects(picture.id)
    old = [item for item in objects if item.source == SOURCE and item.category == category]
    known = [_rle(picture, item) for item in objects if item not in old]
    found = engine.find_similar(image_source(folder.same_size(picture)), kind, known)
    after: dict[str, LabeledObject | None] = dict.fromkeys(item.id for item in old)
    for one in found:
        key = uuid.uuid4().hex[:16]
        after[key] = LabeledObject(key, category, one.found.rle["counts"], score=round(one.score, 4), source=SOURCE)
    if after:
        project.write(picture.id, project.picture(picture.id).revision, after)
    return len(found)


def _described(folder: OpenFolder, engine: Engine, shown: Shown) -> Example | None:
    return engine.describe(image_source(folder.same_size(shown.picture)), rle_to_mask(shown.rle))


def _can_be_read(picture: Picture) -> bool:
    return not picture.missing and picture.replaced is None


def _rle(picture: Picture, item: LabeledObject) -> Rle:
    return {"size": [picture.height, picture.width], "counts": item.counts}
