"""Carrying objects on through a folder: the tracker follows them from one picture to those after it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from clickmask.decoder import DatasetError, ImageError, Prompt
from clickmask.decoder.shapes import rle_to_mask
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.records import LabeledObject, Picture

if TYPE_CHECKING:
    from clickmask.decoder import Model

MOST_PICTURES = 1000
REPORTED = 5  # sentences about pictures that were left out


def following(folder: OpenFolder, picture_id: int, count: int) -> list[Picture]:
    """Return a picture and at most ``count`` after it, as far as they are as large as it is.

    Raises:
        DatasetError: If there is none after it, or the next is of another size.
    """
    pictures = [picture for picture in folder.pictures() if not picture.missing and picture.replaced is None]
    start = next((place for place, picture in enumerate(pictures) if picture.id == picture_id), None)
    if start is None or start + 1 == len(pictures):
        raise DatasetError("there is no picture after this one to follow objects to")
    run = pictures[start : start + 1 + min(count, MOST_PICTURES)]
    first = run[0]
    other = next((place for place, picture in enumerate(run) if picture.size != first.size), len(run))
    if other == 1:
        raise DatasetError(
            f"{run[1].name} is {run[1].size}, and {first.name} is {first.size}: objects are followed through pictures "
            "of one size"
        )
    return run[:other]


def propagate(
    folder: OpenFolder,
    pictures: Sequence[Picture],
    objects: Sequence[LabeledObject],
    model: Model,
    report: Callable[..., None],
) -> dict[str, Any]:
    """Follow objects from the first picture through the others, and put them there.

    Each gets the class and what else is known of its object, and a score; one that is not seen is left out.

    Returns:
        How many were ``made`` on how many ``pictures``, and ``problems`` as sentences.
    """
    from clickmask.decoder import mask_to_logits  # the page is up before PyTorch is
    from clickmask.decoder.track import open_tracker
    from clickmask.decoder.video import FolderVideo

    size = pictures[0].size
    video = FolderVideo(tuple(folder.same_size(picture) for picture in pictures), size)
    tracker = open_tracker(model, video)
    state = tracker.start()
    for number, item in enumerate(objects):
        mask = rle_to_mask({"size": [size.height, size.width], "counts": item.counts})
        state = tracker.prompt(state, 0, number, Prompt(mask_logits=mask_to_logits(mask))).state
    made, reached = 0, 0
    problems: list[str] = []
    for step in tracker.propagate(state, range(1, len(pictures))):
        picture = pictures[step.frame]
        found = {number: mask for number, mask in step.masks.items() if mask.present}
        new = [_carried(objects[number], str(mask.rle["counts"]), mask.predicted_iou) for number, mask in found.items()]
        try:
            folder.same_size(picture)
            folder.project.write(picture.id, folder.project.picture(picture.id).revision, {one.id: one for one in new})
            made, reached = made + len(new), reached + 1
        except (DatasetError, ImageError) as error:
            problems.append(f"{picture.name}: {error}")
        report(step.frame, len(pictures) - 1)
    return {"made": made, "pictures": reached, "problems": problems[:REPORTED]}


def _carried(item: LabeledObject, counts: str, score: float) -> LabeledObject:
    return LabeledObject(
        id=uuid.uuid4().hex[:16],
        category=item.category,
        counts=counts,
        score=round(score, 4),
        source="track",
        crowd=item.crowd,
        extras=item.extras,
    )
