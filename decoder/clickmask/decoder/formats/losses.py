"""What a format cannot hold, told once per kind while a dataset is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from clickmask.decoder.formats.builder import UNLABELED
from clickmask.decoder.formats.options import Tell
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord

Feature = Literal[
    "masks",
    "classes",
    "file names",
    "scores",
    "crowds",
    "tracks",
    "boxes",
    "polygons",
    "object fields",
    "image fields",
    "category fields",
    "file fields",
    "unused categories",
    "categories of one name",
    "images without objects",
]


def tell_losses(dataset: Dataset, holds: frozenset[Feature], tell: Tell) -> Dataset:
    """Return the dataset unchanged; while it is passed over, what a format does not hold is told.

    Args:
        dataset: To be written.
        holds: What the format holds.
        tell: Receives the feature and where it is, once per object, image or category.
    """
    if "file fields" not in holds:
        for name in [*(["info"] if dataset.info else []), *(["licenses"] if dataset.licenses else []), *dataset.extras]:
            tell(f"fields of the file ({name})", name)
    _tell_categories(dataset.categories, holds, tell)
    return replace(dataset, images=_Watched(dataset, holds, tell))


@dataclass
class _Watched:
    """Images that tell what they lose as they pass; passed over again, they tell nothing twice."""

    dataset: Dataset
    holds: frozenset[Feature]
    tell: Tell
    told: int = 0  # images whose losses were told
    is_whole: bool = False

    def __iter__(self) -> Iterator[AnnotatedImage]:
        used: set[int] = set()
        for number, annotated in enumerate(self.dataset.images, start=1):
            used |= {item.category_id for item in annotated.objects}
            if number > self.told:
                self.told = number
                self._tell_all(annotated)
            yield annotated
        if not self.is_whole and "unused categories" not in self.holds:
            for category in self.dataset.categories:
                if category.id not in used:
                    self.tell("categories without objects", category.name)
        self.is_whole = True

    def _tell_all(self, annotated: AnnotatedImage) -> None:
        _tell_image(annotated.image, self.holds, self.tell)
        if not annotated.objects and "images without objects" not in self.holds:
            self.tell("images without objects", annotated.image.file_name)
        for item in annotated.objects:
            _tell_object(item, annotated.image.file_name, self.holds, self.tell)


def _tell_categories(categories: tuple[Category, ...], holds: frozenset[Feature], tell: Tell) -> None:
    names: set[str] = set()
    for category in categories:
        if (category.extras or category.supercategory) and "category fields" not in holds:
            tell(f"fields of categories ({_keys(category.extras) or 'supercategory'})", category.name)
        if category.name in names and "categories of one name" not in holds:
            tell("categories of one name, which become one", category.name)
        if category.name != UNLABELED and "classes" not in holds:
            tell("names of classes", category.name)
        names.add(category.name)


def _tell_image(image: ImageRecord, holds: frozenset[Feature], tell: Tell) -> None:
    if image.extras and "image fields" not in holds:
        tell(f"fields of images ({_keys(image.extras)})", image.file_name)
    if "file names" not in holds and not _is_numbered(image):
        tell("file names, which become numbers of frames", image.file_name)


def _tell_object(item: ObjectRecord, name: str, holds: frozenset[Feature], tell: Tell) -> None:
    where = f"image {name}: object {item.id}"
    if item.score is not None and "scores" not in holds:
        tell("scores", where)
    if item.is_crowd and "crowds" not in holds:
        tell("crowd marks", where)
    if item.track_id is not None and "tracks" not in holds:
        tell("track numbers", where)
    if not item.is_box and "masks" not in holds:
        tell("masks, which become boxes", where)
    if item.is_box and "boxes" not in holds:
        tell("boxes, which become filled masks", where)
    if item.rings and "polygons" not in holds and "masks" in holds:
        tell("drawn polygons, which become pixels", where)
    if item.extras and "object fields" not in holds:
        tell(f"fields of objects ({_keys(item.extras)})", where)


def _is_numbered(image: ImageRecord) -> bool:
    """Whether the name says no more than the frame's number does."""
    stem = PurePosixPath(image.file_name).stem.removeprefix("frame_")
    return image.frame is not None and stem.isascii() and stem.isdigit() and int(stem) == image.frame


def _keys(extras: object) -> str:
    return ", ".join(sorted(str(key) for key in extras)) if isinstance(extras, dict) else ""
