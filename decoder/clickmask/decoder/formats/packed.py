"""Datasets as tools send them: a ``.zip``, a ``.json.gz``, a folder with one file in it."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickmask.decoder.errors import DatasetError

MAX_BYTES = 1 << 38  # of what a file unpacks to: 256 GiB, more than any dataset that is sent as a file


@contextmanager
def unpacked(path: Path, *, is_folder: bool, suffix: str = ".json") -> Iterator[Path]:
    """Give the file or folder that a format reads; what was unpacked for it vanishes at the end.

    Args:
        path: A file or folder, packed or not.
        is_folder: Whether the format is a folder; of others the one file in a folder is taken.
        suffix: Of the format's file.

    Raises:
        DatasetError: If it cannot be unpacked, or a folder holds several such files or none.
    """
    packing = path.suffix.lower()
    if packing not in (".zip", ".gz") or not path.is_file():
        yield path if is_folder or not path.is_dir() else _only_file(path, suffix)
        return
    with tempfile.TemporaryDirectory(prefix="clickmask-") as folder:
        place = Path(folder)
        try:
            found = _unzip(path, place) if packing == ".zip" else _gunzip(path, place)
        except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise DatasetError(f"{path}: cannot be unpacked: {error}") from None
        yield found if is_folder or found.is_file() else _only_file(found, suffix)


def _unzip(path: Path, place: Path) -> Path:
    """Where the files are: in the one folder of the archive, if there is only that."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise DatasetError(f"{path}: unpacks to {size} bytes, wanted at most {MAX_BYTES}")
        archive.extractall(place)  # drops ".." and drives from names
    inside = [entry for entry in place.iterdir() if entry.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() and inside[0].name != "images" else place


def _gunzip(path: Path, place: Path) -> Path:
    target = place / path.stem
    with gzip.open(path) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    return target


def _only_file(folder: Path, suffix: str) -> Path:
    files = sorted(folder.rglob(f"*{suffix}"))
    if len(files) != 1:
        got = ", ".join(file.relative_to(folder).as_posix() for file in files[:5]) or "none"
        raise DatasetError(
            f"{folder}: is a folder with the {suffix[1:].upper()} files: {got}; wanted one, name the file itself"
        )
    return files[0]
