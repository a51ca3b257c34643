"""YouTube-VIS JSON: videos, and tracks with one segmentation per frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.coco.records import read_category, write_category
from clickmask.decoder.formats.coco.segmentation import segmentation_to_rle
from clickmask.decoder.formats.fields import Fields, array, as_fields, integer, optional_score, side, wrong
from clickmask.decoder.formats.json_reader import read_elements_after
from clickmask.decoder.formats.json_writer import JsonArrays
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.spool import Spool
from clickmask.decoder.formats.videos import group_videos
from clickmask.decoder.formats.youtube_vis.tracks import track_elements
from clickmask.decoder.prompts import Size


def read_youtube_vis(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a YouTube-VIS JSON file; an annotation is a track over all frames of its video.

    A video is called like the folder of its frames. The annotation's id becomes the track's.

    Args:
        path: The JSON file.
        options: ``on_problem`` receives videos, tracks and single frames that were left out.

    Raises:
        DatasetError: If the file cannot be read or is not JSON of this form.
    """
    return _Reading(path, options or ReadOptions()).dataset()


def write_youtube_vis(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a YouTube-VIS JSON file; exact.

    A still picture is a video of one frame, an object without a track a track of its own. The
    score of a track is the mean of its frames'. Lost: ids of images and of single masks.

    Args:
        dataset: Its images are passed over once; one video is held in memory at a time.
        path: The JSON file; it appears when it is whole.
        options: Encoding of the segmentations; "polygons" is written as run lengths, which is
            what readers of this format expect.

    Raises:
        DatasetError: If the file cannot be written.
    """
    options = options or WriteOptions()
    header = {"info": dict(dataset.info), "licenses": [dict(terms) for terms in dataset.licenses]}
    first_track = 1
    with JsonArrays(path, ("videos", "annotations", "categories"), header) as arrays:
        for category in dataset.categories:
            arrays.append("categories", write_category(category))
        for number, video in enumerate(group_videos(dataset), start=1):
            try:
                described, tracks = track_elements(video, number, first_track, options)
            except ClickMaskError as problem:
                options.on_problem(problem)
                continue
            arrays.append("videos", described)
            for track in tracks:
                arrays.append("annotations", track)
            first_track += len(tracks)


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of one video as images: size, first id and count."""

    size: Size
    first_id: int
    count: int


class _Reading:
    """One pass over one file."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._spool = Spool()
        self._videos: dict[int, _Frames] = {}
        self._categories: dict[int, Category] = {}
        self._keys: set[str] = set()
        self._image_count = 0
        self._object_count = 0
        self._take: dict[str, Callable[[Fields, str], None]] = {
            "videos": self._take_video,
            "annotations": self._take_track,
            "categories": self._take_category,
        }

    def dataset(self) -> Dataset:
        elements = read_elements_after(self._path, late="annotations", needed="videos")
        for element in self._options.progress(elements, "records"):
            self._keys.add(element.key)
            if element.key in self._take:
                self._guard(self._take[element.key], element.value, element.key)
        if self._keys and not self._keys & self._take.keys():
            raise DatasetError(f"{self._path}: holds no videos, annotations and categories")
        for object_id, category_id in self._spool.take_unknown_categories(self._categories):
            problem = f"{self._path}: mask {object_id}: category_id is {category_id}, which no category has"
            self._options.on_problem(DatasetError(problem))
        return Dataset(tuple(self._categories.values()), self._spool, self._spool.image_count())

    def _guard(self, take: Callable[[Fields, str], None], element: Any, key: str) -> None:
        try:
            fields = as_fields(element, f"{self._path}: {key}")
            take(fields, f"{self._path}: {key} {fields.get('id')!r:.40}")
        except ClickMaskError as problem:
            self._options.on_problem(problem)

    def _take_category(self, fields: Fields, where: str) -> None:
        category = read_category(fields, where)
        self._categories[category.id] = category

    def _take_video(self, fields: Fields, where: str) -> None:
        video_id = integer(fields, "id", where)
        if video_id in self._videos:
            raise DatasetError(f"{where}: the id is used twice, wanted unique ids")
        size = Size(side(fields, "height", where), side(fields, "width", where))
        names = array(fields, "file_names", where)
        if not all(isinstance(name, str) and name for name in names):
            raise wrong(where, "file_names", names, "an array of texts")
        self._videos[video_id] = _Frames(size, self._image_count + 1, len(names))
        video = _video_name(names, video_id)
        for frame, name in enumerate(names):
            self._image_count += 1
            self._spool.add_image(ImageRecord(self._image_count, name, size, video, frame), where)

    def _take_track(self, fields: Fields, where: str) -> None:
        track_id = integer(fields, "id", where)
        category_id = integer(fields, "category_id", where)
        score = optional_score(fields, where)
        frames = self._videos.get(integer(fields, "video_id", where))
        if frames is None:
            raise DatasetError(f"{where}: video_id is {fields['video_id']}, which no video has")
        segmentations = array(fields, "segmentations", where)
        if len(segmentations) != frames.count:
            raise wrong(where, "the number of segmentations", len(segmentations), f"{frames.count}, one per frame")
        is_crowd = fields.get("iscrowd") == 1
        for frame, segmentation in enumerate(segmentations):
            if not segmentation:
                continue
            try:
                rle = segmentation_to_rle(segmentation, frames.size)
            except ClickMaskError as problem:
                self._options.on_problem(type(problem)(f"{where}: frame {frame}: {problem}"))
                continue
            self._object_count += 1
            item = ObjectRecord(self._object_count, category_id, rle, score, is_crowd, track_id)
            self._spool.add_object(item, frames.first_id + frame, where)


def _video_name(names: list[str], video_id: int) -> str:
    """The folder that all frames share, or a number."""
    folders = {PurePosixPath(name).parent.as_posix() for name in names}
    return folders.pop() if len(folders) == 1 and folders != {"."} else f"video-{video_id}"
