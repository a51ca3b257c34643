"""MOTS as pictures, as KITTI MOTS has it: a 16 bit PNG per frame, ``instances/0001/000000.png``.

A pixel's number is that of its track (``1000 * class + instance``); 10000 is a region to be ignored.
``classes.txt`` names the classes as beside MOTS text, or ``instances/labels.txt``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.layers import flatten
from clickmask.decoder.formats.mots.classes import (
    IGNORED_CLASS,
    LABELS_FILE,
    category_id_of,
    read_classes,
    write_classes,
)
from clickmask.decoder.formats.mots.lines import INSTANCES, class_numbers, track_numbers
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.output import inside, make_folder
from clickmask.decoder.formats.png_files import open_labels, write_numbers
from clickmask.decoder.formats.records import Category, Dataset
from clickmask.decoder.formats.videos import Video, group_videos
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle

FOLDER = "instances"
MAX_CLASS = 64  # with its tracks' numbers in 16 bit


def read_mots_png(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read MOTS pictures; a folder's name is its video's name, a picture's its frame's number.

    Args:
        path: The folder of the videos, or the one with ``instances`` in it.
        options: ``on_problem`` receives pictures and tracks that were left out.

    Raises:
        DatasetError: If there is no such folder, or ``classes.txt`` is malformed.
    """
    options = options or ReadOptions()
    root = path / FOLDER if (path / FOLDER).is_dir() else path
    if not root.is_dir():
        raise DatasetError(f"{path}: there is no such folder, wanted MOTS pictures")
    classes = read_classes(root if (root / LABELS_FILE).exists() else path)
    builder = DatasetBuilder(Category(number, name) for number, name in classes.items())
    for file in options.progress(sorted(root.rglob("*.png")), "pictures"):
        try:
            _read_picture(file, root, classes, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_mots_png(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a 16 bit PNG per frame into ``instances``, and ``classes.txt``.

    A pixel belongs to the smallest object that covers it. Objects without a track get one each.
    Lost: scores, file names, crowds' categories.

    Args:
        dataset: Its images are passed over once.
        path: The folder to write into.
        options: ``on_problem`` receives videos and frames that cannot be written.

    Raises:
        DatasetError: If the folder cannot be made, or there are more than 63 categories.
    """
    options = options or WriteOptions()
    classes = class_numbers(dataset.categories, MAX_CLASS)
    if any(number > MAX_CLASS for number in classes.values()):
        raise DatasetError(f"got {len(classes)} categories, MOTS pictures hold at most {MAX_CLASS - 1}")
    make_folder(path / FOLDER)
    for video in group_videos(dataset):
        try:
            _write_video(video, classes, path / FOLDER, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    write_classes(path, dataset.categories, classes)


def _read_picture(
    file: Path, root: Path, classes: Mapping[int, str], builder: DatasetBuilder, options: ReadOptions
) -> None:
    if not (file.stem.isascii() and file.stem.isdigit() and len(file.stem) < 10):
        raise DatasetError(f"{file}: is named {file.stem!r}, wanted the frame's number")
    with open_labels(file) as picture:
        if not (picture.mode in ("I", "L", "1") or picture.mode.startswith("I;")):
            raise DatasetError(f"{file}: holds colours, wanted numbers of tracks in 16 bit")
        numbers = np.array(picture).astype(np.int64)
    video = file.parent.relative_to(root).as_posix()
    video = file.parent.name if video == "." else video
    size = Size(*numbers.shape)
    frame = int(file.stem)
    image_id = builder.add_image(f"{video}/{frame:06d}.png", size, video=video, frame=frame)
    for number in np.unique(numbers[numbers > 0]).tolist():
        try:
            category_id = category_id_of(number // INSTANCES, classes, builder)
        except DatasetError as problem:
            options.on_problem(DatasetError(f"{file}: track {number}: {problem}"))
            continue
        ignored = number // INSTANCES == IGNORED_CLASS
        rle = mask_to_rle(numbers == number)
        builder.add_object(image_id, category_id, rle, is_crowd=ignored, track_id=None if ignored else number)


def _write_video(video: Video, classes: Mapping[int, int], folder: Path, options: WriteOptions) -> None:
    tracks = track_numbers(video, classes)
    frames = {f"{annotated.image.frame or 0:06d}.png" for annotated in video.frames}
    place = inside(folder, f"{video.name}/0").parent
    for file in place.glob("*.png") if place.is_dir() else ():  # of an earlier export: they would be read as frames
        if file.name not in frames:
            file.unlink()
    for annotated in video.frames:
        numbers = [tracks(item) for item in annotated.objects]
        if len(set(numbers)) < len(numbers):
            options.on_loss("objects of one track, or to be ignored, which become one", annotated.image.file_name)
        layer = flatten(annotated, options)
        write_numbers(place / f"{annotated.image.frame or 0:06d}.png", np.array([0, *numbers], np.uint16)[layer])
