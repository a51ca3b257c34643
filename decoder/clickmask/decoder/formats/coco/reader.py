"""Read a COCO dataset of any length; what cannot be used is reported with its id, the rest is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.coco.records import read_category, read_image, read_object
from clickmask.decoder.formats.fields import Fields, as_fields, integer, plain_json
from clickmask.decoder.formats.json_reader import read_elements_after
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.records import Category, Dataset
from clickmask.decoder.formats.spool import Spool

_SINGULAR = {"images": "image", "annotations": "annotation", "categories": "category", "licenses": "license"}


def read_coco(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a COCO JSON file in one pass.

    Segmentations may be polygons, compressed or plain run lengths; an annotation without one
    gets its box as its mask. Reported and left out: records whose id was used before,
    annotations of an unknown image or category, malformed segmentations.

    Args:
        path: The JSON file.
        options: ``on_problem`` receives what was left out; by default the first one is raised.

    Returns:
        The dataset, spooled to disk: later changes of the file do not matter.

    Raises:
        DatasetError: If the file cannot be read or is not JSON of this form.
    """
    return _Reading(path, options or ReadOptions()).dataset()


class _Reading:
    """One pass over one file."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._spool = Spool()
        self._categories: dict[int, Category] = {}
        self._header: dict[str, Any] = {"info": {}, "licenses": []}
        self._keys: set[str] = set()
        self._take: dict[str, Callable[[Fields, str], None]] = {
            "images": self._take_image,
            "annotations": self._take_annotation,
            "categories": self._take_category,
            "licenses": lambda fields, where: self._header["licenses"].append(plain_json(fields, where)),
            "info": lambda fields, where: self._header.update(info=plain_json(fields, where)),
        }

    def dataset(self) -> Dataset:
        elements = read_elements_after(self._path, late="annotations", needed="images")
        for key, element in self._options.progress(elements, "records"):
            self._keys.add(key)
            if key in self._take:
                self._guard(self._take[key], element, key)
        self._check_keys()
        self._drop_unknown_categories()
        return Dataset(
            categories=tuple(self._categories.values()),
            images=self._spool,
            image_count=self._spool.image_count(),
            info=self._header["info"],
            licenses=tuple(self._header["licenses"]),
        )

    def _guard(self, take: Callable[[Fields, str], None], element: Any, key: str) -> None:
        """Let a record in, or report it by its file, kind and id."""
        where = f"{self._path}: {key}"
        try:
            fields = as_fields(element, where)
            take(fields, f"{self._path}: {_SINGULAR.get(key, key)} {fields['id']!r:.40}" if "id" in fields else where)
        except ClickMaskError as problem:
            self._options.on_problem(problem)

    def _take_image(self, fields: Fields, where: str) -> None:
        self._spool.add_image(read_image(fields, where), where)

    def _take_category(self, fields: Fields, where: str) -> None:
        category = read_category(fields, where)
        if self._categories.setdefault(category.id, category) is not category:
            raise DatasetError(f"{where}: the id is used twice, wanted unique ids")

    def _take_annotation(self, fields: Fields, where: str) -> None:
        image_id = integer(fields, "image_id", where)
        size = self._spool.image_size(image_id)
        if size is None:
            raise DatasetError(f"{where}: image_id is {image_id}, which no image has")
        self._spool.add_object(read_object(fields, size, where), image_id, where)

    def _check_keys(self) -> None:
        """Some other JSON is no dataset; a file of empty arrays yields no key and is one."""
        if self._keys and not self._keys & {"images", "annotations", "categories"}:
            got = ", ".join(sorted(self._keys)[:5]) or "an array"
            raise DatasetError(f"{self._path}: holds {got}, wanted images, annotations and categories")

    def _drop_unknown_categories(self) -> None:
        for object_id, category_id in self._spool.take_unknown_categories(self._categories):
            where = f"{self._path}: annotation {object_id}"
            self._options.on_problem(DatasetError(f"{where}: category_id is {category_id}, which no category has"))
