"""Plain PNG masks: a folder per picture with one black and white PNG per object.

Written as ``street.jpg/12_car.png``: the folder is named like the picture, the file after the
object's number and its category, with "/" and the like as %2F. Read are these, and also PNGs
that lie beside each other, one mask per picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np

from decoder.errors import ClickMaskError, DatasetError
from decoder.formats.builder import UNLABELED, DatasetBuilder
from decoder.formats.options import ReadOptions, WriteOptions
from decoder.formats.output import make_folder
from decoder.formats.pictures import picture_size
from decoder.formats.png_files import read_binary, write_binary
from decoder.formats.records import AnnotatedImage, Dataset
from decoder.prompts import Size
from decoder.shapes import mask_to_rle, rle_to_mask

_SIZE_FILE = "size.png"  # of a picture without objects: all black
_PLAIN = " ()+,-.@[]^_{}~"  # characters of names that every file system takes as they are


def read_png_masks(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a folder of PNG masks; white (any colour but black, not transparent) is the object.

    Args:
        path: The folder.
        options: ``on_problem`` receives files that were left out.

    Raises:
        DatasetError: If there is no such folder.
    """
    options = options or ReadOptions()
    if not path.is_dir():
        raise DatasetError(f"{path}: there is no such folder, wanted PNG masks")
    builder = DatasetBuilder()
    for place in options.progress(sorted(path.iterdir()), "pictures"):
        try:
            if place.is_dir():
                _read_folder(place, builder, options)
            elif place.suffix.lower() == ".png":
                _read_single(place, builder)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_png_masks(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write every object as a PNG of its own; exact.

    Lost: scores, ``is_crowd``, tracks, and ids of images and categories.

    Args:
        dataset: Its images are passed over once.
        path: The folder to write into.
        options: ``on_problem`` receives images that cannot be written.

    Raises:
        DatasetError: If the folder cannot be made.
    """
    options = options or WriteOptions()
    make_folder(path)
    names = dataset.category_names
    for annotated in dataset.images:
        try:
            _write_folder(annotated, path, names)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _read_folder(folder: Path, builder: DatasetBuilder, options: ReadOptions) -> None:
    files = sorted(folder.glob("*.png"), key=_number)
    if not files:
        raise DatasetError(f"{folder}: holds no PNG, wanted one per object")
    image_id = builder.add_image(unquote(folder.name), picture_size(files[0]))
    for file in files:
        if file.name == _SIZE_FILE:
            continue
        try:
            builder.add_object(image_id, builder.category_id(_category(file)), mask_to_rle(read_binary(file)))
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{file}: {problem}"))


def _read_single(file: Path, builder: DatasetBuilder) -> None:
    mask = read_binary(file)
    image_id = builder.add_image(file.name, Size(*mask.shape))
    builder.add_object(image_id, builder.category_id(UNLABELED), mask_to_rle(mask))


def _write_folder(annotated: AnnotatedImage, path: Path, names: Mapping[int, str]) -> None:
    folder = path / _file_safe(annotated.image.file_name)
    make_folder(folder)
    for item in annotated.objects:
        write_binary(folder / f"{item.id}_{_file_safe(names[item.category_id])}.png", rle_to_mask(item.rle))
    if not annotated.objects:
        size = annotated.image.size
        write_binary(folder / _SIZE_FILE, np.zeros((size.height, size.width), dtype=np.bool_))


def _file_safe(name: str) -> str:
    """A name with everything but letters, digits and harmless marks as %XX; a leading dot as well."""
    safe = quote(name, safe=_PLAIN, errors="surrogatepass")
    return f"%2E{safe[1:]}" if safe.startswith(".") else safe


def _category(file: Path) -> str:
    number, _, name = file.stem.partition("_")
    return unquote(name) if number.isdecimal() and name else UNLABELED


def _number(file: Path) -> tuple[int, str]:
    """Sorts 2_cat before 10_cat."""
    number = file.stem.partition("_")[0]
    return (int(number) if number.isascii() and number.isdigit() and len(number) < 20 else 0, file.name)
