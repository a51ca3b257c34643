"""MOTS text: a file per video, one line per object and frame.

A line is ``frame id class height width counts``: the frame's number, the track
(``1000 * class + instance``), the class, the size and the mask as compressed COCO run lengths.
Class 10 with id 10000 is a region to be ignored. ``classes.txt`` (lines ``number name``) names
the classes; without it 1 is car and 2 pedestrian, as in KITTI MOTS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.input import read_lines
from clickmask.decoder.formats.mots.classes import (
    CLASSES_FILE,
    IGNORED_CLASS,
    category_id_of,
    read_classes,
    write_classes,
)
from clickmask.decoder.formats.mots.lines import class_numbers, mots_lines
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.output import inside, write_whole
from clickmask.decoder.formats.records import Category, Dataset
from clickmask.decoder.formats.videos import group_videos
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import rle_area
from clickmask.decoder.shapes.masks import check_size
from clickmask.decoder.shapes.rle import Rle


@dataclass(frozen=True, slots=True)
class MotsLine:
    """One object on one frame."""

    frame: int
    track_id: int
    class_id: int
    size: Size
    rle: Rle


def read_mots(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read MOTS text files; a file's name is its video's name.

    Args:
        path: A text file, or a folder of them with an optional ``classes.txt``.
        options: ``on_problem`` receives lines that were left out.

    Raises:
        DatasetError: If there is no such file or folder, or ``classes.txt`` is malformed.
    """
    options = options or ReadOptions()
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder, wanted MOTS text")
    folder = path if path.is_dir() else path.parent
    classes = read_classes(folder)
    builder = DatasetBuilder(Category(number, name) for number, name in classes.items())
    files = [file for file in sorted(path.rglob("*.txt")) if file.name != CLASSES_FILE] if path.is_dir() else [path]
    for file in options.progress(files, "videos"):
        try:
            _read_video(file, folder, classes, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_mots(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a MOTS text file per video into a folder, and ``classes.txt``.

    MOTS allows no overlap: a pixel belongs to the smallest object that covers it. Objects without
    a track get one each. Lost: scores, file names, frames without objects, crowds' categories.

    Args:
        dataset: Its images are passed over once.
        path: The folder to write into.
        options: ``on_problem`` receives videos that cannot be written.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    classes = class_numbers(dataset.categories)
    for video in group_videos(dataset):
        try:
            with write_whole(inside(path, f"{video.name}.txt")) as file:
                file.writelines(f"{line}\n" for line in mots_lines(video, classes, options))
        except ClickMaskError as problem:
            options.on_problem(problem)
    write_classes(path, dataset.categories, classes)


def parse_line(line: str) -> MotsLine:
    """Return what a line says.

    Raises:
        DatasetError: If it has not six fields or one is no number.
        ShapeError: If the run lengths are malformed.

    Example:
        >>> parse_line("0 2001 2 1 4 13").rle
        {'size': [1, 4], 'counts': '13'}
    """
    fields = line.split()
    if len(fields) != 6 or not all(field.isascii() and field.isdigit() and len(field) < 10 for field in fields[:5]):
        raise DatasetError(f"is {line!r:.80}, wanted: frame id class height width counts")
    frame, track_id, class_id, height, width = (int(field) for field in fields[:5])
    size = check_size(Size(height, width))
    rle: Rle = {"size": [size.height, size.width], "counts": fields[5]}
    rle_area(rle)  # raises unless the counts are sound
    return MotsLine(frame, track_id, class_id, size, rle)


def _read_video(
    file: Path, folder: Path, classes: Mapping[int, str], builder: DatasetBuilder, options: ReadOptions
) -> None:
    video = file.relative_to(folder).with_suffix("").as_posix()
    images: dict[int, int] = {}  # image ids by frame
    for number, text in _read_lines(file):
        try:
            line = parse_line(text)
            category_id = category_id_of(line.class_id, classes, builder)
            if line.frame not in images:
                name = f"{video}/{line.frame:06d}.png"
                images[line.frame] = builder.add_image(name, line.size, video=video, frame=line.frame)
            ignored = line.class_id == IGNORED_CLASS
            track_id = None if ignored else line.track_id
            builder.add_object(images[line.frame], category_id, line.rle, is_crowd=ignored, track_id=track_id)
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{file}: line {number}: {problem}"))


def _read_lines(file: Path) -> list[tuple[int, str]]:
    """The lines that say something, with their numbers from 1."""
    return [(number, line) for number, line in enumerate(read_lines(file), start=1) if line.strip()]
