"""A video's objects as lines of MOTS text: tracks numbered by class, no pixel twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.layers import flatten
from clickmask.decoder.formats.mots.classes import IGNORED_CLASS
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, ObjectRecord
from clickmask.decoder.formats.videos import Video
from clickmask.decoder.shapes import mask_to_rle, rle_area
from clickmask.decoder.shapes.rle import Rle

INSTANCES = 1_000  # track numbers per class and video

TrackKey = tuple[int, int | None, int]


def class_numbers(categories: Sequence[Category], most: int = INSTANCES - 1) -> dict[int, int]:
    """Return class numbers by category id: the ids where all are at most so high, else 1, 2, 3 and so on without 10."""
    ids = [category.id for category in categories]
    if all(0 < number <= most and number != IGNORED_CLASS for number in ids):
        return {number: number for number in ids}
    free = (number for number in range(1, len(ids) + 2) if number != IGNORED_CLASS)
    return dict(zip(ids, free, strict=False))


def mots_lines(video: Video, classes: Mapping[int, int], options: WriteOptions) -> Iterator[str]:
    """Yield a line for every object that is not wholly covered by smaller ones.

    Raises:
        DatasetError: If a class has more tracks than MOTS can number.
    """
    tracks = track_numbers(video, classes)
    for annotated in video.frames:
        frame = annotated.image.frame or 0
        for item, rle in zip(annotated.objects, without_overlap(annotated, options), strict=True):
            class_id = IGNORED_CLASS if item.is_crowd else classes[item.category_id]
            if rle_area(rle):
                yield f"{frame} {tracks(item)} {class_id} {rle['size'][0]} {rle['size'][1]} {rle['counts']}"


def track_numbers(video: Video, classes: Mapping[int, int]) -> Callable[[ObjectRecord], int]:
    """Return what gives the track number of every object: the one it has if it fits its class, else the next free.

    Raises:
        DatasetError: If a class has more tracks than MOTS can number.
    """
    keys = {_track_key(item): None for annotated in video.frames for item in annotated.objects if not item.is_crowd}
    kept = {key: key[1] for key in keys if key[1] is not None and key[1] // INSTANCES == classes[key[0]]}
    tracks = dict(kept)
    taken = set(kept.values())
    for key in keys:
        if key in kept:
            continue
        first = classes[key[0]] * INSTANCES
        free = next((number for number in range(first + 1, first + INSTANCES) if number not in taken), None)
        if free is None:
            raise DatasetError(f"video {video.name} has more than {INSTANCES - 1} tracks of class {classes[key[0]]}")
        tracks[key] = free
        taken.add(free)
    return lambda item: INSTANCES * IGNORED_CLASS if item.is_crowd else tracks[_track_key(item)]


def _track_key(item: ObjectRecord) -> TrackKey:
    """The category, and the track, or the object itself where it has none."""
    return item.category_id, item.track_id, item.id if item.track_id is None else 0


def without_overlap(annotated: AnnotatedImage, options: WriteOptions) -> list[Rle]:
    """Return the masks of an image, each without what smaller ones over it cover."""
    layer = flatten(annotated, options)
    return [mask_to_rle(layer == place) for place in range(1, len(annotated.objects) + 1)]
