"""Read Label Studio tasks: a JSON export or import file, one task per image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.fields import Fields, as_fields, wrong
from clickmask.decoder.formats.json_reader import TOP_LEVEL, read_elements
from clickmask.decoder.formats.label_studio.masks import is_shape, region_size
from clickmask.decoder.formats.label_studio.objects import LabeledShape, group_shapes
from clickmask.decoder.formats.label_studio.tracks import VideoTrack, add_tracks, is_track, read_track
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.output import inside
from clickmask.decoder.formats.pictures import picture_size
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.prompts import Size
from clickmask.decoder.video.video_file import open_video

REGIONS = {"brush", "bitmask", "polygon", "vector", "rectangle", "ellipse", "keypoint", "videorectangle"}


def read_label_studio(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read the tasks of a Label Studio JSON file.

    Of a task the annotations are read, cancelled ones left out; where it has none, its
    predictions. A region with several labels becomes one object per label. What is no region
    (choices, texts, relations) goes to ``options.on_loss`` alone. A task without regions needs
    its size: ``width`` and ``height`` in its data, or the picture in ``options.images``; one with
    boxes on a video needs it too, and gives an image for every frame of the video.

    Args:
        path: The JSON file, an array of tasks.
        options: ``on_problem`` receives the tasks and regions that were left out.

    Raises:
        DatasetError: If the file cannot be read or is no array of tasks.
    """
    options = options or ReadOptions()
    builder = DatasetBuilder()
    for key, task in options.progress(read_elements(path), "tasks"):
        if key != TOP_LEVEL:
            raise DatasetError(f"{path}: holds {key!r:.40}, wanted an array of tasks")
        where = f"{path}: task {task.get('id')!r:.40}" if isinstance(task, dict) else str(path)
        try:
            _read_task(as_fields(task, where), where, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def picture_name(data: Fields, where: str) -> str:
    """Return the picture's file name from a task's ``data``.

    The value of ``image``, or else the first text, is a file name, a path of Label Studio
    (upload or local files) or a URL (http, s3, gs, ...); of URLs the path is kept.

    Raises:
        DatasetError: If there is none, or it is a data URL.

    Example:
        >>> picture_name({"image": "/data/local-files/?d=day1/a%20b.png"}, "task 1")
        'day1/a b.png'
    """
    texts = [value for value in (data.get("image"), *data.values()) if isinstance(value, str) and value]
    if not texts or texts[0].startswith("data:"):
        raise wrong(where, "data", dict(data), "the picture's path or URL")
    source = texts[0]
    if "://" not in source and not source.startswith("/data/"):
        return source
    try:
        url = urlsplit(source)
    except ValueError as error:
        raise DatasetError(f"{where}: {source!r:.80} is no URL: {error}") from None
    named = parse_qs(url.query).get("d")  # of local files
    if named:
        return named[0]
    name = unquote(url.path).lstrip("/")
    return name.rsplit("/", 1)[-1] if name.startswith("data/upload/") else name


def _read_task(task: Fields, where: str, builder: DatasetBuilder, options: ReadOptions) -> None:
    data = as_fields(task.get("data"), f"{where}: data")
    file_name = picture_name(data, where)
    results = list(_results(task, where))
    for item in (item for result in results for item in result if not _is_region(item)):
        kind = item.get("type") if isinstance(item, dict) else item
        options.on_loss(DatasetError(f"{where}: holds {kind!r:.40}, which is no region and would be lost"))
    boxes = [item for result in results for item in result if is_track(item)]
    if boxes:
        size = _video_size(data, file_name, where, options)
        add_tracks(list(_tracks(boxes, where, options)), PurePosixPath(file_name).stem, size, builder)
        return
    shapes = [shape for result in results for shape in group_shapes(result)]
    image_id = builder.add_image(file_name, _image_size(data, file_name, shapes, where, options))
    for shape in shapes:
        try:
            rle = shape.rle()
            for label in shape.labels():
                builder.add_object(image_id, builder.category_id(label), rle, score=shape.score())
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{where}: {problem}"))


def _is_region(item: Any) -> bool:
    """Whether an item says no more than where something is and what it is called: choices may name a place too."""
    if not (is_shape(item) or is_track(item)):
        return False
    kind = item.get("type", "labels")
    return isinstance(kind, str) and (kind.endswith("labels") or kind in REGIONS)


def _tracks(boxes: list[Fields], where: str, options: ReadOptions) -> Iterator[VideoTrack]:
    for item in boxes:
        try:
            yield read_track(item)
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{where}: {problem}"))


def _results(task: Fields, where: str) -> Iterator[list[Any]]:
    """The regions of each annotation; two people's may share ids and are different ones still."""
    annotations = [entry for entry in _entries(task, "annotations", where) if not entry.get("was_cancelled")]
    for entry in annotations or _entries(task, "predictions", where):
        result = entry.get("result")
        if not isinstance(result, list):
            raise wrong(where, "result", result, "an array")
        yield result


def _entries(task: Fields, name: str, where: str) -> list[Fields]:
    entries = task.get(name) or []
    if not isinstance(entries, list):
        raise wrong(where, name, entries, "an array")
    return [as_fields(entry, f"{where}: {name}") for entry in entries if not isinstance(entry, int)]


def _image_size(data: Fields, file_name: str, shapes: list[LabeledShape], where: str, options: ReadOptions) -> Size:
    """From the data, else the regions, else the picture."""
    if "width" in data and "height" in data:
        return region_size({"original_height": data["height"], "original_width": data["width"]})
    if shapes:
        return region_size(shapes[0].first)
    if options.images is None:
        raise DatasetError(f"{where}: has no region and so no size, wanted the folder of its picture")
    return picture_size(inside(options.images, file_name))


def _video_size(data: Fields, file_name: str, where: str, options: ReadOptions) -> Size:
    """From the data, else the video itself: regions of videos do not tell it."""
    if "width" in data and "height" in data:
        return region_size({"original_height": data["height"], "original_width": data["width"]})
    if options.images is None:
        raise DatasetError(f"{where}: a video region tells no size, wanted the folder of the video")
    return open_video(inside(options.images, file_name)).size
