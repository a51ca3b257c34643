"""A task's image as pixels: from this disk, the cache, or another server."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import Cache, load_image, open_picture
from clickmask.plugin.files.disk_cache import DiskCache
from clickmask.plugin.files.locations import Connection, Location
from clickmask.plugin.files.task_files import TaskFiles

Turned = Literal["as browsers do", "the other way"]
"""Whether a picture is turned as its EXIF orientation says; browsers do so for every format but WebP."""

_ORIENTATION = 0x0112
_LEFT_AS_STORED = ("WEBP",)


class Images:
    """Fetches images and keeps their files.

    Args:
        files: Where the files come from.
        cache: Keeps the files as they were fetched.
        at_once: Files that are fetched in the background at the same time.
    """

    def __init__(self, files: TaskFiles, cache: DiskCache, at_once: int = 16) -> None:
        self._files = files
        self._cache = cache
        self._arrived: Cache[str, bytes] = Cache(files.transport.max_bytes, len)  # where the disk keeps nothing
        self._pool = ThreadPoolExecutor(at_once, "fetch")

    def arriving(self, location: Location, connection: Connection) -> Future[None] | None:
        """Fetch an image's file in the background; None if it is at hand.

        Servers may be slow, and must not keep those waiting whose images are here already.
        """
        if self._at_hand(location):
            return None
        return self._pool.submit(self._fetch, location, connection)

    def close(self) -> None:
        """Fetch no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def load(self, location: Location, connection: Connection, turned: Turned = "as browsers do") -> NDArray[np.uint8]:
        """Read an image as a page shows it: RGB, shape (H, W, 3).

        Raises:
            RefusedError: If the address or path may not be read.
            FetchError: If it cannot be fetched.
            TooLargeError: If its file is too large.
            ImageError: If it is no picture that ``load_image`` reads.
        """
        return read_picture(self._file(location, connection), turned)

    def content(self, location: Location, connection: Connection) -> bytes:
        """The bytes of an image's file; raises as ``load``."""
        return self._file(location, connection)

    def _file(self, location: Location, connection: Connection) -> bytes:
        local = self._files.local(location)
        if local is not None:
            return local.read_bytes()
        return self._cache.get(location.key) or self._fetched(location, connection)

    def _at_hand(self, location: Location) -> bool:
        if location.inline or location.key in self._arrived or location.key in self._cache:
            return True
        return self._files.local(location) is not None

    def _fetch(self, location: Location, connection: Connection) -> None:
        self._fetched(location, connection)

    def _fetched(self, location: Location, connection: Connection) -> bytes:
        """The file, asked for once however many wait for it."""

        def fetch() -> bytes:
            content = self._files.fetch(location, connection).body
            self._cache.put(location.key, content)
            return content

        return self._arrived.get(location.key, fetch)[0]


def read_picture(content: bytes, turned: Turned = "as browsers do") -> NDArray[np.uint8]:
    """Read the bytes of an image file as a page shows it: RGB, shape (H, W, 3).

    Raises:
        ImageError: If it is no picture that ``load_image`` reads.
    """
    with open_picture(content) as picture:
        if (picture.format in _LEFT_AS_STORED) is (turned == "as browsers do"):
            picture.getexif().pop(_ORIENTATION, None)
        return load_image(picture)
