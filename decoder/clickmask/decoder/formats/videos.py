"""A dataset as videos: frames in order, objects as tracks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import PurePosixPath

from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ImageRecord
from clickmask.decoder.formats.spool import Spool


@dataclass(frozen=True, slots=True)
class Video:
    """The frames of one video, by their numbers."""

    name: str
    frames: tuple[AnnotatedImage, ...]


def group_videos(dataset: Dataset) -> Iterator[Video]:
    """Yield the videos of a dataset, by name; a still picture is a video of one frame, frame 0.

    One video is held in memory at a time, whatever the order of the images.
    """
    spool = Spool()
    for annotated in dataset.images:
        image = _as_frame(annotated.image)
        spool.add_image(image, image.file_name)
        for item in annotated.objects:
            spool.add_object(item, image.id, image.file_name)
    for name, frames in groupby(spool.by_video(), key=lambda annotated: annotated.image.video):
        yield Video(str(name), tuple(frames))


def _as_frame(image: ImageRecord) -> ImageRecord:
    if image.video is not None and image.frame is not None:
        return image
    return replace(image, video=PurePosixPath(image.file_name).with_suffix("").as_posix(), frame=0)
