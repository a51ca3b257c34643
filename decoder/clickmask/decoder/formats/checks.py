"""What is at hand compared: pictures with what annotations say of them, files with what was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import OnProblem, Tell
from clickmask.decoder.formats.pictures import find_picture, picture_size
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.shapes.polygons import is_too_grainy

GRAINY = "masks too grainy to simplify, which keep their exact pixel edges"


def check_sizes(dataset: Dataset, images: Path, on_problem: OnProblem) -> Dataset:
    """Return the dataset without images that are not as large as their pictures.

    Coordinates of another frame would be wrong in every format that divides by the size, and those of
    a picture that is turned upright by its EXIF tag are wrong everywhere.

    Args:
        dataset: Any.
        images: The folder of the pictures; pictures that are not there are not compared.
        on_problem: Receives the images that are left out.
    """
    return replace(dataset, images=_Sized(dataset, images, on_problem))


@dataclass
class _Sized:
    """Images as large as their pictures; passed over again, they tell nothing twice."""

    dataset: Dataset
    images: Path
    on_problem: OnProblem
    told: int = 0  # images that were compared

    def __iter__(self) -> Iterator[AnnotatedImage]:
        for number, annotated in enumerate(self.dataset.images, start=1):
            problem = self._problem(annotated)
            is_new = number > self.told
            self.told = max(self.told, number)
            if problem is None:
                yield annotated
            elif is_new:
                self.on_problem(problem)

    def _problem(self, annotated: AnnotatedImage) -> ClickMaskError | None:
        image = annotated.image
        try:
            picture = find_picture(self.images, image.file_name)
            size = picture_size(picture) if picture.is_file() else image.size
        except ClickMaskError as problem:
            return problem
        if size == image.size:
            return None
        turned = (size.height, size.width) == (image.size.width, image.size.height)
        why = ": it may be turned upright by its EXIF tag" if turned else ""
        return DatasetError(f"image {image.file_name}: is annotated as {image.size}, the picture is {size}{why}")


def note_grainy(dataset: Dataset, min_iou: float, tell: Tell) -> Dataset:
    """Return the dataset unchanged; while it is passed over, masks too grainy to be simplified are told.

    Args:
        dataset: To be written.
        min_iou: To which polygons are simplified.
        tell: Receives what happens to such a mask, and where it is, once per object.
    """
    return replace(dataset, images=_Grainy(dataset, min_iou, tell))


@dataclass
class _Grainy:
    """Images whose grainy masks are told as they pass; passed over again, they tell nothing twice."""

    dataset: Dataset
    min_iou: float
    tell: Tell
    told: int = 0  # images that were looked at

    def __iter__(self) -> Iterator[AnnotatedImage]:
        for number, annotated in enumerate(self.dataset.images, start=1):
            if number > self.told:
                self.told = number
                for item in annotated.objects:
                    if not item.is_box and is_too_grainy(item.rle, self.min_iou):
                        self.tell(GRAINY, f"image {annotated.image.file_name}: object {item.id}")
            yield annotated


@dataclass(frozen=True, slots=True)
class Counts:
    """How many images and objects there are."""

    images: int
    objects: int


def count_records(dataset: Dataset) -> Counts:
    """Count by passing over."""
    objects = [len(annotated.objects) for annotated in dataset.images]
    return Counts(len(objects), sum(objects))


def count_nothing(_path: Path) -> Counts:
    """Count what cannot be counted so."""
    return Counts(0, 0)
