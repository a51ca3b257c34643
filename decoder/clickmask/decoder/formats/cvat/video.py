"""Write CVAT XML 1.1 for video: a file per video, and tracks with a shape on every frame where they are."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.cvat.elements import TAIL, as_text, head, shape_elements
from clickmask.decoder.formats.cvat.fields import labels_element, used_types
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.output import inside, make_folder, write_whole
from clickmask.decoder.formats.records import Dataset, ObjectRecord
from clickmask.decoder.formats.videos import Video, group_videos


def write_cvat_video(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write CVAT XML 1.1 for video, a file per video; a still picture is a video of one frame.

    Every shape is a keyframe; where an object is missing on the next frame, its track leaves the
    picture. Lost: ids, scores, ``is_crowd``, file names, frames without objects.

    Args:
        dataset: Its images are passed over twice; one video is held in memory at a time.
        path: The folder for the files, which are named after the videos.
        options: As for images; ``on_problem`` also receives videos that cannot be written.

    Raises:
        DatasetError: If the folder cannot be made, or a category's name holds characters that XML cannot.
    """
    options = options or WriteOptions()
    make_folder(path)
    labels = labels_element(dataset.categories, used_types(dataset))
    for video in group_videos(dataset):
        try:
            with write_whole(inside(path, f"{video.name}.xml")) as file:
                file.write(_head(video, labels))
                for track in _tracks(video):
                    element = _element(track, video, dataset.category_names[track.category_id], options)
                    if len(element):
                        file.write(as_text(element))
                file.write(TAIL)
        except ClickMaskError as problem:
            options.on_problem(problem)


@dataclass(frozen=True, slots=True)
class _Track:
    """One track's objects by frame, each with its layer, counted from the lowest."""

    number: int
    category_id: int
    objects: dict[int, tuple[int, ObjectRecord]] = field(default_factory=dict)


def _head(video: Video, labels: Element) -> str:
    size = video.frames[0].image.size
    for annotated in video.frames:
        if annotated.image.size != size:
            raise DatasetError(f"video {video.name} has frames of {size} and {annotated.image.size}, wanted one size")
    last = _last(video)
    task = {
        "name": video.name,
        "size": str(last + 1),
        "mode": "interpolation",
        "start_frame": "0",
        "stop_frame": str(last),
        "source": video.name,
    }
    return head(task, deepcopy(labels), size)


def _tracks(video: Video) -> Iterator[_Track]:
    """Tracks keep their numbers while they are free; an object without one is a track of its own."""
    tracks: dict[tuple[int | None, int, int], _Track] = {}
    numbers = {item.track_id for annotated in video.frames for item in annotated.objects}
    free = max((number for number in numbers if number is not None), default=-1) + 1
    taken: set[int] = set()
    for annotated in video.frames:
        frame = annotated.image.frame or 0
        for layer, item in enumerate(annotated.objects):
            key = (item.track_id, item.category_id, item.id if item.track_id is None else 0)
            if key in tracks and frame in tracks[key].objects:
                raise DatasetError(f"video {video.name}: track {item.track_id} has two masks on frame {frame}")
            if key not in tracks:
                number = item.track_id
                if number is None or number in taken:
                    number, free = free, free + 1
                taken.add(number)
                tracks[key] = _Track(number, item.category_id)
            tracks[key].objects[frame] = (layer, item)
    yield from tracks.values()


def _element(track: _Track, video: Video, label: str, options: WriteOptions) -> Element:
    element = Element("track", id=str(track.number), label=label, source="manual")
    for frame, (layer, item) in sorted(track.objects.items()):
        where = f"video {video.name}: frame {frame}: object {item.id}"
        try:
            shapes = shape_elements(item, where, options)
            if len(shapes) > 1:
                raise DatasetError(f"has {len(shapes)} polygons, wanted one on a frame")
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{where}: {problem}"))
            continue
        element.append(_placed(shapes[0], frame, layer, "0"))
        if frame < _last(video) and frame + 1 not in track.objects:
            element.append(_placed(deepcopy(shapes[0]), frame + 1, layer, "1"))
    return element


def _placed(shape: Element, frame: int, layer: int, outside: str) -> Element:
    shape.attrib |= {"frame": str(frame), "keyframe": "1", "outside": outside, "z_order": str(layer)}
    return shape


def _last(video: Video) -> int:
    return video.frames[-1].image.frame or 0
