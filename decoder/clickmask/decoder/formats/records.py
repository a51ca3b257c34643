"""What every annotation format has in common: categories, images, and objects as run lengths.

Masks travel as compressed COCO run lengths, about a kilobyte each, and images one at a time,
so a dataset of any size passes through without being held in memory. What a person drew (polygons,
boxes) travels beside the mask, and so do fields that only the file's own tool knows (``extras``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.rle import Rle

Extras = Mapping[str, Any]  # JSON fields of a file that have no place of their own here
Ring = tuple[float, ...]  # flat x0, y0, x1, y1, ... [px]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of object; ``id`` is what annotations refer to."""

    id: int
    name: str
    supercategory: str = ""
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One picture, or one frame of a video.

    Args:
        id: Unique in its dataset.
        file_name: Path of the picture relative to the dataset's image folder, with "/".
        size: Height and width [px].
        video: Name of the video the frame belongs to, or None for a still picture.
        frame: Index of the frame in its video, from 0; None for a still picture.
        extras: Fields only the file's own tool knows, such as ``coco_url``.
    """

    id: int
    file_name: str
    size: Size
    video: str | None = None
    frame: int | None = None
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One object on one image.

    Args:
        id: Unique in its dataset.
        category_id: Refers to a ``Category`` of the dataset.
        rle: The mask as compressed COCO run lengths, as large as the image.
        score: Confidence in [0, 1], or None where a person drew it.
        is_crowd: Whether the mask covers a group that was not separated (COCO ``iscrowd``).
        track_id: The object's number through its video, or None on a still picture.
        rings: The polygons as they were drawn, which fill to exactly ``rle`` (even-odd within a ring,
            rings united); none where pixels were drawn.
        box: The box as the file states it, (x, y, width, height) [px], or None.
        area: The area as the file states it [px^2], or None.
        is_box: Whether nothing but ``box`` was drawn; ``rle`` is then the box, filled.
        extras: Fields only the file's own tool knows, such as ``keypoints``.
    """

    id: int
    category_id: int
    rle: Rle
    score: float | None = None
    is_crowd: bool = False
    track_id: int | None = None
    rings: tuple[Ring, ...] = ()
    box: tuple[float, float, float, float] | None = None
    area: float | None = None
    is_box: bool = False
    extras: Extras = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """An image with all its objects, lowest first where they overlap."""

    image: ImageRecord
    objects: tuple[ObjectRecord, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Categories, and a stream of images with their objects.

    Args:
        categories: Every category, also unused ones, in the file's order.
        images: Yields each image once; iterate again to read again.
        image_count: How many images will be yielded.
        info: The ``info`` of COCO: year, version, description, contributor, url.
        licenses: The ``licenses`` of COCO.
        extras: Other top-level fields of the file.
    """

    categories: tuple[Category, ...]
    images: Iterable[AnnotatedImage]
    image_count: int
    info: Mapping[str, Any] = field(default_factory=dict)
    licenses: tuple[Mapping[str, Any], ...] = ()
    extras: Extras = field(default_factory=dict)

    @property
    def category_names(self) -> dict[int, str]:
        """Category names by id."""
        return {category.id: category.name for category in self.categories}
