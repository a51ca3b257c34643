"""Picture files of a folder: find them, measure them, and make small copies for the browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from clickmask.decoder import ImageError, Size, load_image
from clickmask.decoder.images import DEFAULT_LIMITS, FORMATS, PICTURE_SUFFIXES, check_limits

BROWSER_MODES = {"JPEG": {"RGB", "L"}, "PNG": {"RGB", "RGBA", "L", "LA", "P", "1"}, "WEBP": {"RGB", "RGBA"}}
ORIENTATION = 0x0112  # EXIF tag
THUMBNAIL_PX = 128


def picture_size(path: Path) -> Size:
    """The size of the upright picture, read from the file's head only.

    Raises:
        ImageError: If the file is gone or is no picture.
    """
    with _opened(path) as image:
        width, height = image.size
        turned = _orientation(image) in {5, 6, 7, 8}
    return Size(width, height) if turned else Size(height, width)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; of a PNG only if it stands before the pixels, or all of them would be read."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    return int(image.getexif().get(ORIENTATION, 1))


def shows_in_browser(path: Path) -> bool:
    """Whether every browser shows the file as the decoder sees it."""
    with _opened(path) as image:
        return image.mode in BROWSER_MODES.get(image.format or "", set())


def write_browser_copy(path: Path, copy: Path) -> None:
    """Write a PNG of the upright 8-bit pixels the decoder sees."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    partial = copy.with_suffix(".partial")
    Image.fromarray(load_image(path)).save(partial, "PNG", compress_level=1)
    partial.replace(copy)


def thumbnail_url(path: Path) -> str:
    """A small upright JPEG as a data URL."""
    with _opened(path) as image:
        image.draft("RGB", (2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
        small = Image.fromarray(load_image(image))
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            check_limits(image, DEFAULT_LIMITS, path.name)
            yield image
    except FileNotFoundError as error:
        raise ImageError(f"{path.name} is gone: it was moved or deleted") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{path.name} is not a picture, or it is broken") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{path.name} is too large: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"{path.name} cannot be read: {error}") from error
