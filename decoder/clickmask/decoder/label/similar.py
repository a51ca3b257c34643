"""Label the pictures of a folder from examples: a few labeled pictures, or crops that show one object each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.engine import Engine
from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.folders import PictureFolder
from clickmask.decoder.formats.pictures import list_pictures
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.images import ImageSource, load_image
from clickmask.decoder.label.run import Entries, PictureTask, from_json, needing_eyes, to_json
from clickmask.decoder.label.upgrade import Flag, LabeledObject, touches_border
from clickmask.decoder.mask_rule import MaskRule
from clickmask.decoder.prompts import Box, Point, Prompt, Size
from clickmask.decoder.shapes import rle_to_mask
from clickmask.decoder.shapes.rle import Rle
from clickmask.decoder.similar.examples import Example, Kind
from clickmask.decoder.similar.find import keep_each_once

MOST_EXAMPLES = 20  # of a category; spread over those that there are
LEAST_SHARE = 0.1  # of a crop, for what is seen in it to be its object
CANVAS = 4  # a crop is looked at on a canvas so many times its sides, as objects of a picture are
CROP_ROOM = 0.03  # of a crop's sides, around its object

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB


@dataclass(frozen=True, slots=True)
class Examples:
    """What is looked for, by category, and what of it is labeled already.

    Args:
        categories: As their file has them, or by the names of the crops' folders.
        kinds: By the number of their category.
        labeled: Objects of pictures, by the pictures' names.
    """

    categories: tuple[Category, ...]
    kinds: Mapping[int, Kind]
    labeled: Mapping[str, tuple[ObjectRecord, ...]]


def read_labeled(source: Dataset, folder: PictureFolder, engine: Engine) -> Examples:
    """Take the objects of a data set as examples; its pictures are in the folder.

    Raises:
        DatasetError: If it has no object, or a picture has another size than the labels say.
        ImageError: If a picture cannot be read.
    """
    labeled = {one.image.file_name: one.objects for one in source.images if one.objects}
    wanted: dict[int, list[tuple[str, Rle]]] = defaultdict(list)
    for name, objects in labeled.items():
        for item in objects:
            if not item.is_crowd:
                wanted[item.category_id].append((name, item.rle))
    if not wanted:
        raise DatasetError("the examples hold no object, wanted at least one")
    kinds = {}
    for category, shown in wanted.items():
        chosen = [shown[int(place)] for place in np.linspace(0, len(shown) - 1, min(len(shown), MOST_EXAMPLES))]
        described = [_describe(engine, folder, name, rle) for name, rle in chosen]
        kinds[category] = Kind(tuple(one for one in described if one is not None))
    return Examples(source.categories, {key: kind for key, kind in kinds.items() if kind.examples}, labeled)


def _describe(engine: Engine, folder: PictureFolder, name: str, rle: Rle) -> Example | None:
    image = ImageSource(name, partial(folder.load, name))
    mask = rle_to_mask(rle)
    size, wanted = engine.image_size(image), Size(*mask.shape)
    if size != wanted:
        raise DatasetError(f"{name} is {size}, wanted {wanted} as the examples say")
    return engine.describe(image, mask)


def read_crops(
    crops: Path, picture_size: Size, engine: Engine, on_problem: Callable[[ClickMaskError], None]
) -> Examples:
    """Take pictures that show one object each as examples; folders in the folder are categories.

    Args:
        crops: The folder.
        picture_size: Of the pictures that will be looked through: crops are taken to be cut out of such.
        engine: Finds the object of a crop.
        on_problem: Told of each crop that cannot be used.

    Raises:
        DatasetError: If no crop can be used.
    """
    found: dict[str, list[Example]] = defaultdict(list)
    for path in list_pictures(crops):
        category = path.parent.name if path.parent != crops else crops.resolve().name
        if len(found[category]) >= MOST_EXAMPLES:
            continue
        try:
            found[category].append(_crop_example(path, picture_size, engine))
        except ClickMaskError as problem:
            on_problem(problem)
    named = {name: examples for name, examples in sorted(found.items()) if examples}
    if not named:
        raise DatasetError(f"{crops}: holds no picture with an example, wanted crops that show one object each")
    categories = tuple(Category(number, name) for number, name in enumerate(named, start=1))
    kinds = {number: Kind(tuple(examples)) for number, examples in enumerate(named.values(), start=1)}
    return Examples(categories, kinds, {})


def _crop_example(path: Path, picture_size: Size, engine: Engine) -> Example:
    """The object of a crop, on a canvas of the crop's border colour, where it is as small as on a picture."""
    crop = load_image(path)
    height, width = crop.shape[:2]
    top, left = ((CANVAS - 1) * side // 2 for side in (height, width))
    rim = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    colour = [int(value) for value in np.median(rim, axis=0)]
    canvas: Pixels = np.asarray(
        cv2.copyMakeBorder(crop, top, top, left, left, cv2.BORDER_CONSTANT, value=colour), np.uint8
    )
    image = ImageSource(str(path), lambda: canvas)
    room_y, room_x = CROP_ROOM * height, CROP_ROOM * width
    box = Box(left + room_x, top + room_y, left + width - room_x, top + height - room_y)
    middle = Point(left + width / 2, top + height / 2)
    mask = engine.segment(image, Prompt(points=(middle,), box=box), MaskRule()).mask()
    if mask.sum() < LEAST_SHARE * height * width:
        raise DatasetError(f"{path}: nothing is seen in the middle of it, wanted a crop that shows one object")
    example = engine.describe(image, mask)
    assert example is not None  # the mask is not empty
    return replace(example, area_share=min(1.0, float(mask.sum()) / (picture_size.height * picture_size.width)))


@dataclass(frozen=True, slots=True)
class FindSimilar:
    """Look for objects like the examples on the pictures of a folder; those that are labeled stay as they are.

    Args:
        pictures: The folder.
        names: Of the pictures, as paths below it.
        examples: What is looked for.
    """

    pictures: PictureFolder
    names: tuple[str, ...]
    examples: Examples

    def tasks(self) -> Iterator[PictureTask]:
        """By their paths below the folder."""
        for name in self.names:
            known = tuple(item.rle for item in self.examples.labeled.get(name, ()))
            yield PictureTask(name, partial(self.pictures.load, name), partial(_find, self.examples.kinds, known))

    def dataset(self, entries: Entries, only_below: float | None) -> Dataset:
        """The examples' own objects first, then those that were found, numbered after them."""
        images = _Found(self.names, self.examples, entries, only_below)
        return Dataset(self.examples.categories, images, sum(1 for _ in images))


def _find(kinds: Mapping[int, Kind], known: tuple[Rle, ...], engine: Engine, image: ImageSource) -> Any:
    size = engine.image_size(image)
    found = {
        id(one): (category, one) for category, kind in kinds.items() for one in engine.find_similar(image, kind, known)
    }
    objects = []
    for one in keep_each_once([one for _, one in found.values()], known):  # of two categories the likelier
        category = found[id(one)][0]
        record = ObjectRecord(
            0, category, one.found.rle, round(one.score, 4), extras={"stability": round(one.found.stability, 4)}
        )
        flags: tuple[Flag, ...] = ("border",) if touches_border(one.found.box, size) else ()
        objects.append({**to_json(LabeledObject(record, flags)), "category": category})
    return {"size": [size.height, size.width], "objects": objects}


@dataclass(frozen=True, slots=True)
class _Found:
    """Iterate again to read the journal again."""

    names: tuple[str, ...]
    examples: Examples
    entries: Entries
    only_below: float | None

    def __iter__(self) -> Iterator[AnnotatedImage]:
        labeled = self.examples.labeled
        object_id = max((item.id for objects in labeled.values() for item in objects), default=0)
        for image_id, entry in enumerate(self.entries(self.names), start=1):
            if entry.error is not None:
                continue
            numbered = []
            for line in entry.result["objects"]:
                object_id += 1
                numbered.append(from_json(line, ObjectRecord(object_id, line["category"], line["rle"])))
            shown = needing_eyes(numbered, self.only_below)
            if self.only_below is None:
                shown = [*labeled.get(entry.key, ()), *shown]
            if shown or self.only_below is None:
                yield AnnotatedImage(ImageRecord(image_id, entry.key, Size(*entry.result["size"])), tuple(shown))
