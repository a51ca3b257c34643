"""Which picture a region of a task lies on.

A task's ``data`` may name several pictures, and lists of them (pages). A region names its tag
(``to_name``) and its page (``item_index``); the labeling configuration says which field a tag shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.fields import Fields, wrong
from clickmask.decoder.formats.input import read_text
from clickmask.decoder.images import PICTURE_SUFFIXES

_VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm"})


@dataclass(frozen=True, slots=True)
class Sources:
    """The pictures of one task.

    Args:
        names: File names of the pages by field of the data; one page for a plain picture.
        tags: Field that a tag shows, by the tag's name, as the configuration says.
        where: Names the task in errors.
    """

    names: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str]
    where: str

    def all(self) -> list[str]:
        """The file names of all pages."""
        return list(dict.fromkeys(name for pages in self.names.values() for name in pages))

    def of(self, item: Fields) -> str:
        """Return the file name of the picture a region lies on.

        Raises:
            DatasetError: If the task has several and the region names none of them.
        """
        pages = self.names[self._field(item.get("to_name"))]
        index = item.get("item_index")
        if index is None and len(pages) == 1:
            return pages[0]
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(pages):
            raise wrong(self.where, "item_index", index, f"one of the {len(pages)} pages")
        return pages[index]

    def _field(self, tag: object) -> str:
        named = self.tags.get(tag, tag) if isinstance(tag, str) else None
        if named in self.names:
            return str(named)
        if len(self.names) == 1:
            return next(iter(self.names))
        got = f"{self.where}: has the pictures {', '.join(self.names)}, and a region is on {tag!r:.40}"
        raise DatasetError(f"{got}, wanted the labeling configuration that says which that is (--config FILE)")


def find_sources(data: Fields, tags: Mapping[str, str], where: str) -> Sources:
    """Return the pictures of a task's data.

    Raises:
        DatasetError: If there is none.
    """
    shown = {tags[tag] for tag in tags if tags[tag] in data}
    fields = {name: value for name, value in data.items() if name in shown or (not shown and _is_picture(name, value))}
    if not fields:
        raise wrong(where, "data", dict(data), "the picture's path or URL")
    return Sources({name: tuple(_pages(value, where)) for name, value in fields.items()}, tags, where)


def read_tags(path: Path) -> dict[str, str]:
    """Return the field of a task's data that each picture or video tag of a labeling configuration shows.

    Raises:
        DatasetError: If it cannot be read or is no XML.
    """
    try:
        root: Element = fromstring(read_text(path))
    except (ParseError, ValueError) as error:
        raise DatasetError(f"{path}: is no labeling configuration: {error}") from None
    shown = {}
    for tag in root.iter():
        value = tag.get("valueList") or tag.get("value") or ""
        if tag.tag.lower() in {"image", "video"} and tag.get("name") and value.startswith("$"):
            shown[str(tag.get("name"))] = value[1:]
    return shown


def file_name(source: str, where: str) -> str:
    """Return the file name of a path or address, as Label Studio has them: upload, local files, http, s3, gs.

    Raises:
        DatasetError: If it is no address, or holds the picture itself.

    Example:
        >>> file_name("/data/local-files/?d=day1/a%20b.png", "task 1")
        'day1/a b.png'
    """
    if source.startswith("data:"):
        raise wrong(where, "the picture", source, "its path or URL")
    if "://" not in source and not source.startswith("/data/"):
        return source
    try:
        url = urlsplit(source)
    except ValueError as error:
        raise DatasetError(f"{where}: {source!r:.80} is no URL: {error}") from None
    named = parse_qs(url.query).get("d")  # of local files
    if named:
        return named[0]
    name = unquote(url.path).lstrip("/")
    return name.rsplit("/", 1)[-1] if name.startswith("data/upload/") else name


def _pages(value: Any, where: str) -> list[str]:
    pages = value if isinstance(value, list) else [value]
    if not pages or not all(isinstance(page, str) and page for page in pages):
        raise wrong(where, "data", value, "the picture's path or URL")
    return [file_name(page, where) for page in pages]


def _is_picture(name: str, value: Any) -> bool:
    """Whether a field looks like a picture: it is called so, or its text ends like one."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(page, str) and _is_picture(name, page) for page in value)
    if not isinstance(value, str) or not value:
        return False
    path = urlsplit(value).path if "://" in value and "[" not in value else value.partition("?")[0]
    local = "?d=" in value and PurePosixPath(value).suffix.lower() in PICTURE_SUFFIXES | _VIDEO_SUFFIXES
    return name == "image" or local or PurePosixPath(path).suffix.lower() in PICTURE_SUFFIXES | _VIDEO_SUFFIXES
