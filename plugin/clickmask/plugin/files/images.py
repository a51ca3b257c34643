"""A task's image as pixels: from this disk, the cache, or another server."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import load_image
from clickmask.plugin.files.disk_cache import DiskCache
from clickmask.plugin.files.locations import Connection, Location
from clickmask.plugin.files.task_files import TaskFiles


class Images:
    """Fetches images and keeps their files.

    Args:
        files: Where the files come from.
        cache: Keeps the files as they were fetched.
    """

    def __init__(self, files: TaskFiles, cache: DiskCache) -> None:
        self._files = files
        self._cache = cache

    def load(self, location: Location, connection: Connection) -> NDArray[np.uint8]:
        """Read an image as upright RGB, shape (H, W, 3).

        Raises:
            RefusedError: If the address or path may not be read.
            FetchError: If it cannot be fetched.
            TooLargeError: If its file is too large.
            ImageError: If it is no picture that ``load_image`` reads.
        """
        return load_image(self._file(location, connection))

    def _file(self, location: Location, connection: Connection) -> bytes:
        local = self._files.local(location)
        if local is not None:
            return local.read_bytes()
        content = self._cache.get(location.key)
        if content is None:
            content = self._files.fetch(location, connection).body
            self._cache.put(location.key, content)
        return content
