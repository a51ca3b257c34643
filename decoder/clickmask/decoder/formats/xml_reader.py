"""XML files, an element at a time; anything that could reach beyond the file is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.fields import wrong

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in XML 1.0, also as references


def read_children(path: Path, root: str) -> Iterator[Element]:
    """Yield the children of an XML file's root, each whole, one in memory at a time.

    Args:
        path: The file.
        root: What the root is to be called.

    Raises:
        DatasetError: If the file cannot be read, is not XML, has a document type, or another root.
    """
    try:
        with path.open("rb") as file:
            depth = 0
            top: Element | None = None
            for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
                depth += 1 if event == "start" else -1
                if top is None:
                    top = element
                    if top.tag != root:
                        raise DatasetError(f"{path}: is XML of <{top.tag}>, wanted <{root}>")
                if event == "end" and depth == 1:
                    yield element
                    top.clear()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise DatasetError(f"{path}: is not XML that can be read: {error}") from None


def number_of(attributes: Mapping[str, str], name: str, where: str) -> float:
    """Return an attribute as a finite number.

    Raises:
        DatasetError: If it is missing or none.
    """
    return as_number(attributes.get(name), name, where)


def whole_of(attributes: Mapping[str, str], name: str, where: str) -> int:
    """Return an attribute as a whole number; "3.0" counts as 3.

    Raises:
        DatasetError: If it is missing or none.
    """
    value = number_of(attributes, name, where)
    if not value.is_integer():
        raise wrong(where, name, attributes.get(name), "a whole number")
    return int(value)


def as_number(text: str | None, name: str, where: str) -> float:
    """Return a text as a finite number.

    Raises:
        DatasetError: If it is none.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not abs(value) <= 1e18:
        raise wrong(where, name, text, "a number")
    return value


def checked_text(text: str, what: str) -> str:
    """Return a text that XML can hold.

    Raises:
        DatasetError: If it holds control characters or halves of surrogate pairs.
    """
    if _FORBIDDEN.search(text):
        raise DatasetError(f"{what} {text!r:.80} holds characters that XML cannot, wanted others")
    return text
