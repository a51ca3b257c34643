"""A task's image as pixels: from this disk, the cache, or another server."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from decoder import ImageError, load_image
from plugin.disk_cache import DiskCache
from plugin.errors import FetchError, RefusedError, TooLargeError
from plugin.locations import Connection, Location
from plugin.tokens import Tokens
from plugin.transport import MEGABYTE, Answer, Transport

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


class Images:
    """Fetches images and keeps their files.

    Args:
        transport: How other servers are reached; its limits hold for images on this disk too.
        tokens: Makes Authorization headers, which only Label Studio itself gets to see.
        cache: Keeps the files as they were fetched.
        roots: Folders whose files may be read in place of ``/data/local-files/``.
    """

    def __init__(self, transport: Transport, tokens: Tokens, cache: DiskCache, roots: Sequence[Path] = ()) -> None:
        self._transport = transport
        self._tokens = tokens
        self._cache = cache
        self._roots = tuple(roots)

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
        local = self._local_file(location.local_path)
        if local is not None:
            return local
        content = self._cache.get(location.key)
        if content is None:
            content = self._fetch(location, connection)
            self._cache.put(location.key, content)
        return content

    def _local_file(self, path: str) -> bytes | None:
        """The bytes of a file in one of the allowed folders, links resolved; None where no folder has it."""
        for root in self._roots if path else ():
            file = (root / path.lstrip("/")).resolve()
            if not file.is_relative_to(root.resolve()):
                raise RefusedError(f"path {path!r} is refused: it leads out of {root}")
            if file.is_file():
                if file.stat().st_size > self._transport.max_bytes:
                    raise TooLargeError(f"{path} is larger than {self._transport.max_bytes / MEGABYTE:g} MB")
                return file.read_bytes()
        return None

    def _fetch(self, location: Location, connection: Connection) -> bytes:
        for url in location.urls:
            answer = self._followed(url, connection)
            if answer.status == 200:
                return answer.body
        if answer.status in (401, 403) and connection.owns(location.urls[0]):
            raise FetchError(
                f"Label Studio at {connection.url} refused its own image (status {answer.status}): "
                f"set LABEL_STUDIO_API_KEY to a token of a user who may see it"
            )
        raise FetchError(f"the image cannot be fetched: got status {answer.status}, wanted 200")

    def _followed(self, url: str, connection: Connection) -> Answer:
        """Get a URL through its redirects; every hop is judged anew and only Label Studio sees the token."""
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._hop(url, connection)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise FetchError(f"the image cannot be fetched: more than {_MAX_REDIRECTS} redirects")

    def _hop(self, url: str, connection: Connection) -> Answer:
        if not connection.may_see_token(url):
            return self._transport.request("GET", url, trusted=connection.owns(url))
        answer = self._transport.request("GET", url, headers=self._tokens.header(connection), trusted=True)
        if answer.status == 401 and self._tokens.forget(connection):
            answer = self._transport.request("GET", url, headers=self._tokens.header(connection), trusted=True)
        return answer


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """Read the bytes of an image file as upright RGB, shape (H, W, 3).

    Raises:
        ImageError: If the format is not one of ``FORMATS`` or the file is broken.

    Example:
        >>> read_picture(b"<p>")
        Traceback (most recent call last):
            ...
        decoder.errors.ImageError: got 3 bytes that are no picture (<p>), wanted AVIF, BMP, GIF, JPEG, PNG, TIFF, WEBP
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
