"""Collect a dataset from a format that has no numbers: ids are given in the order things come."""

from __future__ import annotations

from collections.abc import Iterable

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.records import Category, Dataset, Extras, ImageRecord, ObjectRecord, Ring
from clickmask.decoder.formats.spool import Spool
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.rle import Rle

UNLABELED = "object"  # the category of objects that carry no label


class DatasetBuilder:
    """Images, objects and categories in; a ``Dataset`` out. Ids count from 1.

    Args:
        categories: Those known beforehand; others are added as their names come up.
    """

    def __init__(self, categories: Iterable[Category] = ()) -> None:
        self._categories = list(categories)
        self._ids = {category.name: category.id for category in reversed(self._categories)}
        self._next_category = max((category.id for category in self._categories), default=0) + 1
        self._spool = Spool()
        self._image_count = 0
        self._object_count = 0

    def category_id(self, name: str) -> int:
        """Return the id of a category, new or known."""
        if name not in self._ids:
            self._ids[name] = self._next_category
            self._categories.append(Category(self._next_category, name))
            self._next_category += 1
        return self._ids[name]

    def add_image(
        self,
        file_name: str,
        size: Size,
        *,
        video: str | None = None,
        frame: int | None = None,
        extras: Extras | None = None,
    ) -> int:
        """Keep an image and return its id."""
        self._image_count += 1
        self._spool.add_image(ImageRecord(self._image_count, file_name, size, video, frame, extras or {}), file_name)
        return self._image_count

    def add_object(
        self,
        image_id: int,
        category_id: int,
        rle: Rle,
        *,
        score: float | None = None,
        is_crowd: bool = False,
        track_id: int | None = None,
        rings: tuple[Ring, ...] = (),
        box: tuple[float, float, float, float] | None = None,
        is_box: bool = False,
        extras: Extras | None = None,
    ) -> None:
        """Keep an object of an image that was added; the arguments are those of ``ObjectRecord``.

        Raises:
            DatasetError: If the mask is not as large as the image.
        """
        size = self._spool.image_size(image_id)
        if size is None or rle["size"] != [size.height, size.width]:
            raise DatasetError(f"a mask of {rle['size'][1]}x{rle['size'][0]} on an image of {size}, wanted one size")
        self._object_count += 1
        known = (self._object_count, category_id, rle, score, is_crowd, track_id)
        item = ObjectRecord(*known, rings=rings, box=box, is_box=is_box, extras=extras or {})
        self._spool.add_object(item, image_id, f"image {image_id}")

    def dataset(self) -> Dataset:
        """Return everything collected."""
        return Dataset(tuple(self._categories), self._spool, self._spool.image_count())
