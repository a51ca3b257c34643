"""CVAT's labels and attributes: what a task declares of them, and an object's own as fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from clickmask.decoder.formats.fields import Fields
from clickmask.decoder.formats.options import Tell
from clickmask.decoder.formats.records import Category, Dataset
from clickmask.decoder.formats.xml_reader import checked_text

InputTypes = Mapping[str, str]  # by the attribute's name: "checkbox", "number" or another
_OWN = frozenset({"occluded", "group_id", "source"})  # attributes of the XML itself
_USUAL_SOURCES = frozenset({"manual", "file"})


def declared_labels(meta: Element) -> dict[str, dict[str, str]]:
    """Return the input types of every label's attributes, by the label's name."""
    labels: dict[str, dict[str, str]] = {}
    for label in meta.iter("label"):
        attributes = [(one.findtext("name"), one.findtext("input_type")) for one in label.iter("attribute")]
        labels.setdefault(label.findtext("name") or "", {}).update(
            {name: kind or "text" for name, kind in attributes if name}
        )
    labels.pop("", None)
    return labels


def read_fields(element: Element, types: InputTypes) -> dict[str, Any]:
    """Return what an object says besides its shape; what says nothing new is left out.

    Args:
        element: The shape.
        types: Of its label's attributes; texts of others stay texts.
    """
    fields: dict[str, Any] = {}
    for attribute in element.iter("attribute"):
        name = attribute.get("name")
        if name:
            fields[name] = _typed(attribute.text or "", types.get(name, "text"))
    if element.get("occluded") == "1":
        fields["occluded"] = True
    if element.get("group_id", "0") != "0":
        fields["group_id"] = _typed(element.get("group_id", ""), "number")
    if element.get("source", "manual") not in _USUAL_SOURCES:
        fields["source"] = element.get("source")
    return fields


def plain_fields(extras: Fields, where: str, tell: Tell) -> dict[str, Any]:
    """Return the fields that CVAT can hold: single values, also those below ``attributes``; tell the others."""
    inner = extras.get("attributes")
    fields = {**(inner if isinstance(inner, Mapping) else {}), **extras}
    if isinstance(inner, Mapping):
        del fields["attributes"]
    for name, value in list(fields.items()):
        if not isinstance(value, str | int | float) or not name:
            tell(f"fields of objects that are no single value ({name})", where)
            del fields[name]
    return fields


def write_fields(element: Element, fields: Fields) -> None:
    """Put fields into a shape's element.

    Raises:
        DatasetError: If a name or a value holds characters that XML cannot.
    """
    element.set("occluded", "1" if _is_flag(fields.get("occluded")) and fields["occluded"] else "0")
    element.set("source", checked_text(str(fields.get("source", "manual")), "the source"))
    if "group_id" in fields:
        element.set("group_id", checked_text(str(fields["group_id"]), "the group"))
    for name, value in fields.items():
        if name not in _OWN or (name == "occluded" and not _is_flag(value)):
            attribute = SubElement(element, "attribute", name=checked_text(name, "the field"))
            attribute.text = checked_text(_as_text(value), f"the field {name} with")


def used_types(dataset: Dataset) -> dict[int, dict[str, str]]:
    """Return the input types of the fields that objects have, by category; passes over the images once."""
    types: dict[int, dict[str, str]] = {category.id: {} for category in dataset.categories}
    for annotated in dataset.images:
        for item in annotated.objects:
            if item.extras:
                known = types[item.category_id]
                for name, value in plain_fields(item.extras, "", _say_nothing).items():
                    if name not in _OWN:
                        kind = _input_type(value)
                        known[name] = kind if known.get(name, kind) == kind else "text"
    return types


def labels_element(categories: Iterable[Category], types: Mapping[int, InputTypes]) -> Element:
    """Return the ``labels`` of a task.

    Raises:
        DatasetError: If a name holds characters that XML cannot.
    """
    labels = Element("labels")
    for category in categories:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = checked_text(category.name, "the category")
        attributes = SubElement(label, "attributes")
        for name, kind in types[category.id].items():
            attribute = SubElement(attributes, "attribute")
            SubElement(attribute, "name").text = checked_text(name, "the field")
            SubElement(attribute, "mutable").text = "False"
            SubElement(attribute, "input_type").text = kind
            SubElement(attribute, "default_value")
            SubElement(attribute, "values")
    return labels


def _typed(text: str, kind: str) -> Any:
    if kind == "checkbox" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "number":
        try:
            return float(text) if any(mark in text for mark in ".eEnN") else int(text)
        except ValueError:
            return text
    return text


def _input_type(value: object) -> str:
    if isinstance(value, bool):
        return "checkbox"
    return "text" if isinstance(value, str) else "number"


def _is_flag(value: object) -> bool:
    """Whether a value is one that CVAT's own attribute can hold."""
    return value in (0, 1)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _say_nothing(_what: str, _where: str) -> None:
    """What is lost is told when it is written."""
