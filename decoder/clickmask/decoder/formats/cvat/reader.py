"""Read CVAT XML 1.1: images with their shapes, or tracks of a video with a shape per frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.cvat.fields import declared_labels, read_fields
from clickmask.decoder.formats.cvat.shapes import Shape, read_shape
from clickmask.decoder.formats.cvat.tracks import Task, read_task, read_track, z_order
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.xml_reader import read_children, whole_of
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import check_size

_NO_SHAPE = frozenset({"attribute", "tag"})


def read_cvat(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read CVAT's XML 1.1 of tasks, jobs and projects, for images and for video.

    Boxes (also turned), polygons, ellipses and masks are objects; the higher ``z_order`` lies on top.
    Frames of a video that have no object are not in it. Boxes go straight from one keyframe to the
    next where the file leaves frames out.

    Args:
        path: The XML file, or a folder with any number of them.
        options: ``on_problem`` receives shapes that were left out, such as points, ``on_loss`` tags of
            images, ``on_note`` frames that were filled in.

    Raises:
        DatasetError: If there is no such file or folder, or a file is not XML of this form.
    """
    options = options or ReadOptions()
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder, wanted CVAT XML")
    root = path if path.is_dir() else path.parent
    builder = DatasetBuilder()
    for file in sorted(path.rglob("*.xml")) if path.is_dir() else [path]:
        _Reading(file, file.relative_to(root).with_suffix("").as_posix(), builder, options).read()
    return builder.dataset()


class _Reading:
    """One pass over one file."""

    def __init__(self, file: Path, name: str, builder: DatasetBuilder, options: ReadOptions) -> None:
        self._file = file
        self._name = name
        self._builder = builder
        self._options = options
        self._types: dict[str, dict[str, str]] = {}
        self._tasks: dict[str | None, Task] = {}  # by id; those of tracks that name none under None
        self._frames: dict[tuple[str, int], list[tuple[float, _Object]]] = {}

    def read(self) -> None:
        take = {"meta": self._take_meta, "image": self._take_image, "track": self._take_track}
        found = False
        for element in self._options.progress(read_children(self._file, "annotations"), "records"):
            if element.tag not in take:
                continue
            found = True
            try:
                take[element.tag](element, f"{self._file}: {element.tag} {element.get('id', '')}".rstrip())
            except ClickMaskError as problem:
                self._options.on_problem(problem)
        if not found:
            raise DatasetError(f"{self._file}: holds no image and no track, wanted CVAT XML 1.1")
        self._add_frames()

    def _take_meta(self, meta: Element, _where: str) -> None:
        self._types = declared_labels(meta)
        for label in self._types:
            self._builder.category_id(label)
        tasks = [*meta.iter("task"), *meta.iter("job")]
        for task in tasks:
            number = task.findtext("id")
            known = read_task(task, self._name if len(tasks) == 1 else f"{self._name}-{number}")
            self._tasks[number] = known
            self._tasks.setdefault(None, known)

    def _take_image(self, element: Element, where: str) -> None:
        name = element.get("name") or ""
        if not name:
            raise DatasetError(f"{where}: has no name, wanted the picture's")
        size = check_size(Size(whole_of(element.attrib, "height", where), whole_of(element.attrib, "width", where)))
        objects: list[tuple[float, _Object]] = []
        for number, child in enumerate(element):
            at = f"{where} ({name}): {child.tag} {number}"
            if child.tag in _NO_SHAPE:
                self._options.on_loss(f"{child.tag}s of images", at)
                continue
            try:
                label = _label(child, at)
                fields = read_fields(child, self._types.get(label, {}))
                objects.append(
                    (z_order(child, at), (label, read_shape(child.tag, child.attrib, size, at), fields, None))
                )
            except ClickMaskError as problem:
                self._options.on_problem(problem)
        self._add(self._builder.add_image(name, size), objects)

    def _take_track(self, element: Element, where: str) -> None:
        label = _label(element, where)
        task = self._tasks.get(element.get("task_id"), self._tasks.get(None))
        task = task or Task(self._name, None, 1, None)
        track_id = whole_of(element.attrib, "id", where)
        for one in read_track(element, task, self._types.get(label, {}), self._options, where):
            known: _Object = (label, one.shape, one.fields, track_id)
            self._frames.setdefault((task.video, one.frame), []).append((one.z_order, known))

    def _add_frames(self) -> None:
        for (video, frame), objects in sorted(self._frames.items(), key=lambda known: known[0]):
            height, width = objects[0][1][1].rle["size"]
            name = f"{video}/frame_{frame:06d}.png"
            self._add(self._builder.add_image(name, Size(height, width), video=video, frame=frame), objects)

    def _add(self, image_id: int, objects: list[tuple[float, _Object]]) -> None:
        for _, (label, shape, fields, track_id) in sorted(objects, key=lambda known: known[0]):
            self._builder.add_object(
                image_id,
                self._builder.category_id(label),
                shape.rle,
                track_id=track_id,
                rings=(shape.ring,) if shape.ring else (),
                box=shape.box,
                is_box=shape.box is not None,
                extras=fields,
            )


_Object = tuple[str, Shape, Mapping[str, Any], int | None]  # label, shape, fields, track


def _label(element: Element, where: str) -> str:
    label = element.get("label")
    if not label:
        raise DatasetError(f"{where}: has no label, wanted its class")
    return label
