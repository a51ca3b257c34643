"""A video's objects as YouTube-VIS tracks: lists with one entry per frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from pycocotools import mask as coco_mask

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import ObjectRecord
from clickmask.decoder.formats.videos import Video
from clickmask.decoder.shapes import rle_area, rle_to_uncompressed_rle
from clickmask.decoder.shapes.rle import Rle

Rows = dict[tuple[str, int, int], dict[int, ObjectRecord]]  # by kind of number, number and category; then by frame


def track_elements(
    video: Video, video_id: int, first_track: int, options: WriteOptions
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the element of ``videos`` and those of ``annotations``.

    Tracks keep their numbers only within the video; ids count from ``first_track``.

    Raises:
        DatasetError: If the frames differ in size, or a track has two masks on a frame.
    """
    size = video.frames[0].image.size
    for annotated in video.frames:
        if annotated.image.size != size:
            raise DatasetError(f"video {video.name} has frames of {size} and {annotated.image.size}, wanted one size")
    described = {
        "id": video_id,
        "width": size.width,
        "height": size.height,
        "length": len(video.frames),
        "file_names": [annotated.image.file_name for annotated in video.frames],
    }
    tracks = [
        {"id": number, "video_id": video_id} | _track(frames, len(video.frames), options)
        for number, frames in enumerate(_rows(video).values(), start=first_track)
    ]
    return described, tracks


def _rows(video: Video) -> Rows:
    rows: Rows = {}
    for frame, annotated in enumerate(video.frames):
        for item in annotated.objects:
            key = ("object", item.id) if item.track_id is None else ("track", item.track_id)
            row = rows.setdefault((*key, item.category_id), {})
            if frame in row:
                raise DatasetError(f"video {video.name}: track {item.track_id} has two masks on frame {frame}")
            row[frame] = item
    return rows


def _track(frames: Mapping[int, ObjectRecord], length: int, options: WriteOptions) -> dict[str, Any]:
    any_item = next(iter(frames.values()))
    rles = {frame: item.rle for frame, item in frames.items()}
    element = {
        "category_id": any_item.category_id,
        "iscrowd": int(any_item.is_crowd),
        "segmentations": _per_frame(rles, length, rle_to_uncompressed_rle if options.encoding == "counts" else dict),
        "bboxes": _per_frame(rles, length, _bbox),
        "areas": _per_frame(rles, length, rle_area),
    }
    scores = [item.score for item in frames.values() if item.score is not None]
    return element | {"score": fmean(scores)} if scores else element


def _per_frame(rles: Mapping[int, Rle], length: int, describe: Callable[[Rle], Any]) -> list[Any]:
    """What to say about each frame's mask, None where there is none."""
    return [describe(rles[frame]) if frame in rles else None for frame in range(length)]


def _bbox(rle: Rle) -> list[float]:
    return [float(value) for value in coco_mask.toBbox(rle)]
