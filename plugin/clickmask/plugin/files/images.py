"""A task's image as pixels: from this disk, the cache, or another server."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from clickmask.decoder import ImageError, load_image
from clickmask.plugin.files.disk_cache import DiskCache
from clickmask.plugin.files.locations import Connection, Location
from clickmask.plugin.files.task_files import TaskFiles

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


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
            ImageError: If it is no picture of an allowed format.
        """
        return read_picture(self._file(location, connection))

    def _file(self, location: Location, connection: Connection) -> bytes:
        local = self._files.local(location)
        if local is not None:
            return local.read_bytes()
        content = self._cache.get(location.key)
        if content is None:
            content = self._files.fetch(location, connection).body
            self._cache.put(location.key, content)
        return content


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """Read the bytes of an image file as upright RGB, shape (H, W, 3).

    Raises:
        ImageError: If the format is not one of ``FORMATS`` or the file is broken.

    Example:
        >>> read_picture(b"<p>")
        Traceback (most recent call last):
            ...
        clickmask.decoder.errors.ImageError: got 3 bytes that are no picture (<p>), wanted AVIF, BMP, GIF, \
JPEG, PNG, TIFF, WEBP
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            return load_image(picture)
    except UnidentifiedImageError as error:
        start = content[:40].decode("ascii", "replace")
        wanted = ", ".join(FORMATS)
        raise ImageError(f"got {len(content)} bytes that are no picture ({start}), wanted {wanted}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"the picture is too large: {error}") from error
