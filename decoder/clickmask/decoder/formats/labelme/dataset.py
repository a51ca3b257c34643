"""LabelMe: a JSON file per picture with its shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.fields import Fields, array, as_fields, side, text
from clickmask.decoder.formats.json_reader import read_json
from clickmask.decoder.formats.json_writer import compact_json
from clickmask.decoder.formats.labelme.shapes import shape_to_mask
from clickmask.decoder.formats.options import ReadOptions, WriteOptions, write_each
from clickmask.decoder.formats.outlines import painted_outline
from clickmask.decoder.formats.output import claim, inside, make_folder, write_whole
from clickmask.decoder.formats.pictures import copy_picture
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle


def read_labelme(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read LabelMe files; shapes with one label and one ``group_id`` are one object.

    Args:
        path: A JSON file, or a folder with any number of them.
        options: ``on_problem`` receives files and shapes that were left out.

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

    Polygons are exact also in LabelMe's own conversion, which paints outlines (masks without
    holes), unless they are simplified; parts of an object share a ``group_id``. Lost: ids,
    scores, ``is_crowd``, tracks, categories without objects.

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
    fields = as_fields(read_json(file), str(file))
    size = Size(side(fields, "imageHeight", str(file)), side(fields, "imageWidth", str(file)))
    shapes = array(fields, "shapes", str(file))
    image_id = builder.add_image(_file_name(fields, file, root), size)
    for where, group in _group(shapes, str(file), options).items():
        try:
            mask = np.logical_or.reduce([shape_to_mask(shape, size, where) for shape in group])
            builder.add_object(image_id, builder.category_id(text(group[0], "label", where)), mask_to_rle(mask))
        except ClickMaskError as problem:
            options.on_problem(problem)


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


def _write_file(annotated: AnnotatedImage, target: Path, names: Mapping[int, str], options: WriteOptions) -> None:
    image = annotated.image
    picture = inside(target.parent, image.file_name.rsplit("/", 1)[-1])
    if options.images is not None:
        copy_picture(options.images, image.file_name, picture)
    objects = write_each(lambda item: _shapes(item, names[item.category_id], options), annotated, options.on_problem)
    content: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [shape for shapes in objects for shape in shapes],
        "imagePath": picture.name,
        "imageData": None,
        "imageHeight": image.size.height,
        "imageWidth": image.size.width,
    }
    with write_whole(target) as file:
        file.write(compact_json(content))


def _shapes(item: ObjectRecord, label: str, options: WriteOptions) -> list[dict[str, Any]]:
    rings = painted_outline(item.rle, options).rings
    group_id = item.id if len(rings) > 1 else None
    return [
        {
            "label": label,
            "points": np.round(ring, 1).tolist(),
            "group_id": group_id,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
        }
        for ring in rings
    ]
