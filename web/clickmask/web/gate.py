"""The gate: every path that a page or a program names passes here, whatever it is for.

Nothing else turns text from outside into a path, so what lies outside the roots cannot be named.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from clickmask.decoder import DatasetError, ImageError, VideoError

LONGEST_NAME = 200  # [bytes]: file systems take 255, and a number may be added


@dataclass(frozen=True, slots=True)
class Gate:
    """What may be named from outside.

    Args:
        roots: Folders below which everything may be opened.
        uploads: The folder that files sent by a browser or a program are put into.
    """

    roots: tuple[Path, ...]
    uploads: Path

    @classmethod
    def of(cls, *roots: Path, uploads: Path) -> Gate:
        """Make a gate of folders whose own links are followed."""
        return cls(tuple(root.resolve() for root in roots), uploads.resolve())

    def folder(self, named: object) -> Path:
        """Return the resolved path of an existing folder below a root.

        Raises:
            DatasetError: If it is none.
        """
        place = self._below_a_root(named)
        if not place.is_dir():
            raise DatasetError(f"{named} is not a folder")
        return place

    def video(self, named: object) -> Path:
        """Return the resolved path of an existing file or folder below a root.

        Raises:
            DatasetError: If it lies outside.
            VideoError: If it does not exist.
        """
        place = self._below_a_root(named)
        if not place.exists():
            raise VideoError(f"{place.name} is gone: it was moved or deleted")
        return place

    def picture(self, folder: Path, name: str) -> Path:
        """Return the file of a picture of an admitted folder; its name may come from a project file of others.

        Raises:
            ImageError: If the name, or a link, leads out of the roots.
        """
        file = folder / name
        if not self.holds(file):
            raise ImageError(f"{name} leads out of the folders this server may open")
        return file

    def upload(self, named: object) -> Path:
        """Return the resolved path of an uploaded file, named by its path or by Gradio's ``{"path": ...}``.

        Raises:
            DatasetError: If it is none: a page could name any file.
        """
        text = named.get("path") if isinstance(named, Mapping) else named
        file = _resolved(text)
        if not file.is_relative_to(self.uploads) or not file.is_file():
            raise DatasetError(f"{text} is not an uploaded file")
        return file

    def holds(self, path: Path) -> bool:
        """Whether a path, its links followed, lies below a root."""
        place = path.resolve()
        return any(place.is_relative_to(root) for root in self.roots)

    def _below_a_root(self, named: object) -> Path:
        place = _resolved(named)
        if not any(place.is_relative_to(root) for root in self.roots):
            roots = ", ".join(str(root) for root in self.roots)
            raise DatasetError(f"{named} is outside the folders this server may open: {roots}")
        return place


def admitted_name(named: object, suffixes: Collection[str]) -> str:
    """Return the file name that something sent from outside may get.

    Args:
        named: What the sender calls it; folders before the name are dropped.
        suffixes: Those it may have, with their dot, in lower case.

    Raises:
        DatasetError: If it has another suffix, is hidden, too long, or holds what is not shown.
    """
    name = str(named).replace("\\", "/").rpartition("/")[2]
    shown = "".join("?" if unicodedata.category(letter).startswith("C") else letter for letter in name)
    if Path(name).suffix.lower() not in suffixes:
        raise DatasetError(f"{shown or 'a file without a name'} is not added: wanted {', '.join(sorted(suffixes))}")
    if shown != name or name.startswith(".") or len(name.encode()) > LONGEST_NAME:
        raise DatasetError(
            f"{shown[:80]} is not added: wanted a name without control characters that does not begin with a dot, "
            f"of at most {LONGEST_NAME} bytes"
        )
    return name


def _resolved(named: object) -> Path:
    if not isinstance(named, str | Path):
        raise DatasetError(f"the path is {named!r}, wanted a text")
    try:
        str(named).encode()  # a name that is no text cannot be sent back to a page
        return Path(named).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a lone surrogate, links in a circle
        raise DatasetError(f"the path {str(named)!r} cannot be used: {error}") from error
