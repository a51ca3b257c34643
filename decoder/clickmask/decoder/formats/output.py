"""Where an export's files go, and how they get there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.files import whole_file


@contextmanager
def write_whole(path: Path) -> Iterator[IO[str]]:
    """Open a text file that replaces ``path`` when the ``with`` block ends without an error.

    Raises:
        DatasetError: If the folder cannot be made or the file cannot be written.
    """
    try:
        with whole_file(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from None
    except UnicodeEncodeError as error:  # half of a surrogate pair, as JSON may hold
        raise DatasetError(f"{path}: cannot be written: {error.object!r:.80} is no valid text") from None


def temporary_text() -> IO[str]:
    """Open an anonymous text file that vanishes when it is closed."""
    return tempfile.TemporaryFile("w+", encoding="utf-8", prefix="clickmask-")


def make_folder(path: Path) -> Path:
    """Make a folder and those above it; one that exists is fine.

    Raises:
        DatasetError: If a file is in the way or the place is not writable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be made: {error.strerror or error}") from None
    return path


def inside(folder: Path, name: str, suffix: str | None = None) -> Path:
    """Return the path of a file that a dataset names, below a folder.

    A leading "/" or drive is dropped, "\\" counts as "/"; of a name that leads up ("../../media/a.jpg",
    as storages have them) the last part is taken.

    Args:
        folder: Where the file is to be.
        name: The file's name as the dataset has it, such as "day1/street.jpg".
        suffix: Replaces the name's own, such as ".txt".

    Raises:
        DatasetError: If the name is empty, ends in ".." or is no valid text.

    Example:
        >>> inside(Path("labels"), "day1/street.jpg", ".txt").as_posix()
        'labels/day1/street.txt'
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".") and not part.endswith(":")]
    parts = parts[-1:] if ".." in parts else parts
    if parts in ([], [".."]) or "\0" in name or not _is_text(name):
        raise DatasetError(f"the file name {name!r:.80} leads out of its folder or is none, wanted a name below it")
    path = folder.joinpath(*parts)
    return path if suffix is None else path.with_name(path.stem + suffix)


def claim(path: Path, name: str, taken: dict[Path, str]) -> None:
    """Note in ``taken`` that an image is written to a path, which no other image may be.

    Raises:
        DatasetError: If one was, also one of the same name, such as a frame of another video.
    """
    if path in taken:
        raise DatasetError(f"image {name} and image {taken[path]} share {path}, wanted distinct names")
    taken[path] = name


def one_line(name: str) -> str:
    """Return a name with line breaks and runs of space as single spaces, for files of lines."""
    return " ".join(name.split())


def _is_text(name: str) -> bool:
    """Whether a name can be written as UTF-8; JSON may hold halves of surrogate pairs."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
