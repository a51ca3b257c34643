"""Write CVAT XML 1.1 for images, as CVAT's "Upload annotations" takes it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.cvat.elements import TAIL, as_text, head, shape_elements
from clickmask.decoder.formats.cvat.fields import labels_element, used_types
from clickmask.decoder.formats.options import WriteOptions, write_each
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.formats.xml_reader import checked_text


def write_cvat(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write CVAT XML 1.1 for images; pixels, drawn polygons and boxes stay exact.

    Lost: ids, scores, ``is_crowd``, tracks, fields of images.

    Args:
        dataset: Its images are passed over twice.
        path: The XML file; it appears when it is whole.
        options: Simplification: masks stay masks unless it is asked for. ``on_problem`` receives
            images and objects that cannot be written.

    Raises:
        DatasetError: If the file cannot be written, or a category's name holds characters that XML cannot.
    """
    options = options or WriteOptions()
    labels = labels_element(dataset.categories, used_types(dataset))
    task = {"name": path.stem, "size": str(dataset.image_count), "mode": "annotation"}
    with write_whole(path) as file:
        file.write(head(task, labels))
        for number, annotated in enumerate(dataset.images):
            try:
                file.write(as_text(_image(annotated, number, dataset.category_names, options)))
            except ClickMaskError as problem:
                options.on_problem(problem)
        file.write(TAIL)


def _image(annotated: AnnotatedImage, number: int, names: Mapping[int, str], options: WriteOptions) -> Element:
    image = annotated.image
    name = checked_text(image.file_name, "the file name")
    width, height = str(image.size.width), str(image.size.height)
    element = Element("image", id=str(number), name=name, width=width, height=height)
    write = partial(_labeled, names=names, where=f"image {image.file_name}", options=options)
    for shapes in write_each(write, annotated, options.on_problem):
        element.extend(shapes)
    return element


def _labeled(item: ObjectRecord, names: Mapping[int, str], where: str, options: WriteOptions) -> list[Element]:
    shapes = shape_elements(item, f"{where}: object {item.id}", options)
    for shape in shapes:
        shape.set("label", names[item.category_id])
        shape.set("z_order", "0")  # of one layer, the later lies on top
    return shapes
