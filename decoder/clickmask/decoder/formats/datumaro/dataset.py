"""Datumaro's own format: ``annotations/default.json`` with labels and items, an item per picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.datumaro.annotations import Found, read_annotations, write_annotations
from clickmask.decoder.formats.fields import Fields, array, as_fields, is_plain, optional_integer, optional_score, text
from clickmask.decoder.formats.json_reader import read_elements_after
from clickmask.decoder.formats.json_writer import JsonArrays
from clickmask.decoder.formats.options import ReadOptions, WriteOptions, write_each
from clickmask.decoder.formats.output import inside
from clickmask.decoder.formats.pictures import copy_picture, size_in
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import check_size

FOLDER = "annotations"
VERSION = "1.0"
IMAGE = 2  # media_type of pictures
_KEPT = frozenset({"is_crowd", "score", "track_id"})  # attributes that records have a place for
_VIDEO = frozenset({"video", "frame"})


def read_datumaro(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read Datumaro's JSON: masks, polygons, boxes and ellipses; those of one group are one object.

    Args:
        path: The dataset's folder with ``annotations`` in it, a folder with the JSON files of its
            subsets, or one of them.
        options: ``images`` gives sizes that a file does not state. ``on_problem`` receives items and
            annotations that were left out, ``on_loss`` those that are no objects.

    Raises:
        DatasetError: If there is no such file or folder, or a file is not JSON of this form.
    """
    options = options or ReadOptions()
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder, wanted Datumaro's JSON")
    folder = path / FOLDER if (path / FOLDER).is_dir() else path
    builder = DatasetBuilder()
    for file in sorted(folder.rglob("*.json")) if folder.is_dir() else [folder]:
        _read_file(file, builder, options)
    return builder.dataset()


def write_datumaro(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a Datumaro dataset of one subset, ``default``.

    Masks, drawn polygons and boxes stay as they are. Lost: ids of images and categories, fields of
    categories and of the file.

    Args:
        dataset: Its images are passed over once.
        path: The folder for ``annotations``, and ``images/default`` where the options say where the pictures are.
        options: Simplification, and the picture folder. ``on_problem`` receives objects and pictures
            that cannot be written.

    Raises:
        DatasetError: If the file cannot be written.
    """
    options = options or WriteOptions()
    labels = [{"name": category.name, "parent": "", "attributes": []} for category in dataset.categories]
    header = {
        "dm_format_version": VERSION,
        "media_type": IMAGE,
        "infos": {},
        "categories": {"label": {"labels": labels, "label_groups": [], "attributes": []}},
    }
    numbers = {category.id: number for number, category in enumerate(dataset.categories)}
    with JsonArrays(path / FOLDER / "default.json", ("items",), header) as arrays:
        for annotated in dataset.images:
            name = annotated.image.file_name
            arrays.append("items", _item(annotated, numbers, options))
            try:
                if options.images is not None:
                    copy_picture(options.images, name, inside(path / "images" / "default", name))
            except ClickMaskError as problem:
                options.on_problem(problem)


def _read_file(file: Path, builder: DatasetBuilder, options: ReadOptions) -> None:
    labels: dict[int, int] = {}
    keys: set[str] = set()
    for element in options.progress(read_elements_after(file, late="items", needed="categories"), "records"):
        keys.add(element.key)
        if element.key == "categories":
            labels = _read_labels(element.value, builder, f"{file}: categories")
        elif element.key == "items":
            try:
                fields = as_fields(element.value, f"{file}: items")
                _read_item(fields, labels, f"{file}: item {fields.get('id')!r:.60}", builder, options)
            except ClickMaskError as problem:
                options.on_problem(problem)
        elif element.key in ("info", "infos") and element.value:
            options.on_loss(f"fields of the file ({element.key})", str(file))
    if not {"categories", "items"} & keys:
        raise DatasetError(f"{file}: holds {', '.join(sorted(keys)[:5]) or 'nothing'}, wanted Datumaro's items")


def _read_labels(categories: object, builder: DatasetBuilder, where: str) -> dict[int, int]:
    """Category ids by the labels' numbers."""
    label = as_fields(as_fields(categories, where).get("label", {"labels": []}), where)
    names = [text(as_fields(one, where), "name", where) for one in array(label, "labels", where)]
    return {number: builder.category_id(name) for number, name in enumerate(names)}


def _read_item(
    fields: Fields, labels: Mapping[int, int], where: str, builder: DatasetBuilder, options: ReadOptions
) -> None:
    image = fields.get("image")
    image = image if isinstance(image, dict) else {}
    name = _file_name(fields, image, where)
    size = _size(image, where) or size_in(options.images, name, where)
    attributes = fields.get("attr")
    attributes = attributes if isinstance(attributes, dict) and is_plain(attributes) else {}
    video, frame = attributes.get("video"), attributes.get("frame")
    is_frame = isinstance(video, str) and isinstance(frame, int)
    image_id = builder.add_image(
        name,
        size,
        video=video if is_frame else None,
        frame=frame if is_frame else None,
        extras={key: value for key, value in attributes.items() if not is_frame or key not in _VIDEO},
    )
    for number, found in enumerate(read_annotations(array(fields, "annotations", where), size, where, options)):
        try:
            _add(found, image_id, labels, f"{where}: object {number}", builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _add(
    found: Found, image_id: int, labels: Mapping[int, int], where: str, builder: DatasetBuilder, options: ReadOptions
) -> None:
    if found.label not in labels:
        raise DatasetError(f"{where}: label_id is {found.label}, which no label has")
    extras = {name: value for name, value in found.attributes.items() if name not in _KEPT and value is not False}
    if not is_plain(extras):
        options.on_loss("fields that hold NaN or infinity", where)
        extras = {name: value for name, value in extras.items() if is_plain(value)}
    builder.add_object(
        image_id,
        labels[found.label],
        found.rle,
        score=optional_score(found.attributes, where),
        is_crowd=found.attributes.get("is_crowd") in (True, 1),
        track_id=optional_integer(found.attributes, "track_id", where),
        rings=found.rings,
        box=found.box,
        is_box=found.is_box,
        extras=extras,
    )


def _file_name(fields: Fields, image: Fields, where: str) -> str:
    """The item's id with the suffix of its picture: the path is of the machine that wrote it."""
    path = PurePosixPath(str(image.get("path") or "").replace("\\", "/"))
    return text(fields, "id", where) + (path.suffix or ".jpg")


def _size(image: Fields, where: str) -> Size | None:
    size = image.get("size")
    if size is None:
        return None
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(side, int) for side in size):
        raise DatasetError(f"{where}: size is {size!r:.40}, wanted [height, width]")
    return check_size(Size(*size))


def _item(annotated: AnnotatedImage, numbers: Mapping[int, int], options: WriteOptions) -> dict[str, Any]:
    image = annotated.image
    groups = {item.id: place for place, item in enumerate(annotated.objects, start=1)}
    written = write_each(
        lambda item: write_annotations(item, groups[item.id], numbers[item.category_id], options),
        annotated,
        options.on_problem,
    )
    attributes: dict[str, Any] = dict(image.extras)
    attributes |= {} if image.video is None else {"video": image.video, "frame": image.frame}
    name = PurePosixPath(image.file_name)
    return {
        "id": name.with_suffix("").as_posix(),
        "annotations": [annotation for annotations in written for annotation in annotations],
        "attr": attributes,
        "image": {"path": image.file_name, "size": [image.size.height, image.size.width]},
    }
