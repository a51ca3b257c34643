"""What survives from one annotation format to another, from real runs: write, read, write, read, compare.

``python -m benchmarks.conformance`` prints the tables of ``docs/formats.md``; a test holds the two together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.options import ReadOptions, Tag, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes import box_to_mask, mask_to_rle, polygons_to_mask

SIZE = Size(40, 48)
CATEGORIES = (Category(3, "cat"), Category(7, "traffic light"))
BEGIN, END = "<!-- made by python -m benchmarks.conformance -->", "<!-- end -->"
Bits = NDArray[np.bool_]


def _block(x: int, y: int, width: int, height: int) -> Bits:
    return box_to_mask(Box(x, y, x + width, y + height), SIZE)


def _object(number: int, mask: Bits, category: int = 3, **others: object) -> ObjectRecord:
    return replace(ObjectRecord(number, category, mask_to_rle(mask)), **others)  # type: ignore[arg-type]


def _dataset(*objects: ObjectRecord, extras: Mapping[str, object] | None = None) -> Dataset:
    """One frame of a video, named as MOTS does not name it."""
    image = ImageRecord(11, "street/a.png", SIZE, "street", 0, extras or {})
    return Dataset(CATEGORIES, [AnnotatedImage(image, objects)], 1)


def _only(dataset: Dataset) -> AnnotatedImage:
    (annotated,) = dataset.images
    return annotated


def _masks(dataset: Dataset) -> list[tuple[str, str]]:
    """Category and pixels of every object."""
    names = dataset.category_names
    return sorted((names[item.category_id], item.rle["counts"]) for item in _only(dataset).objects)


def _pixels(dataset: Dataset) -> list[str]:
    return sorted(item.rle["counts"] for item in _only(dataset).objects)


def _per_object(read: Callable[[ObjectRecord], object]) -> Callable[[Dataset], object]:
    return lambda dataset: [read(item) for item in _only(dataset).objects]


def _is_tracked(item: ObjectRecord) -> bool:
    return item.track_id is not None


def _fields(item: ObjectRecord) -> dict[str, object]:
    return dict(item.extras)


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing that may survive.

    Args:
        letter: Stands for it in the table.
        name: What it is.
        dataset: A small dataset that has it.
        read: What must come back equal.
        tag: The kind of Label Studio region it is written as.
    """

    letter: str
    name: str
    dataset: Dataset
    read: Callable[[Dataset], object]
    tag: Tag = "brush"


_RING: Bits = _block(4, 4, 20, 20) & ~_block(9, 9, 8, 8) | _block(12, 12, 2, 2)
_POLYGON = (5.5, 4.25, 30.5, 8.0, 20.75, 30.5)
_DRAWN = _object(1, polygons_to_mask([list(_POLYGON)], SIZE), rings=(_POLYGON,))
_BOXED = _object(1, _block(5, 6, 12, 10), box=(5.0, 6.0, 12.0, 10.0), is_box=True)
_PARTS = _object(1, _block(2, 2, 5, 5) | _block(20, 20, 9, 9))
_PLAIN = _object(1, _block(5, 6, 12, 10))

ASPECTS = (
    Aspect("M", "masks, pixel for pixel, holes and islands too", _dataset(_object(1, _RING)), _pixels),
    Aspect(
        "P",
        "an object of several parts stays one",
        _dataset(_object(1, _block(2, 2, 5, 5) | _block(20, 20, 9, 9))),
        _pixels,
    ),
    Aspect("V", "objects that overlap", _dataset(_PLAIN, _object(2, _block(10, 10, 20, 20))), _pixels),
    Aspect("C", "names of classes", _dataset(_PLAIN, _object(2, _block(30, 30, 5, 5), 7)), _masks),
    Aspect("N", "file names", _dataset(_PLAIN), lambda dataset: _only(dataset).image.file_name),
    Aspect("I", "numbers of objects", _dataset(replace(_PLAIN, id=905)), _per_object(lambda item: item.id)),
    Aspect("D", "drawn polygons, point for point", _dataset(_DRAWN), _per_object(lambda item: item.rings), "polygon"),
    Aspect("B", "boxes stay boxes", _dataset(_BOXED), _per_object(lambda item: item.is_box and item.box), "rectangle"),
    Aspect("S", "scores", _dataset(replace(_PLAIN, score=0.5)), _per_object(lambda item: item.score)),
    Aspect("G", "crowds", _dataset(replace(_PLAIN, is_crowd=True)), _per_object(lambda item: item.is_crowd)),
    Aspect("T", "tracks", _dataset(replace(_PLAIN, track_id=3001)), _per_object(_is_tracked)),
    Aspect(
        "F",
        "other fields of objects",
        _dataset(replace(_PLAIN, extras={"occluded": True})),
        _per_object(_fields),
    ),
    Aspect("E", "images without objects", _dataset(), lambda dataset: len(_only(dataset).objects)),
)


def survives(aspect: Aspect, dataset: Dataset | None, name: str) -> bool:
    """Whether it comes back equal after having been written and read as one more format."""
    back = _through(name, dataset, aspect.tag)
    with suppress(ValueError, KeyError):  # no image came back, or more than one
        return back is not None and aspect.read(back) == aspect.read(aspect.dataset)
    return False


def _through(name: str, dataset: Dataset | None, tag: Tag) -> Dataset | None:
    """The dataset written and read as a format; None where it cannot be."""
    if dataset is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pictures = folder / "pictures"
        for annotated in dataset.images:
            picture = pictures / annotated.image.file_name
            picture.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (SIZE.width, SIZE.height)).save(picture)
        target = folder / f"out{FORMATS[name].suffix}"
        try:
            FORMATS[name].write(dataset, target, WriteOptions(images=pictures, tag=tag))
            read = FORMATS[name].read(target, ReadOptions(images=pictures, choice="predictions"))
            return replace(read, images=list(read.images))
        except ClickMaskError:
            return None


def measure() -> dict[tuple[str, str], str]:
    """The letters that survive for every pair of formats, each from a real run."""
    survived: dict[tuple[str, str], str] = {(source, target): "" for source in FORMATS for target in FORMATS}
    for aspect in ASPECTS:
        for source in FORMATS:
            once = _through(source, aspect.dataset, aspect.tag)
            for target in FORMATS:
                survived[source, target] += aspect.letter if survives(aspect, once, target) else ""
    return survived


def tables(survived: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """The lines of the page."""
    yield BEGIN
    yield ""
    yield "| letter | what |"
    yield "|---|---|"
    yield from (f"| {aspect.letter} | {aspect.name} |" for aspect in ASPECTS)
    yield ""
    yield f"| from \\ to | {' | '.join(FORMATS)} |"
    yield f"|---|{'---|' * len(FORMATS)}"
    for source in FORMATS:
        yield f"| **{source}** | {' | '.join(survived[source, target] or '-' for target in FORMATS)} |"
    yield ""
    yield END


def main() -> None:
    """Print the tables."""
    print("\n".join(tables(measure())))


if __name__ == "__main__":
    main()
