"""A task's video as a file on this disk, for as long as it is being read."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clickmask.decoder import VideoError
from clickmask.decoder.video import FileVideo
from clickmask.plugin.files.disk_cache import shrink
from clickmask.plugin.files.locations import Connection, Location
from clickmask.plugin.files.task_files import TaskFiles


class VideoFiles:
    """Fetches videos and keeps their files.

    Args:
        files: Where the files come from.
        folder: Made on first use. Hidden names in it are in use.
        budget: Most bytes kept; a larger file is thrown away after use.
    """

    def __init__(self, files: TaskFiles, folder: Path, budget: int) -> None:
        self._files = files
        self._folder = folder
        self._budget = budget

    @contextmanager
    def open(self, location: Location, connection: Connection) -> Iterator[FileVideo]:
        """Open a video; its file stays for the length of the block, however small the budget.

        Raises:
            RefusedError: If the address or path may not be read.
            FetchError: If it cannot be fetched.
            TooLargeError: If its file is too large.
            VideoError: If it is no video, or one that cannot be decoded.
        """
        local = self._files.local(location)
        if local is not None:
            yield open_checked(local)
            return
        path = self._in_use(location, connection)
        try:
            yield open_checked(path)
        finally:
            path.unlink(missing_ok=True)

    def _in_use(self, location: Location, connection: Connection) -> Path:
        """A file of our own with the video: a second name of the kept one where there is one."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self._folder / location.key
        path = Path(tempfile.mktemp(dir=self._folder, prefix="."))
        if kept.exists():
            with suppress(FileNotFoundError):  # it may just have been thrown away
                _name_again(kept, path)
                os.utime(kept)
                return path
        try:
            with path.open("xb") as file:
                self._files.fetch(location, connection, file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if path.stat().st_size <= self._budget:
            second = Path(f"{path}-kept")
            _name_again(path, second)
            second.replace(kept)
            shrink(self._folder, self._budget)
        return path


def _name_again(path: Path, other: Path) -> None:
    """Give a file a second name, or where the disk knows no such thing, a copy."""
    try:
        os.link(path, other)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, other)


def open_checked(path: Path) -> FileVideo:
    """Open a video file; what is wrong with it is told without the name of the kept copy.

    Raises:
        VideoError: If it is no video of the kinds that browsers and cameras write, or cannot be decoded.
    """
    try:
        return FileVideo.open(path)
    except VideoError as error:
        raise VideoError(str(error).replace(str(path), "the video")) from error
