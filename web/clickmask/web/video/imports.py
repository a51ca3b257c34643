"""Videos that come in: uploaded ones, and a sample to try things out."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from clickmask.decoder import DatasetError, VideoError
from clickmask.decoder.video import open_video
from clickmask.web.gate import admitted_name
from clickmask.web.photos.imports import free_name
from clickmask.web.photos.library import Library
from clickmask.web.video.library import SUFFIXES


def add_video_file(folder: Path, source: Path, name: str) -> Path:
    """Move an uploaded video into a folder, under a free name, if it can be read.

    Raises:
        DatasetError: If its name does not fit.
        VideoError: If it is no video, or the folder cannot be written.
    """
    name = admitted_name(name, SUFFIXES)
    try:
        open_video(source)
    except VideoError as error:
        raise VideoError(str(error).replace(str(source), name)) from error
    target = free_name(folder, name)
    try:
        shutil.move(source, target)
    except OSError as error:
        with suppress(OSError):  # a read-only folder, where nothing was written either
            target.unlink(missing_ok=True)
        raise VideoError(f"{target.name} cannot be added to {target.parent}: {error.strerror or error}") from error
    return target


def writable_folder(library: Library, path: str | Path) -> Path:
    """The resolved folder a new video may be put into.

    Raises:
        DatasetError: If it is outside the roots or cannot be written.
    """
    folder = library.gate.folder(path)
    if not os.access(folder, os.W_OK):
        raise DatasetError(f"{folder} is read-only: nothing can be added to it")
    return folder
