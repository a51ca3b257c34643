"""Pascal VOC boxes: ``Annotations/a.xml`` per picture, as labelImg, Roboflow, CVAT and Label Studio write it.

A box goes from (xmin, ymin) to (xmax, ymax) in pixels from the picture's corner, as those tools have
it; the challenge's own files count from 1, half a pixel off either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.coco.segmentation import box_to_rle
from clickmask.decoder.formats.fields import Fields
from clickmask.decoder.formats.options import ReadOptions, Tell, WriteOptions, write_each
from clickmask.decoder.formats.output import claim, inside, make_folder, write_whole
from clickmask.decoder.formats.pictures import copy_picture, size_in
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.formats.xml_reader import as_number, checked_text, read_children
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import check_size
from clickmask.decoder.shapes.rle import rle_to_crop

FOLDER = "Annotations"
_USUAL = {"pose": "Unspecified", "truncated": "0", "difficult": "0", "occluded": "0"}  # which say nothing


def read_voc_boxes(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read Pascal VOC boxes.

    Args:
        path: The dataset's folder with ``Annotations`` in it, a folder with the XML files, or one of them.
        options: ``images`` gives sizes that a file does not state. ``on_problem`` receives files and
            objects that were left out, ``on_loss`` parts of objects and what else has no place.

    Raises:
        DatasetError: If there is no such file or folder.
    """
    options = options or ReadOptions()
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder, wanted Pascal VOC's XML")
    root = path / FOLDER if (path / FOLDER).is_dir() else path if path.is_dir() else path.parent
    files = [path] if path.is_file() else sorted(root.rglob("*.xml"))
    builder = DatasetBuilder()
    for file in options.progress(files, "files"):
        try:
            _read_file(file, root, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def write_voc_boxes(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write Pascal VOC boxes: of every object its box, stated or around its pixels.

    Lost: masks, ids, scores, ``is_crowd``, tracks, fields of images.

    Args:
        dataset: Its images are passed over once.
        path: The folder for ``Annotations``, and ``JPEGImages`` where the options say where the pictures are.
        options: The picture folder; ``on_problem`` receives images and objects that cannot be written.

    Raises:
        DatasetError: If the folder cannot be made.
    """
    options = options or WriteOptions()
    make_folder(path / FOLDER)
    taken: dict[Path, str] = {}
    for annotated in dataset.images:
        name = annotated.image.file_name
        try:
            target = inside(path / FOLDER, name, ".xml")
            claim(target, name, taken)
            _write_file(annotated, target, dataset.category_names, options)
            if options.images is not None:
                copy_picture(options.images, name, inside(path / "JPEGImages", name))
        except ClickMaskError as problem:
            options.on_problem(problem)


def _read_file(file: Path, root: Path, builder: DatasetBuilder, options: ReadOptions) -> None:
    elements = list(read_children(file, "annotation"))
    texts = {element.tag: (element.text or "").strip() for element in elements if not len(element)}
    name = _file_name(texts.get("filename", ""), file, root)
    size_element = next((element for element in elements if element.tag == "size"), None)
    size = _stated_size(size_element, str(file)) or size_in(options.images, name, str(file))
    image_id = builder.add_image(name, size)
    for number, element in enumerate(one for one in elements if one.tag == "object"):
        try:
            _read_object(element, image_id, size, f"{file}: object {number}", builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _file_name(stated: str, file: Path, root: Path) -> str:
    """Below the root where the file lies; a name without suffix, as some tools write it, is a .jpg."""
    own = PurePosixPath(stated.replace("\\", "/")).name or f"{file.stem}.jpg"
    own = own if PurePosixPath(own).suffix else f"{own}.jpg"
    return (file.parent.relative_to(root) / own).as_posix()


def _stated_size(size: Element | None, where: str) -> Size | None:
    """The size, unless it is missing or zero, as some tools write it."""
    if size is None or {size.findtext("width") or "0", size.findtext("height") or "0"} & {"0"}:
        return None
    height, width = (as_number(size.findtext(name), name, where) for name in ("height", "width"))
    return check_size(Size(int(height), int(width)))


def _read_object(
    element: Element, image_id: int, size: Size, where: str, builder: DatasetBuilder, options: ReadOptions
) -> None:
    name = (element.findtext("name") or "").strip()
    corners = element.find("bndbox")
    if not name or corners is None:
        raise DatasetError(f"{where}: has no {'bndbox' if name else 'name'}, wanted both")
    x0, y0, x1, y1 = (as_number(corners.findtext(side), side, where) for side in ("xmin", "ymin", "xmax", "ymax"))
    box = (x0, y0, x1 - x0, y1 - y0)
    rle = box_to_rle(list(box), size)
    extras = _read_fields(element, where, options.on_loss)
    builder.add_object(image_id, builder.category_id(name), rle, box=box, is_box=True, extras=extras)


def _read_fields(element: Element, where: str, tell: Tell) -> dict[str, Any]:
    """Single values beside the name and the box; a ``truncated`` and the like of 1 as true."""
    fields: dict[str, Any] = {}
    for child in element:
        value = (child.text or "").strip()
        if child.tag in ("name", "bndbox") or value == _USUAL.get(child.tag):
            continue
        if len(child):
            tell(f"fields of objects ({child.tag})", where)
        elif value:
            fields[child.tag] = True if child.tag in _USUAL and value == "1" else value
    return fields


def _write_file(annotated: AnnotatedImage, target: Path, names: Mapping[int, str], options: WriteOptions) -> None:
    image = annotated.image
    root = Element("annotation")
    folder, _, name = checked_text(image.file_name, "the file name").rpartition("/")
    for tag, text in (("folder", folder), ("filename", name)):
        SubElement(root, tag).text = text
    size = SubElement(root, "size")
    for tag, number in (("width", image.size.width), ("height", image.size.height), ("depth", 3)):
        SubElement(size, tag).text = str(number)
    SubElement(root, "segmented").text = "0"
    where = f"image {image.file_name}"
    for element in write_each(
        lambda item: _object(item, names[item.category_id], f"{where}: object {item.id}", options),
        annotated,
        options.on_problem,
    ):
        root.append(element)
    indent(root)
    with write_whole(target) as file:
        file.write(tostring(root, encoding="unicode") + "\n")


def _object(item: ObjectRecord, name: str, where: str, options: WriteOptions) -> Element:
    element = Element("object")
    SubElement(element, "name").text = checked_text(name, "the category")
    x, y, width, height = _box(item)
    for tag, text in {**_USUAL, **_plain_texts(item.extras, where, options.on_loss)}.items():
        SubElement(element, tag).text = checked_text(text, f"the field {tag} with")
    box = SubElement(element, "bndbox")
    for tag, value in (("xmin", x), ("ymin", y), ("xmax", x + width), ("ymax", y + height)):
        SubElement(box, tag).text = str(int(value) if value == int(value) else value)
    return element


def _box(item: ObjectRecord) -> tuple[float, float, float, float]:
    if item.is_box and item.box is not None:
        return item.box
    pixels, left, top = rle_to_crop(item.rle)
    if not pixels.any():
        raise DatasetError("has no pixel, wanted at least one")
    return left, top, pixels.shape[1], pixels.shape[0]


def _plain_texts(extras: Fields, where: str, tell: Tell) -> dict[str, str]:
    """The fields that an element can hold."""
    texts: dict[str, str] = {}
    for name, value in extras.items():
        if isinstance(value, str | int | float) and name.isidentifier() and name not in ("name", "bndbox"):
            texts[name] = str(int(value)) if isinstance(value, bool) else str(value)
        else:
            tell(f"fields of objects that are no single value ({name})", where)
    return texts
