"""LabelMe: a JSON file per picture with its shapes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError, ImageError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.fields import (
    Fields,
    array,
    as_fields,
    optional_score,
    other_fields,
    side,
    text,
    with_fields,
)
from clickmask.decoder.formats.json_reader import read_json
from clickmask.decoder.formats.json_writer import compact_json
from clickmask.decoder.formats.labelme.shapes import read_shape
from clickmask.decoder.formats.options import ReadOptions, WriteOptions, write_each
from clickmask.decoder.formats.outlines import painted_outline
from clickmask.decoder.formats.output import claim, inside, make_folder, write_whole
from clickmask.decoder.formats.pictures import copy_picture, size_in
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.images import open_picture
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle, polygons_to_mask

_FILE_FIELDS = frozenset({"version", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"})
_SHAPE_FIELDS = frozenset({"label", "points", "shape_type", "mask", "score"})


def read_labelme(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read LabelMe files, also X-AnyLabeling's; shapes with one label and one ``group_id`` are one object.

    Args:
        path: A JSON file, or a folder with any number of them.
        options: ``on_problem`` receives files and shapes that were left out; ``images`` gives sizes
            that a file does not state.

    Raises:
        DatasetError: If there is no such file or folder.
    """
    options = options or ReadOptions()
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder, wanted LabelMe JSON")
    root = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    builder = DatasetBuilder()
    for file in options.progress(files, "files"):
        try:
            _read_file(file, root, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_labelme(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a LabelMe file per image into a folder.

    Drawn polygons and boxes stay as they are. Masks become polygons that are exact also in LabelMe's
    own conversion, which paints outlines (masks without holes), unless they are simplified; parts of
    an object share a ``group_id``. Lost: ids, ``is_crowd``, tracks, categories without objects.

    Args:
        dataset: Its images are passed over once.
        path: The folder; pictures are copied beside the files where the options say where they are.
        options: Simplification, and the picture folder.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    make_folder(path)
    names = dataset.category_names
    written: dict[Path, str] = {}
    for annotated in dataset.images:
        name = annotated.image.file_name
        try:
            target = inside(path, name, ".json")
            claim(target, name, written)
            _write_file(annotated, target, names, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _read_file(file: Path, root: Path, builder: DatasetBuilder, options: ReadOptions) -> None:
    where = str(file)
    fields = as_fields(read_json(file), where)
    shapes = array(fields, "shapes", where)
    name = _file_name(fields, file, root)
    extras = _said(other_fields(fields, _FILE_FIELDS, where, options.on_loss))
    image_size = _size(fields, name, where, options)
    image_id = builder.add_image(name, image_size, extras=extras)
    for place, group in _group(shapes, where, options).items():
        try:
            _read_object(group, image_id, image_size, place, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _read_object(
    group: Sequence[Fields], image_id: int, size: Size, where: str, builder: DatasetBuilder, options: ReadOptions
) -> None:
    shapes = [read_shape(shape, size, where) for shape in group]
    rings = tuple(shape.ring for shape in shapes) if all(shape.ring for shape in shapes) else ()
    box = shapes[0].box if len(shapes) == 1 else None
    mask = polygons_to_mask(rings, size) if rings else np.logical_or.reduce([shape.mask for shape in shapes])
    extras: dict[str, Any] = {}
    for shape in group:
        others = _said(other_fields(shape, _SHAPE_FIELDS, where, options.on_loss))
        if any(extras.get(key, value) != value for key, value in others.items()):
            options.on_loss("fields in which the shapes of one object differ", where)
        extras = {**others, **extras}
    if len(group) > 1:
        extras.pop("group_id", None)
    category = builder.category_id(text(group[0], "label", where))
    score = optional_score(group[0], where)
    builder.add_object(
        image_id,
        category,
        mask_to_rle(mask),
        score=score,
        rings=rings,
        box=box,
        is_box=box is not None,
        extras=extras,
    )


def _group(shapes: list[Any], file: str, options: ReadOptions) -> dict[str, list[Fields]]:
    """Shapes of one object by the place of the first."""
    places: dict[tuple[str, str], str] = {}
    groups: dict[str, list[Fields]] = {}
    for number, shape in enumerate(shapes):
        where = f"{file}: shape {number}"
        if not isinstance(shape, dict):
            options.on_problem(DatasetError(f"{where} is {shape!r:.80}, wanted an object"))
            continue
        if shape.get("group_id") is not None:
            where = places.setdefault((str(shape.get("label")), str(shape["group_id"])), where)
        groups.setdefault(where, []).append(shape)
    return groups


def _file_name(fields: Fields, file: Path, root: Path) -> str:
    """``imagePath`` seen from the root; one that leads elsewhere keeps its last part only."""
    parts = text(fields, "imagePath", str(file)).replace("\\", "/").split("/")
    if parts[0] in ("", "..") or parts[0].endswith(":"):
        parts = parts[-1:]
    return file.parent.relative_to(root).joinpath(*parts).as_posix()


def _size(fields: Fields, name: str, where: str, options: ReadOptions) -> Size:
    """As the file states it, else of the picture it holds, else of the picture in the options' folder."""
    if fields.get("imageHeight") or fields.get("imageWidth"):
        return Size(side(fields, "imageHeight", where), side(fields, "imageWidth", where))
    data = fields.get("imageData")
    if not isinstance(data, str) or not data:
        return size_in(options.images, name, where)
    try:
        with open_picture(base64.b64decode(data, validate=True)) as picture:
            return Size(picture.height, picture.width)
    except (binascii.Error, ImageError) as error:
        raise DatasetError(f"{where}: imageData cannot be read as a picture: {error}") from None


def _said(extras: Fields) -> dict[str, Any]:
    """The fields that say something: LabelMe writes empty ones into every shape."""
    return {name: value for name, value in extras.items() if value or (value == 0 and value is not False)}


def _write_file(annotated: AnnotatedImage, target: Path, names: Mapping[int, str], options: WriteOptions) -> None:
    image = annotated.image
    picture = inside(target.parent, image.file_name.rsplit("/", 1)[-1])
    if options.images is not None:
        copy_picture(options.images, image.file_name, picture)
    objects = write_each(lambda item: _shapes(item, names[item.category_id], options), annotated, options.on_problem)
    content: dict[str, Any] = {
        "version": "5.5.0",
        "shapes": [shape for shapes in objects for shape in shapes],
        "imagePath": picture.name,
        "imageData": None,
        "imageHeight": image.size.height,
        "imageWidth": image.size.width,
    }
    with write_whole(target) as file:
        file.write(compact_json(with_fields(with_fields(content, image.extras), {"flags": {}})))


def _shapes(item: ObjectRecord, label: str, options: WriteOptions) -> list[dict[str, Any]]:
    """The shapes of an object: what was drawn, or the outline of its mask."""
    outlines = _drawn(item) if options.keeps_drawn else []
    kind = "rectangle" if outlines and item.is_box else "polygon"
    outlines = outlines or [np.round(ring, 1).tolist() for ring in painted_outline(item.rle, options).rings]
    if not outlines:
        raise DatasetError("has no pixel, wanted at least one")
    usual: dict[str, Any] = {"group_id": item.id if len(outlines) > 1 else None, "description": "", "flags": {}}
    own = {} if item.score is None else {"score": item.score}
    said = {name: value for name, value in item.extras.items() if name != "group_id" or len(outlines) == 1}
    return [
        with_fields(with_fields({"label": label, "points": points, "shape_type": kind, **own}, said), usual)
        for points in outlines
    ]


def _drawn(item: ObjectRecord) -> list[list[list[float]]]:
    """Points of every drawn ring, or of the box's two corners."""
    if item.is_box and item.box is not None:
        x, y, width, height = item.box
        return [[[x, y], [x + width, y + height]]]
    return [[list(point) for point in zip(ring[::2], ring[1::2], strict=True)] for ring in item.rings]
