"""Where exported files go: each into a folder of its own, which goes again after a while."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clickmask.decoder import DatasetError

PREFIX = "export-"
KEPT_S = 24 * 3600  # long enough to fetch a file after a day's work


@contextmanager
def export_folder(exports: Path) -> Iterator[Path]:
    """Give a new folder inside ``exports``; it stays if the work inside succeeds, and goes if it fails.

    Raises:
        DatasetError: If the disk refuses.
    """
    try:
        exports.mkdir(parents=True, exist_ok=True)
        remove_old(exports, time.time() - KEPT_S)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=exports))
    except OSError as error:
        raise DatasetError(f"cannot write {exports}: {error.strerror or error}") from error
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_old(exports: Path, before: float) -> None:
    """Remove the export folders that were last changed before a time [s since 1970]; nothing else is touched."""
    for folder in exports.glob(f"{PREFIX}*"):
        if folder.is_dir() and folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def zipped(folder: Path) -> Path:
    """Put a folder's files into ``folder.zip`` beside it, and remove the folder."""
    file = Path(shutil.make_archive(str(folder), "zip", folder))
    shutil.rmtree(folder, ignore_errors=True)
    return file
