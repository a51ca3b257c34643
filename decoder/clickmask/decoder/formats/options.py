"""What a person may choose when annotations are read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.records import AnnotatedImage, ObjectRecord
from clickmask.decoder.shapes.polygons import Style

Encoding = Literal["polygons", "rle", "counts"]
Tag = Literal["brush", "bitmask", "polygon", "vector", "rectangle", "rotated", "ellipse", "keypoint"]
OnProblem = Callable[[ClickMaskError], None]
Tell = Callable[[str, str], None]  # what happened, as a plural that can be counted, and where
Progress = Callable[[Iterable[Any], str], Iterable[Any]]
Raw = TypeVar("Raw")
Written = TypeVar("Written")


def raise_problem(problem: ClickMaskError) -> None:
    """Stop at the first record that cannot be used."""
    raise problem


def raise_loss(what: str, where: str) -> None:
    """Stop before anything is lost."""
    raise DatasetError(f"{where}: {what} would be lost")


def say_nothing(_what: str, _where: str) -> None:
    """Let it pass without a word."""


def no_progress(items: Iterable[Raw], _what: str) -> Iterable[Raw]:
    """Say nothing while items are passed over."""
    return items


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    Args:
        images: Folder of the pictures, for files that do not say how large they are.
        companion: A second file that some need: COCO's annotations for a list of results, a labeling
            configuration for Label Studio's tasks.
        choice: Which annotation of a Label Studio task counts, see ``read_label_studio``.
        on_problem: Called with every record that cannot be used; when it returns, the rest
            is still read.
        on_loss: Called with what has no place in a data set, such as choices and relations.
        on_note: Called with what was decided for the file, such as ids numbered anew.
        progress: Wraps what is passed over, with a word for what it is; ``tqdm`` fits in here.
    """

    images: Path | None = None
    companion: Path | None = None
    choice: str = "all"
    on_problem: OnProblem = raise_problem
    on_loss: Tell = say_nothing
    on_note: Tell = say_nothing
    progress: Progress = no_progress


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How to write.

    Args:
        encoding: Segmentations of COCO and YouTube-VIS: polygons, compressed run lengths, or
            plain run lengths.
        style: How exact polygons are cut, see ``mask_to_polygons``; None leaves drawn polygons as they
            are and cuts masks as the format's readers like it best.
        min_iou: Simplify polygons as far as their IoU with the mask stays at least this.
        max_points: Simplify polygons to at most this many points per object.
        tag: The kind of Label Studio region to write.
        image_prefix: Put before file names in Label Studio tasks, such as
            "/data/local-files/?d=".
        images: Folder of the pictures; formats that keep pictures beside labels copy them from it.
        on_problem: Called with every object that cannot be written; when it returns, the rest
            is still written.
        on_loss: Called with what an object loses by being written.
        on_note: Called with what was decided for the files.
    """

    encoding: Encoding = "polygons"
    style: Style | None = None
    min_iou: float | None = None
    max_points: int | None = None
    tag: Tag = "brush"
    image_prefix: str = ""
    images: Path | None = None
    on_problem: OnProblem = raise_problem
    on_loss: Tell = say_nothing
    on_note: Tell = say_nothing

    @property
    def keeps_drawn(self) -> bool:
        """Whether drawn polygons are written as they are: nothing was asked of their points."""
        return self.style is None and self.min_iou is None and self.max_points is None


def write_each(
    write: Callable[[ObjectRecord], Written], annotated: AnnotatedImage, on_problem: OnProblem
) -> Iterator[Written]:
    """Yield what is written of each object of an image; report those that cannot be, by image and number."""
    for item in annotated.objects:
        try:
            written = write(item)
        except ClickMaskError as problem:
            on_problem(type(problem)(f"image {annotated.image.file_name}: object {item.id}: {problem}"))
        else:
            yield written
