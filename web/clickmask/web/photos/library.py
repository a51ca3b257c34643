"""The folders a person may open, and the project file that belongs to each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from clickmask.decoder import ImageError
from clickmask.decoder.images import PICTURE_SUFFIXES
from clickmask.web.gate import Gate
from clickmask.web.listing import is_text, natural, printable, walk
from clickmask.web.photos.pictures import picture_size, shows_in_browser, write_browser_copy
from clickmask.web.photos.project import Project
from clickmask.web.photos.records import Category

PROJECT_FOLDER = ".clickmask"
PROJECT_FILE = "project.db"
COLORS = (
    "#3b82f6", "#f97316", "#22c55e", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#ec4899", "#84cc16",
)  # fmt: skip
FIRST_CATEGORIES = (Category(1, "object", COLORS[0]),)


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """A folder of pictures with its open project.

    Args:
        path: Where the pictures are.
        store: Where the project file and copies for the browser are: inside ``path`` if that is writable.
        project: The labels.
        gate: Admits the files of its pictures.
        unreadable: What is wrong with the pictures that could not be read, by name.
        refused: What is wrong with the labels that lay there and could not be brought in, by file name.
    """

    path: Path
    store: Path
    project: Project
    gate: Gate
    unreadable: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def picture_file(self, name: str) -> Path:
        """The file of a picture of this folder.

        Raises:
            ImageError: If it leads out of the roots.
        """
        return self.gate.picture(self.path, name)

    def browser_file(self, name: str) -> Path:
        """The file a browser can show: the picture, or an upright 8-bit copy made on first use."""
        source = self.picture_file(name)
        if shows_in_browser(source):
            return source
        copy = self.store / "shown" / f"{_digest(f'{name}:{source.stat().st_mtime_ns}')}.png"
        if not copy.exists():
            write_browser_copy(source, copy)
        return copy


class Library:
    """Opens folders below the allowed roots and keeps them open.

    Args:
        gate: Knows which folders may be opened.
        home: Where labels of read-only folders are kept.
        adopt: Called once for a folder that has no project yet, to bring in labels that lie there.
    """

    def __init__(self, gate: Gate, home: Path, adopt: Callable[[OpenFolder], None]) -> None:
        self.gate = gate
        self.home = home.resolve()
        self._adopt = adopt
        self._open: dict[Path, OpenFolder] = {}
        self._lock = Lock()

    def folder(self, path: str | Path) -> OpenFolder:
        """The open folder; opened on first use.

        Raises:
            DatasetError: If it is outside the roots, is no folder, or its project cannot be opened.
        """
        place = self.gate.folder(path)
        with self._lock:
            if place not in self._open:
                self._open[place] = self._opened(place)
            return self._open[place]

    def refreshed(self, path: str | Path) -> OpenFolder:
        """The open folder, after looking for new and vanished files."""
        folder = self.folder(path)
        with self._lock:
            _look_for_pictures(folder)
        return folder

    def subfolders(self, path: str | Path) -> list[Path]:
        """Visible folders inside a folder, by name; a folder that may not be read has none."""
        try:
            inside = sorted(self.gate.folder(path).iterdir(), key=lambda child: natural(child.name))
        except PermissionError:
            return []
        return [
            child
            for child in inside
            if child.is_dir() and not child.name.startswith(".") and is_text(child.name) and self.gate.holds(child)
        ]

    def close(self) -> None:
        """Close every project."""
        with self._lock:
            for folder in self._open.values():
                folder.project.close()
            self._open.clear()

    def _opened(self, place: Path) -> OpenFolder:
        store = self.store_of(place)
        is_new = not (store / PROJECT_FILE).exists()
        folder = OpenFolder(place, store, Project(store / PROJECT_FILE), self.gate)
        _look_for_pictures(folder)
        if is_new:
            self._adopt(folder)
        if not folder.project.categories():
            folder.project.save_categories(FIRST_CATEGORIES)
        return folder

    def store_of(self, place: Path) -> Path:
        """Where the labels of a folder are kept: inside it if that is writable."""
        inside = place / PROJECT_FOLDER
        writable = os.access(inside if inside.exists() else place, os.W_OK)
        return inside if writable else self.home / "labels" / f"{place.name}-{_digest(str(place))}"


def _look_for_pictures(folder: OpenFolder) -> None:
    folder.unreadable.clear()
    folder.project.add_pictures(list(_readable_pictures(folder)))


def _readable_pictures(folder: OpenFolder) -> Iterator[tuple[str, int, int]]:
    for name in find_pictures(folder.path):
        if not is_text(name):
            folder.unreadable[printable(name)] = f"{printable(name)}: the name of this file is not UTF-8: rename it"
            continue
        try:
            size = picture_size(folder.picture_file(name))
        except ImageError as error:
            folder.unreadable[name] = str(error)
        else:
            yield name, size.width, size.height


def find_pictures(top: Path) -> Iterator[str]:
    """Names of all picture files below a folder, relative to it, leaving out hidden ones."""
    for place, _, files in walk(top):
        here = place.relative_to(top)
        yield from ((here / name).as_posix() for name in files if Path(name).suffix.lower() in PICTURE_SUFFIXES)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
