"""CVAT's tracks: a shape per frame of a video, and boxes that go straight from one keyframe to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.coco.segmentation import box_to_rle
from clickmask.decoder.formats.cvat.fields import InputTypes, read_fields
from clickmask.decoder.formats.cvat.shapes import Shape, read_shape
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.xml_reader import as_number, whole_of
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import check_size

MAX_FRAME = 10_000_000
_VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})


@dataclass(frozen=True, slots=True)
class Task:
    """A video that was annotated.

    Args:
        video: Its name.
        size: Of its frames, None where the file does not say.
        step: From one annotated frame to the next.
        stop: The last frame, None where the file does not say.
    """

    video: str
    size: Size | None
    step: int
    stop: int | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A track's shape on a frame; ``is_outside`` where it has left the picture."""

    frame: int
    shape: Shape
    z_order: int
    fields: Mapping[str, Any]
    is_outside: bool = False


def read_task(task: Element, other_name: str) -> Task:
    """Return what the ``task`` or ``job`` of the file's ``meta`` says of a video.

    Args:
        task: The element.
        other_name: Of the video, where it states no source.

    Raises:
        ShapeError: If the stated size is impossible.
    """
    size = task.find("original_size")
    step = re.search(r"step\s*=\s*(\d+)", task.findtext("frame_filter") or "")
    stop = task.findtext("stop_frame") or ""
    return Task(
        video=_video_name(task.findtext("source") or "", other_name),
        size=None if size is None else check_size(Size(_side(size, "height"), _side(size, "width"))),
        step=max(1, int(step[1][:9])) if step else 1,
        stop=int(stop) if stop.isascii() and stop.isdigit() and len(stop) < 9 else None,
    )


def read_track(track: Element, task: Task, types: InputTypes, options: ReadOptions, where: str) -> list[Tracked]:
    """Return the shapes of a track, frame by frame, where it is in the picture.

    Raises:
        DatasetError: If the file does not say how large the frames are.
    """
    if task.size is None:
        raise DatasetError(f"{where}: the file does not say how large the frames are, wanted <original_size>")
    own = {name: value for name, value in read_fields(track, {}).items() if name in ("group_id", "source")}
    known: dict[int, Tracked] = {}
    for number, child in enumerate(track):
        if child.tag == "attribute":
            continue
        at = f"{where}: {child.tag} {number}"
        try:
            shape = _read_tracked(child, task.size, types, at)
        except ClickMaskError as problem:
            options.on_problem(problem)
            continue
        known[shape.frame] = replace(shape, fields={**own, **shape.fields})
    shapes = [known[frame] for frame in sorted(known)]
    return [shape for shape in _filled(shapes, task, options, where) if not shape.is_outside]


def z_order(element: Element, where: str) -> float:
    """Return the layer of a shape: higher ones lie on top.

    Raises:
        DatasetError: If it is no number.
    """
    return as_number(element.get("z_order", "0"), "z_order", where)


def _read_tracked(element: Element, size: Size, types: InputTypes, where: str) -> Tracked:
    frame = whole_of(element.attrib, "frame", where)
    if not 0 <= frame <= MAX_FRAME:
        raise DatasetError(f"{where}: frame is {frame}, wanted 0 to {MAX_FRAME}")
    shape = read_shape(element.tag, element.attrib, size, where)
    fields = {name: value for name, value in read_fields(element, types).items() if name != "source"}
    return Tracked(frame, shape, int(z_order(element, where)), fields, element.get("outside") == "1")


def _filled(shapes: list[Tracked], task: Task, options: ReadOptions, where: str) -> Iterator[Tracked]:
    """The shapes, and boxes on frames that lie between two of them; what else is missing there is told."""
    assert task.size is not None
    for here, there in pairwise(shapes):
        yield here
        missing = range(here.frame + task.step, there.frame, task.step)
        if here.is_outside or not missing:
            continue
        if here.shape.box is None or there.shape.box is None:
            options.on_loss("frames between the keyframes of polygons and masks", where)
            continue
        options.on_note("frames between the keyframes of boxes, which were filled in", where)
        for frame in missing:
            yield _between(here, there, frame, task.size)
    if shapes:
        yield shapes[-1]
        if task.stop is not None and shapes[-1].frame + task.step <= task.stop and not shapes[-1].is_outside:
            options.on_note("tracks that do not say where they end, and end with their last keyframe", where)


def _between(here: Tracked, there: Tracked, frame: int, size: Size) -> Tracked:
    """A box on the straight way from one to the other; one that leaves the picture for good stays where it is."""
    assert here.shape.box is not None
    assert there.shape.box is not None
    share = 0.0 if there.is_outside else (frame - here.frame) / (there.frame - here.frame)
    x, y, width, height = (a + share * (b - a) for a, b in zip(here.shape.box, there.shape.box, strict=True))
    shape = Shape(box_to_rle([x, y, width, height], size), (), (x, y, width, height))
    return replace(here, frame=frame, shape=shape)


def _side(size: Element, name: str) -> int:
    return whole_of({name: size.findtext(name) or ""}, name, "original_size")


def _video_name(source: str, other: str) -> str:
    """The name of the video's file without its suffix."""
    path = PurePosixPath(source.replace("\\", "/"))
    name = (path.with_suffix("") if path.suffix.lower() in _VIDEO_SUFFIXES else path).as_posix()
    return other if name in ("", ".") or ".." in path.parts else name.lstrip("/")
