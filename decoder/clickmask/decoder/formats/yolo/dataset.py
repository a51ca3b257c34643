"""YOLO segmentation: one text file per picture, one line per object, and ``data.yaml``.

The labels of ``images/day1/a.jpg`` are in ``labels/day1/a.txt``, a line ``class x0 y0 x1 y1 ...``
per object, coordinates divided by the picture's width and height.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from clickmask.decoder.errors import ClickMaskError, DatasetError, ShapeError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.options import ReadOptions, WriteOptions, write_each
from clickmask.decoder.formats.outlines import painted_outline
from clickmask.decoder.formats.output import claim, inside, write_whole
from clickmask.decoder.formats.pictures import copy_picture, picture_size
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ObjectRecord
from clickmask.decoder.formats.yolo.data import read_data_yaml, write_data_yaml
from clickmask.decoder.formats.yolo.join_rings import join_rings
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import Polygons, mask_to_rle, polygons_to_mask, polygons_to_yolo, yolo_to_polygons
from clickmask.decoder.shapes.rle import Rle


def read_yolo(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a YOLO segmentation dataset; lines of four coordinates are boxes and read as such.

    Class 0 becomes category 1. The pictures must be there: only they say how large they are.

    Args:
        path: ``data.yaml`` or its folder.
        options: ``on_problem`` receives pictures and lines that were left out.

    Raises:
        DatasetError: If ``data.yaml`` or a folder it names cannot be read.
    """
    options = options or ReadOptions()
    data = read_data_yaml(path)
    root = path if path.is_dir() else path.parent
    builder = DatasetBuilder(Category(number + 1, name) for number, name in data.names.items())
    for picture in options.progress(data.pictures, "pictures"):
        try:
            _read_picture(picture, root, data.names, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_yolo(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a YOLO segmentation dataset into a folder.

    Polygons are exact also where outlines are painted, as in YOLO's training, unless they are
    simplified. An object of several parts is one line, its parts joined by lines there and back.
    Lost: ids, scores, ``is_crowd``, tracks.

    Args:
        dataset: Its images are passed over once.
        path: The folder for ``labels/`` and ``data.yaml``, and ``images/`` where the options
            say where the pictures are.
        options: Simplification, and the picture folder.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    numbers = {category.id: number for number, category in enumerate(dataset.categories)}
    written: dict[Path, str] = {}
    for annotated in dataset.images:
        name = annotated.image.file_name
        try:
            target = inside(path / "labels", name, ".txt")
            claim(target, name, written)
            _write_picture(annotated, target, path, numbers, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    write_data_yaml(path / "data.yaml", {numbers[category.id]: category.name for category in dataset.categories})


def parse_line(line: str, size: Size, classes: Collection[int]) -> tuple[int, Rle]:
    """Return class number and mask of one line.

    Raises:
        DatasetError: If the class is no number or unknown.
        ShapeError: If the coordinates are malformed.

    Example:
        >>> parse_line("0 0.5 0.5 1 1", Size(2, 2), {0})[1]["counts"]
        '04'
    """
    first, *rest = line.split() or [""]
    if not first.isascii() or not first.isdigit() or len(first) > 9 or int(first) not in classes:
        raise DatasetError(f"the class is {first!r:.40}, wanted one of the {len(classes)} that data.yaml names")
    try:
        row = [float(value) for value in rest]
    except ValueError as error:
        raise ShapeError(f"a coordinate is no number: {error}") from None
    if len(row) == 4:
        row = _box_corners(*row)
    return int(first), mask_to_rle(polygons_to_mask(yolo_to_polygons([row], size)))


def _read_picture(
    picture: Path, root: Path, names: Mapping[int, str], builder: DatasetBuilder, options: ReadOptions
) -> None:
    size = picture_size(picture)
    labels = _labels_path(picture)
    lines = _read_lines(labels)
    image_id = builder.add_image(_file_name(picture, root), size)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            index, rle = parse_line(line, size, names)
            builder.add_object(image_id, index + 1, rle)
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{labels}: line {number}: {problem}"))


def _read_lines(labels: Path) -> list[str]:
    """A picture without a label file has no objects, as in YOLO's training."""
    try:
        return labels.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise DatasetError(f"{labels}: cannot be read: {error}") from None


def _labels_path(picture: Path) -> Path:
    """YOLO's rule: the last folder called "images" becomes "labels"."""
    parts = list(picture.parts)
    if "images" in parts[:-1]:
        parts[len(parts) - 2 - parts[-2::-1].index("images")] = "labels"
    return Path(*parts).with_suffix(".txt")


def _file_name(picture: Path, root: Path) -> str:
    for folder in (root / "images", root):
        if picture.is_relative_to(folder):
            return picture.relative_to(folder).as_posix()
    return picture.name


def _write_picture(
    annotated: AnnotatedImage, target: Path, path: Path, numbers: Mapping[int, int], options: WriteOptions
) -> None:
    if options.images is not None:
        name = annotated.image.file_name
        copy_picture(options.images, name, inside(path / "images", name))
    with write_whole(target) as file:
        file.writelines(write_each(lambda item: _line(item, numbers, options), annotated, options.on_problem))


def _line(item: ObjectRecord, numbers: Mapping[int, int], options: WriteOptions) -> str:
    """The line of an object; none for one without pixels."""
    polygons = painted_outline(item.rle, options)
    if not polygons.rings:
        return ""
    (row,) = polygons_to_yolo(Polygons((join_rings(polygons.rings),), polygons.size, polygons.iou))
    return f"{numbers[item.category_id]} {' '.join(f'{value:g}' for value in row)}\n"


def _box_corners(center_x: float, center_y: float, width: float, height: float) -> list[float]:
    x0, x1 = max(center_x - width / 2, 0.0), min(center_x + width / 2, 1.0)  # rounded boxes reach over the border
    y0, y1 = max(center_y - height / 2, 0.0), min(center_y + height / 2, 1.0)
    return [x0, y0, x1, y0, x1, y1, x0, y1]
