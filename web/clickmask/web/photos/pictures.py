"""Picture files: measure them, and make small copies for the browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from PIL import Image

from clickmask.decoder import (
    PICTURE_SUFFIXES,
    ImageError,
    ImageSource,
    Size,
    load_image,
    open_picture,
    whole_file,
)
from clickmask.decoder import picture_size as read_size

BROWSER_MODES = {"JPEG": {"RGB", "L"}, "PNG": {"RGB", "RGBA", "L", "LA", "P", "1"}, "WEBP": {"RGB", "RGBA"}}
THUMBNAIL_PX = 128
ORIENTATION = 0x0112  # EXIF tag
UNREAD_SUFFIXES = frozenset(  # pictures that a person sees in the folder and we cannot read: they are counted
    {".arw", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".j2k", ".jp2", ".jxl", ".nef", ".pgm", ".ppm", ".psd", ".tga"}
)


def picture_size(path: Path) -> Size:
    """The size of the upright picture, read from the file's head only.

    Raises:
        ImageError: If the file is gone, is no picture, or is too large.
    """
    with _by_name(path):
        return read_size(path)


def shows_in_browser(path: Path) -> bool:
    """Whether every browser shows the file as the decoder sees it."""
    with _opened(path) as image:
        return image.mode in BROWSER_MODES.get(image.format or "", set())


def write_browser_copy(path: Path, copy: Path) -> None:
    """Write a PNG of the upright 8-bit pixels the decoder sees."""
    with whole_file(copy) as part:
        Image.fromarray(load_image(path)).save(part, "PNG", compress_level=1)


def thumbnail_url(path: Path) -> str:
    """A small upright JPEG as a data URL."""
    with _opened(path) as image:
        image.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
        small = Image.fromarray(load_image(image))
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def turn_upright(folder: Path) -> None:
    """Turn the copies of pictures below a folder that only a note says how to turn: masks are upright."""
    for path in folder.rglob("*"):
        if path.suffix.lower() not in PICTURE_SUFFIXES or not path.is_file():
            continue
        with _opened(path) as image:
            turned = image.getexif().get(ORIENTATION, 1) != 1
            kind = image.format
        if turned:
            upright = Image.fromarray(load_image(path))
            upright.save(path, kind, **({"quality": 95} if kind in {"JPEG", "WEBP", "AVIF"} else {}))


def image_source(file: Path) -> ImageSource:
    """Return a picture as the engine takes it."""
    return ImageSource(_key(file), partial(load_image, file))


def _key(file: Path) -> str:
    """Equal only for the same bytes: a replaced file gets a new embedding."""
    try:
        facts = file.stat()
    except OSError:
        return str(file)  # reading the file will say what is wrong
    return f"{file}:{facts.st_mtime_ns}:{facts.st_size}"


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with _by_name(path), open_picture(path) as image:
        yield image


@contextmanager
def _by_name(path: Path) -> Iterator[None]:
    """Say what is wrong with a file by its name: a person at another machine need not know where it lies."""
    try:
        yield
    except ImageError as error:
        gone = f"{path.name} is gone: it was moved or deleted"
        raise ImageError(str(error).replace(str(path), path.name) if path.exists() else gone) from error
