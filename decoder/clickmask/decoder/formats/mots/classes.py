"""MOTS' classes by their numbers, and ``classes.txt`` that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.input import read_lines
from clickmask.decoder.formats.output import one_line, write_whole
from clickmask.decoder.formats.records import Category

CLASSES_FILE = "classes.txt"
LABELS_FILE = "labels.txt"  # beside the pictures, as CVAT and Datumaro write it: class 1 in the first line
IGNORED_CLASS = 10
IGNORED = "ignore"
_DEFAULT_CLASSES = {1: "car", 2: "pedestrian"}


def read_classes(folder: Path) -> dict[int, str]:
    """Return names by number, of ``classes.txt`` or ``labels.txt``, or else KITTI MOTS' own.

    Raises:
        DatasetError: If the file cannot be read or a line is malformed.
    """
    file = folder / CLASSES_FILE
    if (folder / LABELS_FILE).exists():
        lines = [line.strip() for line in read_lines(folder / LABELS_FILE) if line.strip()]
        return dict(enumerate(lines, start=1))
    if not file.exists():
        return dict(_DEFAULT_CLASSES)
    classes: dict[int, str] = {}
    for line in read_lines(file):
        number, _, name = line.strip().partition(" ")
        if not line.strip():
            continue
        if not number.isascii() or not number.isdigit() or len(number) > 9 or not name:
            raise DatasetError(f"{file}: holds the line {line!r:.80}, wanted a number and a name")
        classes[int(number)] = name
    return classes


def write_classes(folder: Path, categories: Sequence[Category], classes: Mapping[int, int]) -> None:
    """Write ``classes.txt``.

    Args:
        folder: Where to.
        categories: Of the dataset.
        classes: Their numbers by category id.

    Raises:
        DatasetError: If it cannot be written.
    """
    with write_whole(folder / CLASSES_FILE) as file:
        file.writelines(f"{classes[category.id]} {one_line(category.name)}\n" for category in categories)


def category_id_of(class_id: int, classes: Mapping[int, str], builder: DatasetBuilder) -> int:
    """Return the category of a class.

    Raises:
        DatasetError: If there is no such class.
    """
    if class_id == IGNORED_CLASS:
        return builder.category_id(IGNORED)
    if class_id not in classes:
        raise DatasetError(f"the class is {class_id}, wanted one of {', '.join(map(str, classes))}")
    return builder.category_id(classes[class_id])
