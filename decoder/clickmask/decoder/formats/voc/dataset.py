"""Pascal VOC segmentation: per picture one PNG of classes and one of objects.

``SegmentationClass/a.png`` holds the class of every pixel and ``SegmentationObject/a.png`` the
object's number, as palette indices or as the palette's colours; 0 is background, 255 void.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.layers import flatten
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.output import claim, inside, make_folder, write_whole
from clickmask.decoder.formats.pictures import copy_picture
from clickmask.decoder.formats.png_files import read_labels, write_palette
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset
from clickmask.decoder.formats.voc.labels import class_numbers, object_numbers
from clickmask.decoder.formats.voc.palette import MAX_LABEL, Color, read_classes, voc_palette, write_labelmap
from clickmask.decoder.images import PICTURE_SUFFIXES
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle


def read_voc(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a Pascal VOC segmentation dataset.

    An object's class is that of most of its pixels. Where ``SegmentationObject`` is missing,
    all pixels of a class are one object. Classes are named by ``labelmap.txt`` or ``class_names.txt``
    (of ``labelme2voc``), or are guessed to be VOC's own.

    Args:
        path: The folder with ``SegmentationClass`` in it.
        options: ``on_problem`` receives pictures that were left out, ``on_note`` that classes were guessed.

    Raises:
        DatasetError: If there is no ``SegmentationClass``, or ``labelmap.txt`` is malformed.
    """
    options = options or ReadOptions()
    folder = path / "SegmentationClass"
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder, wanted a Pascal VOC dataset")
    classes = read_classes(path, options)
    builder = DatasetBuilder(Category(number, name) for number, (name, _) in enumerate(classes, start=1))
    colors = [color for _, color in classes]
    for file in options.progress(sorted(folder.rglob("*.png")), "pictures"):
        try:
            _read_picture(file.relative_to(folder), path, colors, builder)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_voc(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a Pascal VOC segmentation dataset into a folder.

    Exact as long as objects do not overlap: a pixel belongs to the smallest object that covers it.
    Lost: ids, scores, ``is_crowd``, tracks, and objects that are covered wholly, which are reported.

    Args:
        dataset: Its images are passed over once.
        path: The folder for ``SegmentationClass``, ``SegmentationObject``, ``ImageSets`` and
            ``labelmap.txt``, and ``JPEGImages`` where the options say where the pictures are.
        options: The picture folder.

    Raises:
        DatasetError: If a file cannot be written or there are more than 254 categories.
    """
    options = options or WriteOptions()
    if len(dataset.categories) > MAX_LABEL:
        raise DatasetError(f"got {len(dataset.categories)} categories, a VOC mask holds at most {MAX_LABEL}")
    make_folder(path / "SegmentationClass")
    write_labelmap(path, [category.name for category in dataset.categories])
    numbers = {category.id: number for number, category in enumerate(dataset.categories, start=1)}
    taken: dict[Path, str] = {}
    stems: list[str] = []
    for annotated in dataset.images:
        name = annotated.image.file_name
        try:
            target = inside(path, name, "")
            claim(target, name, taken)
            stem = target.relative_to(path).as_posix()
            _write_picture(annotated, stem, path, numbers, options)
            stems.append(stem)
        except ClickMaskError as problem:
            options.on_problem(problem)
    with write_whole(path / "ImageSets" / "Segmentation" / "default.txt") as file:
        file.writelines(f"{stem}\n" for stem in stems)


def _read_picture(name: Path, path: Path, colors: Sequence[Color], builder: DatasetBuilder) -> None:
    classes_file, objects_file = path / "SegmentationClass" / name, path / "SegmentationObject" / name
    classes = class_numbers(read_labels(classes_file), colors, str(classes_file))
    objects = object_numbers(read_labels(objects_file)) if objects_file.exists() else classes
    if objects.shape != classes.shape:
        raise DatasetError(f"{objects_file}: is not as large as {classes_file}")
    image_id = builder.add_image(_file_name(name, path), Size(*classes.shape))
    objects = np.where(classes > 0, objects, 0)
    for number in np.unique(objects[objects > 0]).tolist():
        mask = objects == number
        builder.add_object(image_id, int(np.bincount(classes[mask]).argmax()), mask_to_rle(mask))


def _file_name(name: Path, path: Path) -> str:
    """The picture's name: whichever there is in ``JPEGImages``, VOC's .jpg otherwise."""
    for suffix in sorted(PICTURE_SUFFIXES):
        if (path / "JPEGImages" / name.with_suffix(suffix)).exists():
            return name.with_suffix(suffix).as_posix()
    return name.with_suffix(".jpg").as_posix()


def _write_picture(
    annotated: AnnotatedImage, stem: str, path: Path, numbers: Mapping[int, int], options: WriteOptions
) -> None:
    image = annotated.image
    layer = flatten(annotated, options)
    visible = np.unique(layer[layer > 0])
    if len(visible) > MAX_LABEL:
        raise DatasetError(f"image {image.file_name} has {len(visible)} objects, VOC holds {MAX_LABEL}")
    class_of = np.array([0, *(numbers[item.category_id] for item in annotated.objects)], np.uint8)
    number_of = np.zeros(len(class_of), np.uint8)
    number_of[visible] = np.arange(1, len(visible) + 1)
    write_palette(path / "SegmentationClass" / f"{stem}.png", class_of[layer], voc_palette())
    write_palette(path / "SegmentationObject" / f"{stem}.png", number_of[layer], voc_palette())
    if options.images is not None:
        copy_picture(options.images, image.file_name, inside(path / "JPEGImages", image.file_name))
