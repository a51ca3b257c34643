"""Read a COCO dataset of any length; what cannot be used is reported with its id, the rest is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import UNLABELED
from clickmask.decoder.formats.coco.identifiers import Identifiers
from clickmask.decoder.formats.coco.records import read_category, read_image, read_object
from clickmask.decoder.formats.fields import Fields, as_fields, is_plain, plain_json
from clickmask.decoder.formats.json_reader import TOP_LEVEL, Element, read_elements_after
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.pictures import size_in
from clickmask.decoder.formats.records import Category, Dataset
from clickmask.decoder.formats.spool import Spool

_SINGULAR = {"images": "image", "annotations": "annotation", "categories": "category", "licenses": "license"}
MAX_OTHER_ELEMENTS = 100_000  # of arrays that only the file's own tool knows: they are held in memory


def read_coco(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a COCO JSON file, or a list of COCO results, in one pass.

    A file of SA-1B (``image`` and its annotations, no categories) is read too.
    Segmentations may be polygons, compressed or plain run lengths; an annotation without one is its
    box. Ids may be texts; annotations without an id, or with one that was used before, are numbered
    anew. Fields that are not COCO's travel along. Reported and left out: images and categories whose
    id was used before, annotations of an unknown image or category, malformed segmentations.

    Args:
        path: The JSON file.
        options: ``on_problem`` receives what was left out; by default the first one is raised.
            ``images`` gives sizes that the file does not state, ``companion`` the images and
            categories of a list of results.

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
        self._ids = Identifiers()
        self._categories: dict[int, Category] = {}
        self._header: dict[str, Any] = {"info": {}, "licenses": []}
        self._extras: dict[str, Any] = {}
        self._keys: set[str] = set()
        self._usual: dict[str, Any] = {}  # what annotations of SA-1B leave out
        self._take: dict[str, Callable[[Fields, str], None]] = {
            "images": self._take_image,
            "image": self._take_only_image,
            "annotations": self._take_annotation,
            "categories": self._take_category,
            "licenses": lambda fields, where: self._header["licenses"].append(plain_json(fields, where)),
            "info": lambda fields, where: self._header.update(info=plain_json(fields, where)),
        }

    def dataset(self) -> Dataset:
        for element in self._options.progress(self._elements(), "records"):
            self._keys.add(element.key)
            if element.key in self._take:
                self._guard(self._take[element.key], element.value, element.key)
            else:
                self._keep(element)
        self._check_keys()
        self._drop_unknown_categories()
        return Dataset(
            categories=tuple(self._categories.values()),
            images=self._spool,
            image_count=self._spool.image_count(),
            info=self._header["info"],
            licenses=tuple(self._header["licenses"]),
            extras=self._extras,
        )

    def _elements(self) -> Iterator[Element]:
        """The file's; a list of results comes after the images and categories of its companion."""
        for number, element in enumerate(read_elements_after(self._path, late="annotations", needed="images")):
            if element.key != TOP_LEVEL:
                yield element
                continue
            if number == 0:
                yield from self._companion()
            yield Element("annotations", element.value, in_array=True)

    def _companion(self) -> Iterator[Element]:
        if self._options.companion is None:
            raise DatasetError(
                f"{self._path}: is a list, as COCO results are, wanted the file of their images and categories too "
                "(--annotations FILE)"
            )
        for element in read_elements_after(self._options.companion, late="annotations", needed="images"):
            if element.key != "annotations":
                yield element

    def _guard(self, take: Callable[[Fields, str], None], element: Any, key: str) -> None:
        """Let a record in, or report it by its file, kind and id."""
        where = f"{self._path}: {key}"
        try:
            fields = as_fields(element, where)
            take(fields, f"{self._path}: {_SINGULAR.get(key, key)} {fields['id']!r:.40}" if "id" in fields else where)
        except ClickMaskError as problem:
            self._options.on_problem(problem)

    def _keep(self, element: Element) -> None:
        """Let a field of the file travel along."""
        if not is_plain(element.value):
            self._options.on_loss("fields that hold NaN or infinity", f"{self._path}: {element.key}")
        elif not element.in_array:
            self._extras[element.key] = element.value
        elif len(self._extras.setdefault(element.key, [])) < MAX_OTHER_ELEMENTS:
            self._extras[element.key].append(element.value)
        else:
            self._options.on_loss(f"elements of {element.key}", str(self._path))

    def _take_image(self, fields: Fields, where: str) -> None:
        fields = {**fields, "id": self._ids.number("image", fields, "id", where)}
        if not fields.get("height") and not fields.get("width") and isinstance(fields.get("file_name"), str):
            size = size_in(self._options.images, fields["file_name"], where)
            fields |= {"height": size.height, "width": size.width}
        self._spool.add_image(read_image(fields, where, self._options.on_loss), where)

    def _take_only_image(self, fields: Fields, where: str) -> None:
        """The one image of a file of SA-1B, whose annotations name neither it nor a category."""
        self._usual = {"image_id": fields.get("image_id"), "category_id": 1}
        self._categories.setdefault(1, Category(1, UNLABELED))
        self._take_image({**fields, "id": fields.get("image_id")}, where)

    def _take_category(self, fields: Fields, where: str) -> None:
        fields = {**fields, "id": self._ids.number("category", fields, "id", where)}
        category = read_category(fields, where, self._options.on_loss)
        if self._categories.setdefault(category.id, category) is not category:
            raise DatasetError(f"{where}: the id is used twice, wanted unique ids")

    def _take_annotation(self, fields: Fields, where: str) -> None:
        fields = {**self._usual, **fields}
        image_id = self._ids.known("image", fields, "image_id", where)
        size = self._spool.image_size(image_id)
        if size is None:
            raise DatasetError(f"{where}: image_id is {fields.get('image_id')!r:.40}, which no image has")
        numbers = {
            "id": self._ids.number("annotation", fields, "id", where) if fields.get("id") is not None else 0,
            "category_id": self._ids.number("category", fields, "category_id", where),
        }
        item = read_object({**fields, **numbers}, size, where, self._options.on_loss)
        if fields.get("id") is None:
            item = replace(item, id=self._spool.free_object_id())
        elif self._spool.has_object(item.id):
            self._options.on_note("annotation ids that came more than once, numbered anew", where)
            item = replace(item, id=self._spool.free_object_id())
        self._spool.add_object(item, image_id, where)

    def _check_keys(self) -> None:
        """Some other JSON is no dataset; a file of empty arrays yields no key and is one."""
        if self._keys and not self._keys & {"images", "annotations", "categories"}:
            got = ", ".join(sorted(self._keys)[:5]) or "an array"
            raise DatasetError(f"{self._path}: holds {got}, wanted images, annotations and categories")

    def _drop_unknown_categories(self) -> None:
        for object_id, category_id in self._spool.take_unknown_categories(self._categories):
            where = f"{self._path}: annotation {object_id}"
            self._options.on_problem(DatasetError(f"{where}: category_id is {category_id}, which no category has"))
