"""Label pictures, as Cellpose, Fiji and the like have them: per photo one picture whose numbers are its objects.

Written as grey PNG or TIFF of 16 bit: 0 is background, the objects are 1, 2, 3 and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.label_pictures import MAX_OBJECTS, SUFFIXES
from clickmask.decoder.formats.layers import flatten
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.output import claim, inside, make_folder
from clickmask.decoder.formats.pictures import list_pictures
from clickmask.decoder.formats.png.dataset import read_whole_mask
from clickmask.decoder.formats.png_files import write_numbers
from clickmask.decoder.formats.records import AnnotatedImage, Dataset

_ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label")  # of names, as tools add them


def read_label_pictures(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a folder of label pictures (PNG, TIFF, BMP), an object per number; there are no classes.

    Args:
        path: The folder.
        options: ``images`` gives the photos' names: those of the same name but for the suffix and an
            ending such as ``_cp_masks``. ``on_problem`` receives files that were left out.

    Raises:
        DatasetError: If there is no such folder.
    """
    options = options or ReadOptions()
    if not path.is_dir():
        raise DatasetError(f"{path}: there is no such folder, wanted label pictures")
    photos = {} if options.images is None else _photos(options.images, path)
    builder = DatasetBuilder()
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    for file in options.progress(files, "pictures"):
        try:
            place = file.relative_to(path).with_suffix("").as_posix()
            read_whole_mask(file, path, builder, options, photos.get(place) or photos.get(_without_ending(place)))
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_label_pictures(suffix: str, dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a label picture of 16 bit per image.

    A pixel belongs to the smallest object that covers it. Lost: classes, ids, scores, ``is_crowd``, tracks.

    Args:
        suffix: ".png" or ".tif".
        dataset: Its images are passed over once.
        path: The folder to write into.
        options: ``on_problem`` receives images that cannot be written.

    Raises:
        DatasetError: If the folder cannot be made.
    """
    options = options or WriteOptions()
    make_folder(path)
    taken: dict[Path, str] = {}
    for annotated in dataset.images:
        try:
            target = inside(path, annotated.image.file_name, suffix)
            claim(target, annotated.image.file_name, taken)
            _write_picture(annotated, target, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


write_label_png = partial(write_label_pictures, ".png")
write_label_tiff = partial(write_label_pictures, ".tif")


def _write_picture(annotated: AnnotatedImage, target: Path, options: WriteOptions) -> None:
    if len(annotated.objects) > MAX_OBJECTS:
        got = f"image {annotated.image.file_name} has {len(annotated.objects)} objects"
        raise DatasetError(f"{got}, a label picture holds {MAX_OBJECTS}")
    layer = flatten(annotated, options)
    visible = np.unique(layer[layer > 0])
    number_of = np.zeros(len(annotated.objects) + 1, np.uint16)
    number_of[visible] = np.arange(1, len(visible) + 1)
    write_numbers(target, number_of[layer])


def _photos(folder: Path, labels: Path) -> Mapping[str, str]:
    """Names of photos by their names without suffix."""
    photos = [file for file in list_pictures(folder) if labels not in file.parents]
    names = [file.relative_to(folder).as_posix() for file in photos]
    return {PurePosixPath(name).with_suffix("").as_posix(): name for name in names}


def _without_ending(place: str) -> str:
    return next((place.removesuffix(ending) for ending in _ENDINGS if place.endswith(ending)), place)
