"""Read COCO panoptic: a JSON file, and beside it a folder with a PNG per image whose colours are its segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clickmask.decoder.errors import ClickMaskError, DatasetError, ShapeError
from clickmask.decoder.formats.coco.records import read_category, read_image
from clickmask.decoder.formats.coco_panoptic.segments import MAX_SEGMENT, VOID, read_segments
from clickmask.decoder.formats.fields import (
    Fields,
    array,
    as_fields,
    flag,
    integer,
    is_plain,
    optional_integer,
    optional_score,
    other_fields,
    text,
)
from clickmask.decoder.formats.json_reader import read_elements_after
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.output import inside
from clickmask.decoder.formats.records import Category, Dataset, ObjectRecord
from clickmask.decoder.formats.spool import Spool
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle

_SEGMENT_FIELDS = frozenset({"id", "category_id", "area", "bbox", "iscrowd", "score", "track_id"})
_SINGULAR = {"images": "image", "annotations": "annotation", "categories": "category"}


def read_coco_panoptic(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a COCO panoptic JSON file and its PNGs; every segment is an object.

    Args:
        path: The JSON file. The PNGs lie in the folder of its name (``panoptic_val.json``,
            ``panoptic_val/``), beside it, or in the one folder beside it that has the first of them.
        options: ``companion`` names the folder of the PNGs where it is another. ``on_problem`` receives
            images, pictures and segments that were left out, ``on_loss`` colours that no segment has.

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
        self._info: Fields = {}
        self._licenses: list[Fields] = []
        self._keys: set[str] = set()
        self._folder: Path | None = None
        self._take: dict[str, Callable[[Fields, str], None]] = {
            "images": self._take_image,
            "annotations": self._take_annotation,
            "categories": self._take_category,
        }

    def dataset(self) -> Dataset:
        elements = read_elements_after(self._path, late="annotations", needed="images")
        for element in self._options.progress(elements, "records"):
            self._keys.add(element.key)
            if element.key in self._take:
                self._guard(self._take[element.key], element.value, element.key)
            elif element.key == "info" and isinstance(element.value, dict) and is_plain(element.value):
                self._info = element.value
            elif element.key == "licenses" and isinstance(element.value, dict) and is_plain(element.value):
                self._licenses.append(element.value)
            else:
                self._options.on_loss(f"fields of the file ({element.key})", str(self._path))
        if self._keys and not self._keys & self._take.keys():
            raise DatasetError(f"{self._path}: holds no images, annotations and categories")
        for object_id, category_id in self._spool.take_unknown_categories(self._categories):
            where = f"{self._path}: object {object_id}"
            self._options.on_problem(DatasetError(f"{where}: category_id is {category_id}, which no category has"))
        categories = tuple(self._categories.values())
        return Dataset(categories, self._spool, self._spool.image_count(), self._info, tuple(self._licenses))

    def _guard(self, take: Callable[[Fields, str], None], element: Any, key: str) -> None:
        try:
            fields = as_fields(element, f"{self._path}: {key}")
            number = fields.get("image_id" if key == "annotations" else "id")
            take(fields, f"{self._path}: {_SINGULAR[key]} {number!r:.40}")
        except ClickMaskError as problem:
            self._options.on_problem(problem)

    def _take_image(self, fields: Fields, where: str) -> None:
        self._spool.add_image(read_image(fields, where, self._options.on_loss), where)

    def _take_category(self, fields: Fields, where: str) -> None:
        category = read_category(fields, where, self._options.on_loss)
        if self._categories.setdefault(category.id, category) is not category:
            raise DatasetError(f"{where}: the id is used twice, wanted unique ids")

    def _take_annotation(self, fields: Fields, where: str) -> None:
        image_id = integer(fields, "image_id", where)
        size = self._spool.image_size(image_id)
        if size is None:
            raise DatasetError(f"{where}: image_id is {image_id}, which no image has")
        segments_info = array(fields, "segments_info", where)
        file = self._picture(text(fields, "file_name", where))
        segments = read_segments(file)
        if segments.shape != (size.height, size.width):
            raise DatasetError(f"{file}: is {Size(*segments.shape)}, the image is {size}")
        known = set()
        for number, info in enumerate(segments_info):
            at = f"{where}: segment {number}"
            try:
                item = self._segment(as_fields(info, at), segments, at)
                known.add(int(info["id"]))
                self._spool.add_object(item, image_id, at)
            except ClickMaskError as problem:
                self._options.on_problem(problem)
        for number in np.setdiff1d(segments, [*known, VOID]).tolist():
            self._options.on_loss("colours of pictures that no segment has", f"{file}: {number}")

    def _segment(self, info: Fields, segments: Any, where: str) -> ObjectRecord:
        number = integer(info, "id", where, least=1, most=MAX_SEGMENT)
        mask = segments == number
        if not mask.any():
            raise ShapeError(f"{where}: no pixel has its colour, the number {number}")
        return ObjectRecord(
            id=self._spool.free_object_id() if self._spool.has_object(number) else number,
            category_id=integer(info, "category_id", where),
            rle=mask_to_rle(mask),
            score=optional_score(info, where),
            is_crowd=flag(info, "iscrowd", where),
            track_id=optional_integer(info, "track_id", where),
            extras=other_fields(info, _SEGMENT_FIELDS, where, self._options.on_loss),
        )

    def _picture(self, file_name: str) -> Path:
        if self._folder is None or not inside(self._folder, file_name).is_file():
            self._folder = next((one for one in self._folders() if inside(one, file_name).is_file()), self._folder)
        if self._folder is None:
            raise DatasetError(
                f"{self._path}: its picture {file_name} is not in {self._path.with_suffix('')}, nor beside it; "
                "wanted the folder of the PNGs (--annotations FOLDER)"
            )
        return inside(self._folder, file_name)

    def _folders(self) -> Iterator[Path]:
        if self._options.companion is not None:
            yield self._options.companion
        yield self._path.with_suffix("")
        yield self._path.parent
        yield from sorted(one for one in self._path.parent.iterdir() if one.is_dir())
