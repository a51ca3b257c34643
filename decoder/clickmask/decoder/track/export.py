"""Tracks as a data set: every frame an image, every object a category's and a track's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.track.tracker import TrackedMask

Tracks = Mapping[int, Mapping[int, TrackedMask]]  # by frame index, by object id


def tracks_to_dataset(tracks: Tracks, size: Size, video: str, category: str, name_of: Callable[[int], str]) -> Dataset:
    """Put tracks into the form that every format can be written from.

    Args:
        tracks: An object that is not seen on a frame is left out there.
        size: Of every frame.
        video: The video's name.
        category: Of every object.
        name_of: The file name of a frame.
    """
    images = [_annotated(frame, tracks[frame], size, video, name_of(frame)) for frame in sorted(tracks)]
    return Dataset((Category(1, category),), images, len(images))


def _annotated(frame: int, masks: Mapping[int, TrackedMask], size: Size, video: str, file_name: str) -> AnnotatedImage:
    image = ImageRecord(frame + 1, file_name, size, video, frame)
    objects = tuple(
        ObjectRecord(
            id=(frame << 16) + object_id,
            category_id=1,
            rle=tracked.rle,
            score=None if tracked.prompted else tracked.predicted_iou,
            track_id=object_id,
        )
        for object_id, tracked in masks.items()
        if tracked.present
    )
    return AnnotatedImage(image, objects)
