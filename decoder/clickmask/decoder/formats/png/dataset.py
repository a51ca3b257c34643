"""Plain PNG masks: a folder per picture with one black and white PNG per object.

Written as ``street.jpg/12_car.png``: the folder is named like the picture, the file after the
object's number and its category, with "/" and the like as %2F.

Read are these, and also pictures of labels (PNG, TIFF, BMP), beside each other or in folders as
DAVIS has them (``dog/00012.png``, frame 12 of the video "dog"): black and white ones hold one
object, those with a palette, grey values or colours one per value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import UNLABELED, DatasetBuilder
from clickmask.decoder.formats.label_pictures import SUFFIXES, label_fields, read_label_picture
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.output import claim, make_folder
from clickmask.decoder.formats.pictures import picture_size
from clickmask.decoder.formats.png_files import read_binary, write_binary
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask

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
            elif place.suffix.lower() in SUFFIXES:
                read_whole_mask(place, path, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_png_masks(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write every object as a PNG of its own; exact.

    A picture's folder that is there already keeps none of its masks.
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
    taken: dict[Path, str] = {}
    for annotated in dataset.images:
        folder = path / _file_safe(annotated.image.file_name)
        try:
            claim(folder, annotated.image.file_name, taken)
            _write_folder(annotated, folder, names)
        except ClickMaskError as problem:
            options.on_problem(problem)


def read_whole_mask(
    file: Path, root: Path, builder: DatasetBuilder, options: ReadOptions, name: str | None = None
) -> None:
    """Take in the labels of a whole picture; one numbered in a folder is a frame of a video.

    Args:
        file: The picture of labels.
        root: The dataset's folder.
        builder: Receives them.
        options: Of reading.
        name: Of the photo, where it is not the file's own.

    Raises:
        DatasetError: If it is no picture, or a photo.
    """
    picture = read_label_picture(file)
    if picture.is_soft:
        options.on_note("masks with soft edges, cut at half", str(file))
    labels = picture.labels
    folder = file.parent.relative_to(root).as_posix()
    is_frame = folder != "." and _is_number(file.stem)
    image_id = builder.add_image(
        name or file.relative_to(root).as_posix(),
        Size(*labels.shape),
        video=folder if is_frame else None,
        frame=int(file.stem) if is_frame else None,
    )
    for index in np.unique(labels[labels != 0]).tolist():
        rle = mask_to_rle(labels == index)
        track_id = index if is_frame else None
        extras = label_fields(picture, index)
        builder.add_object(image_id, builder.category_id(UNLABELED), rle, track_id=track_id, extras=extras)


def _read_folder(folder: Path, builder: DatasetBuilder, options: ReadOptions) -> None:
    files = sorted((file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES), key=_number)
    if not files:
        raise DatasetError(f"{folder}: holds no PNG, wanted masks")
    is_picture = all(_is_object(file) or file.name == _SIZE_FILE for file in files)
    image_id = builder.add_image(unquote(folder.name), picture_size(files[0])) if is_picture else None
    for file in files:
        try:
            if image_id is None:
                read_whole_mask(file, folder.parent, builder, options)
            elif file.name != _SIZE_FILE:
                builder.add_object(image_id, builder.category_id(_category(file)), mask_to_rle(read_binary(file)))
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{file}: {problem}"))


def _write_folder(annotated: AnnotatedImage, folder: Path, names: Mapping[int, str]) -> None:
    make_folder(folder)
    size = annotated.image.size
    masks = {f"{item.id}_{_file_safe(names[item.category_id])}.png": item.rle for item in annotated.objects}
    for name, rle in masks.items():
        write_binary(folder / name, rle_to_mask(rle))
    if not masks:
        write_binary(folder / _SIZE_FILE, np.zeros((size.height, size.width), dtype=np.bool_))
    for file in folder.glob("*.png"):  # of an earlier export: they would be read as objects
        if file.name not in (masks or {_SIZE_FILE}) and (_is_object(file) or file.name == _SIZE_FILE):
            file.unlink()


def _file_safe(name: str) -> str:
    """A name with everything but letters, digits and harmless marks as %XX; a leading dot as well."""
    safe = quote(name, safe=_PLAIN, errors="surrogatepass")
    return f"%2E{safe[1:]}" if safe.startswith(".") else safe


def _category(file: Path) -> str:
    return unquote(file.stem.partition("_")[2])


def _number(file: Path) -> tuple[int, str]:
    """Sorts 2_cat before 10_cat."""
    number = file.stem.partition("_")[0]
    return (int(number) if _is_number(number) else 0, file.name)


def _is_object(file: Path) -> bool:
    number, _, category = file.stem.partition("_")
    return _is_number(number) and bool(category)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
