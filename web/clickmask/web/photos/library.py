"""The folders a person may open, and the project file that knows the labels of each picture.

Every picture has one project: that of the nearest folder above it in which somebody labeled. A folder without
labels of its own shows those that a folder above keeps for it; labels of folders below are told as its parts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from threading import Lock

from clickmask.decoder import PICTURE_SUFFIXES, ImageError
from clickmask.web.gate import Gate
from clickmask.web.listing import is_text, natural, printable, walk
from clickmask.web.photos.pictures import UNREAD_SUFFIXES, picture_size, shows_in_browser, write_browser_copy
from clickmask.web.photos.project import Project
from clickmask.web.photos.records import FINISHED, Category, Picture

PROJECT_FOLDER = ".clickmask"
PROJECT_FILE = "project.db"
COLORS = (
    "#3b82f6", "#f97316", "#22c55e", "#e11d48", "#a855f7", "#eab308", "#06b6d4", "#ec4899", "#84cc16",
)  # fmt: skip
FIRST_CATEGORIES = (Category(1, "object", COLORS[0]),)


@dataclass(frozen=True, slots=True)
class Part:
    """A folder below an open one that has labels of its own; counts are of its pictures and their objects."""

    path: Path
    name: str
    pictures: int
    done: int
    objects: int


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """A folder of pictures with its open project.

    Args:
        path: Where the pictures are.
        store: Where the project file and copies for the browser are: inside a folder if that is writable.
        project: The labels.
        gate: Admits the files of its pictures.
        below: What the names of its pictures begin with in the project, if that is of a folder above: "deep/er/".
        unreadable: What is wrong with the pictures that could not be read, by name.
        problems: What is wrong with labels and the project itself, by what it is about.
        notes: What was read when the folder was opened for the first time.
        parts: Folders below with labels of their own.
    """

    path: Path
    store: Path
    project: Project
    gate: Gate
    below: str = ""
    unreadable: dict[str, str] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def pictures(self) -> list[Picture]:
        """Return the pictures of this folder, named from it, in natural order; those of its parts are not."""
        prefixes = tuple(f"{part.name}/" for part in self.parts)
        known = self.project.pictures(self.below)
        named = (replace(picture, name=picture.name.removeprefix(self.below)) for picture in known)
        own = [picture for picture in named if not prefixes or not picture.name.startswith(prefixes)]
        return sorted(own, key=lambda picture: natural(picture.name))

    def picture(self, picture_id: int) -> Picture:
        """Return one picture, named from this folder.

        Raises:
            DatasetError: If there is none with this id.
        """
        picture = self.project.picture(picture_id)
        return replace(picture, name=picture.name.removeprefix(self.below))

    def picture_file(self, name: str) -> Path:
        """Return the file of a picture of this folder.

        Raises:
            ImageError: If it leads out of the roots.
        """
        return self.gate.picture(self.path, name)

    def same_size(self, picture: Picture) -> Path:
        """Return the file of a picture, if it is as large as when it was labeled.

        Raises:
            ImageError: If it is not: masks would be wrong.
        """
        file = self.picture_file(picture.name)
        size = picture_size(file)
        if size != picture.size:
            raise ImageError(
                f"{picture.name} is {size} now, and was {picture.size} when it was labeled: its masks are for the old "
                "picture; bring that back, or delete them"
            )
        return file

    def browser_file(self, name: str) -> Path:
        """Return the file a browser can show: the picture, or an upright 8-bit copy made on first use."""
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
        unite: Called once for a part whose pictures the project of the folder above knows labels of, to bring
            those into the part: (part, what its names begin with above, the folder above).
    """

    def __init__(
        self,
        gate: Gate,
        home: Path,
        adopt: Callable[[OpenFolder], None],
        unite: Callable[[OpenFolder, str, OpenFolder], None],
    ) -> None:
        self.gate = gate
        self.home = home.resolve()
        self._adopt = adopt
        self._unite = unite
        self._open: dict[Path, OpenFolder] = {}
        self._projects: dict[Path, Project] = {}
        self._lock = Lock()

    def folder(self, path: str | Path) -> OpenFolder:
        """Return the open folder; opened on first use.

        Raises:
            DatasetError: If it is outside the roots, is no folder, or its project cannot be opened.
        """
        place = self.gate.folder(path)
        with self._lock:
            if place not in self._open:
                self._open[place] = self._opened(place)
            return self._open[place]

    def refreshed(self, path: str | Path) -> OpenFolder:
        """Return the open folder, after looking for new and vanished files, and for labels of folders around."""
        place = self.gate.folder(path)
        with self._lock:
            known = self._open.get(place)
            if known is None or self._belongs_above(known):
                self._open[place] = self._opened(place)
            else:
                self._look_around(known)
            return self._open[place]

    def subfolders(self, path: str | Path) -> list[Path]:
        """Return the visible folders inside a folder, by name; a folder that may not be read has none."""
        try:
            inside = sorted(self.gate.folder(path).iterdir(), key=lambda child: natural(child.name))
        except PermissionError:
            return []
        return [
            child
            for child in inside
            if child.is_dir() and not child.name.startswith(".") and is_text(child.name) and self.gate.holds(child)
        ]

    def rest(self) -> None:
        """Make the project files whole that nobody has written to for a while."""
        for project in list(self._projects.values()):
            project.database.rest()

    def close(self) -> None:
        """Close every project."""
        with self._lock:
            for project in self._projects.values():
                project.close()
            self._open.clear()
            self._projects.clear()

    def store_of(self, place: Path) -> Path:
        """Return where the labels of a folder are kept: inside it if that is writable."""
        inside = place / PROJECT_FOLDER
        writable = os.access(inside if inside.exists() else place, os.W_OK)
        return inside if writable else self.home / "labels" / f"{place.name}-{_digest(str(place))}"

    def _opened(self, place: Path) -> OpenFolder:
        above = None if self._has_work(place) else self._labeled_above(place)
        if above is not None:
            folder = self._view(place, above)
            self._look_around(folder)
            return folder
        store = self.store_of(place)
        is_new = not (store / PROJECT_FILE).exists()
        folder = OpenFolder(place, store, self._project(store / PROJECT_FILE), self.gate)
        if folder.project.database.loss:
            folder.problems["project"] = [folder.project.database.loss]
        self._look_around(folder)
        if is_new:
            self._adopt(folder)
        if not folder.project.categories():
            folder.project.save_categories(FIRST_CATEGORIES)
        return folder

    def _belongs_above(self, folder: OpenFolder) -> bool:
        """Whether somebody labeled its pictures in a folder above since it was opened, and nobody here."""
        return not (folder.below or folder.project.has_work()) and self._labeled_above(folder.path) is not None

    def _view(self, place: Path, top: Path) -> OpenFolder:
        store = self.store_of(top)
        below = f"{place.relative_to(top).as_posix()}/"
        return OpenFolder(place, store, self._project(store / PROJECT_FILE), self.gate, below)

    def _labeled_above(self, place: Path) -> Path | None:
        """The nearest folder above in whose project somebody labeled pictures of this one."""
        for top in place.parents:
            if not self.gate.holds(top):
                return None
            if self._has_work(top, f"{place.relative_to(top).as_posix()}/"):
                return top
        return None

    def _has_work(self, place: Path, below: str = "") -> bool:
        file = self.store_of(place) / PROJECT_FILE
        return file.exists() and self._project(file).has_work(below)

    def _project(self, file: Path) -> Project:
        if file not in self._projects:
            self._projects[file] = Project(file)
        return self._projects[file]

    def _look_around(self, folder: OpenFolder) -> None:
        """Find the pictures that are there, those that cannot be read, and the parts."""
        folder.unreadable.clear()
        parts: list[Path] = []
        found = list(self._readable_pictures(folder, parts))
        folder.project.add_pictures(found, folder.below)
        folder.parts[:] = [self._part(folder, path) for path in parts]

    def _readable_pictures(self, folder: OpenFolder, parts: list[Path]) -> Iterator[tuple[str, int, int]]:
        unread: dict[str, int] = {}
        for place, _, files in walk(folder.path):
            if place != folder.path and self._has_work(place):
                parts.append(place)
            if any(place.is_relative_to(part) for part in parts):
                continue
            for file in files:
                suffix = Path(file).suffix.lower()
                if suffix in PICTURE_SUFFIXES:
                    name = (place / file).relative_to(folder.path).as_posix()
                    yield from self._measured(folder, name)
                elif suffix in UNREAD_SUFFIXES:
                    unread[suffix] = unread.get(suffix, 0) + 1
        for suffix, count in sorted(unread.items()):
            folder.unreadable[suffix] = f"{count} pictures of a kind that is not read ({suffix}): convert them to JPEG"

    def _measured(self, folder: OpenFolder, name: str) -> Iterator[tuple[str, int, int]]:
        if not is_text(name):
            folder.unreadable[printable(name)] = f"{printable(name)}: the name of this file is not UTF-8: rename it"
            return
        try:
            size = picture_size(folder.picture_file(name))
        except ImageError as error:
            folder.unreadable[name] = str(error)
        else:
            yield folder.below + name, size.width, size.height

    def _part(self, folder: OpenFolder, path: Path) -> Part:
        store = self.store_of(path)
        part = OpenFolder(path, store, self._project(store / PROJECT_FILE), self.gate)
        name = path.relative_to(folder.path).as_posix()
        if folder.project.has_work(f"{folder.below}{name}/"):
            self._unite(part, f"{folder.below}{name}/", folder)
        pictures = [picture for picture in part.project.pictures() if not picture.missing]
        return Part(
            path,
            name,
            len(pictures),
            sum(picture.status in FINISHED for picture in pictures),
            sum(picture.object_count for picture in pictures),
        )


def by_file_name(pictures: Mapping[str, Picture]) -> dict[str, Picture]:
    """Return the pictures by the last part of their name, where that is of one picture only."""
    found: dict[str, list[Picture]] = {}
    for name, picture in pictures.items():
        found.setdefault(PurePosixPath(name).name, []).append(picture)
    return {name: same[0] for name, same in found.items() if len(same) == 1}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
