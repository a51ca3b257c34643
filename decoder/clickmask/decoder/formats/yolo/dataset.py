"""YOLO: one text file per picture, one line per object, and ``data.yaml``.

The labels of ``images/day1/a.jpg`` are in ``labels/day1/a.txt``, a line ``class x0 y0 x1 y1 ...``
per object, coordinates divided by the picture's width and height. Trainers find the label file by
replacing the last folder ``images`` of the picture's path; so does everything here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.checks import Counts
from clickmask.decoder.formats.input import read_lines
from clickmask.decoder.formats.options import ReadOptions, WriteOptions, write_each
from clickmask.decoder.formats.output import claim, inside, write_whole
from clickmask.decoder.formats.pictures import copy_picture, picture_size
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.yolo.data import YoloData, read_yolo_data, write_data_yaml
from clickmask.decoder.formats.yolo.lines import mask_line, object_line, parse_line
from clickmask.decoder.shapes import rle_to_polygons


def read_yolo(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a YOLO dataset: segments, boxes (also turned ones), or boxes with keypoints.

    Class 0 becomes category 1. The pictures must be there: only they say how large they are.

    Args:
        path: ``data.yaml`` or its folder, or a folder with ``classes.txt`` or ``obj.names``.
        options: ``on_problem`` receives pictures, folders and lines that were left out.

    Raises:
        DatasetError: If the dataset's own file cannot be read, or no folder it names is there.
    """
    options = options or ReadOptions()
    data = read_yolo_data(path, options)
    builder = DatasetBuilder(Category(number + 1, name) for number, name in data.names.items())
    labels = {picture: _labels_of(picture, data) for picture in data.pictures}
    if labels and not any(file.exists() for file in labels.values()):
        first = next(iter(labels.values()))
        problem = f"{path}: none of the {len(labels)} pictures has a label file, looked for {first} first"
        options.on_problem(DatasetError(problem))
    shared = _shared_folder(data)
    for picture, file in options.progress(labels.items(), "pictures"):
        try:
            _read_picture(picture, file, _file_name(picture, data.root, shared), data, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_yolo(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a YOLO dataset into a folder.

    Masks become polygons that are exact also where outlines are painted, as in YOLO's training, unless
    they are simplified; an object of several parts is one line, its parts joined by lines there and
    back. Boxes stay boxes if there is nothing else. Folders called ``images`` are dropped from names.
    Lost: ids, scores, ``is_crowd``, tracks.

    Args:
        dataset: Its images are passed over once, twice while they have no mask.
        path: The folder for ``labels/`` and ``data.yaml``, and ``images/`` where the options
            say where the pictures are.
        options: Simplification, and the picture folder.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    _write_part(dataset, path, "", options)
    write_data_yaml(path / "data.yaml", _names(dataset), {"train": "images", "val": "images"})


def write_yolo_split(parts: Mapping[str, Dataset], path: Path, options: WriteOptions | None = None) -> None:
    """Write the parts of a dataset below one ``data.yaml`` that names them all: ``images/train``, ``images/val``.

    Args:
        parts: By name; of one dataset, so that they have the same categories.
        path: As for ``write_yolo``.
        options: As for ``write_yolo``.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    for name, part in parts.items():
        _write_part(part, path, name, options)
    first = next(iter(parts.values()))
    write_data_yaml(path / "data.yaml", _names(first), {name: f"images/{name}" for name in parts})


def count_yolo(path: Path) -> Counts:
    """Count the label files of a dataset and their lines, without its pictures."""
    lines = [sum(map(bool, read_lines(file))) for file in sorted((path / "labels").rglob("*.txt"))]
    return Counts(len(lines), sum(lines))


def labels_path(picture: Path) -> Path:
    """Return where trainers look for a picture's labels: the last folder "images" becomes "labels".

    Example:
        >>> labels_path(Path("images/day/images/a.jpg")).as_posix()
        'images/day/labels/a.txt'
    """
    parts = list(picture.parts)
    if "images" in parts[:-1]:
        parts[len(parts) - 2 - parts[-2::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _labels_of(picture: Path, data: YoloData) -> Path:
    """By the trainers' rule; else beside the picture, or in ``labels`` where the pictures lie elsewhere."""
    named = labels_path(picture)
    folder = data.root / "labels" if (data.root / "labels").is_dir() else data.root
    others = (picture.with_suffix(".txt"), folder / picture.with_suffix(".txt").name)
    return named if named.exists() else next((file for file in others if file.exists()), named)


def _read_picture(
    picture: Path, file: Path, name: str, data: YoloData, builder: DatasetBuilder, options: ReadOptions
) -> None:
    size = picture_size(picture)
    lines = read_lines(file) if file.exists() else []  # without a label file no objects, as in YOLO's training
    image_id = builder.add_image(name, size)
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = parse_line(text, size, data.names, data.keypoints)
            builder.add_object(
                image_id,
                line.class_number + 1,
                line.rle,
                score=line.score,
                rings=line.rings,
                box=line.box,
                is_box=line.box is not None,
                extras=line.extras,
            )
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{file}: line {number}: {problem}"))


def _file_name(picture: Path, root: Path, shared: Path) -> str:
    for folder in (root / "images", root, shared):
        if picture.is_relative_to(folder):
            return picture.relative_to(folder).as_posix()
    return picture.name


def _shared_folder(data: YoloData) -> Path:
    """The folder that all pictures lie below, so that those of two folders keep two names."""
    folders = {str(picture.parent) for picture in data.pictures}
    try:
        return Path(os.path.commonpath(folders)) if folders else data.root
    except ValueError:  # absolute and relative ones
        return data.root


def _names(dataset: Dataset) -> dict[int, str]:
    return {number: category.name for number, category in enumerate(dataset.categories)}


def _write_part(dataset: Dataset, path: Path, part: str, options: WriteOptions) -> None:
    numbers = {category.id: number for number, category in enumerate(dataset.categories)}
    boxes = _has_only_boxes(dataset.images)
    written: dict[Path, str] = {}
    for annotated in dataset.images:
        name = annotated.image.file_name
        try:
            picture = inside(path / "images" / part, _without_images(name))
            claim(labels_path(picture), name, written)
            _write_picture(annotated, picture, numbers, boxes, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _without_images(name: str) -> str:
    """A name without folders called "images": the last one would be taken for the dataset's own."""
    path = PurePosixPath(name.replace("\\", "/"))
    return "/".join([*(part for part in path.parts[:-1] if part != "images"), path.name])


def _has_only_boxes(images: Iterable[AnnotatedImage]) -> bool:
    """Trainers that find one box among polygons make boxes of them all."""
    return all(item.is_box for annotated in images for item in annotated.objects)


def _write_picture(
    annotated: AnnotatedImage, picture: Path, numbers: Mapping[int, int], boxes: bool, options: WriteOptions
) -> None:
    if options.images is not None:
        copy_picture(options.images, annotated.image.file_name, picture)
    with write_whole(labels_path(picture)) as file:
        write = partial(_line, image=annotated.image, numbers=numbers, boxes=boxes, options=options)
        file.writelines(write_each(write, annotated, options.on_problem))


def _line(
    item: ObjectRecord, image: ImageRecord, numbers: Mapping[int, int], boxes: bool, options: WriteOptions
) -> str:
    number = numbers[item.category_id]
    if item.is_box and not boxes:
        options.on_loss("boxes, written by their corners among polygons", f"image {image.file_name}: object {item.id}")
    if options.min_iou is None and options.max_points is None:
        line = object_line(item, number, image.size, drawn=options.keeps_drawn, box=boxes)
    else:
        line = mask_line(rle_to_polygons(item.rle, min_iou=options.min_iou, max_points=options.max_points), number)
    if not line:
        raise DatasetError("has no pixel, wanted at least one")
    return line
