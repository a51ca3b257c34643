"""CVAT's XML in parts: the head of a file with its labels, and objects as elements."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from clickmask.decoder.formats.cvat.fields import plain_fields, write_fields
from clickmask.decoder.formats.cvat.shapes import shape_attributes
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import ObjectRecord
from clickmask.decoder.formats.xml_reader import checked_text
from clickmask.decoder.prompts import Size

TAIL = "</annotations>\n"


def head(task: Mapping[str, str], labels: Element, size: Size | None = None) -> str:
    """Return the beginning of a file up to its first image or track.

    Args:
        task: What it says of the task, by element.
        labels: Of the task.
        size: Of a video's frames.

    Raises:
        DatasetError: If a value holds characters that XML cannot.
    """
    meta = Element("meta")
    element = SubElement(meta, "task")
    for name, value in task.items():
        SubElement(element, name).text = checked_text(value, f"the task's {name}")
    element.append(labels)
    if size is not None:
        original = SubElement(element, "original_size")
        SubElement(original, "width").text = str(size.width)
        SubElement(original, "height").text = str(size.height)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n{as_text(meta)}'


def shape_elements(item: ObjectRecord, where: str, options: WriteOptions) -> list[Element]:
    """Return an object with its fields as elements, still without label, layer or frame.

    Raises:
        DatasetError: If a field holds characters that XML cannot.
        ShapeError: If the object has no pixel, or the limits of the options cannot hold.
    """
    shapes = shape_attributes(item, options)
    if len(shapes) > 1:
        options.on_loss("parts of objects, which become objects", where)
    if shapes[0][0] == "mask" and item.rings:
        options.on_loss("drawn polygons of one object, which become one mask", where)
    fields = plain_fields(item.extras, where, options.on_loss) if item.extras else {}
    elements = [Element(kind, attributes) for kind, attributes in shapes]
    for element in elements:
        write_fields(element, fields)
    return elements


def as_text(element: Element) -> str:
    """Return an element as a line."""
    return tostring(element, encoding="unicode") + "\n"
