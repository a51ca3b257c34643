"""Read any picture as upright RGB, within a bound on memory; the one place that opens picture files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from clickmask.decoder.errors import ImageError
from clickmask.decoder.prompts import Size

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # Pillow knows more, some of which start programs
PICTURE_SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
BROKEN_PICTURE = (  # what Pillow's decoders raise on bad data; AVIF's a RuntimeError
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    MemoryError,
    Image.DecompressionBombError,
)

PIXEL_BYTES = 8  # of an ordinary picture while it is read: 4 in Pillow, 3 as an array
DECODER_BYTES: Mapping[str, int] = {"AVIF": 16, "WEBP": 18, "progressive": 12}  # whose decoder holds it as well
LARGE_BYTES = 2**27  # pictures that take more are read one at a time
BAND_PIXELS = 2**18  # converted at once

Source = str | Path | bytes | Image.Image
Pixels = NDArray[np.uint8]  # (H, W, 3) RGB
LoadImage = Callable[[], Pixels]  # called only when pixels are needed

_WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")  # more than 8 bits per sample
_UPRIGHT: Mapping[int, Callable[[Pixels], Pixels]] = {  # by EXIF orientation
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}
_SIDEWAYS = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
_large_picture = Lock()


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image by name, read only if its pixels are needed.

    Args:
        key: Names the image's content: equal keys must mean equal pixels.
        load: Gives the pixels, RGB, shape (H, W, 3), uint8.
    """

    key: str
    load: LoadImage


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How large a picture may be.

    Args:
        megapixels: Of a picture that takes 8 bytes a pixel while it is read. Pictures of formats that take more may
            have fewer, so that this is a limit on memory: a gigabyte by default.
        side_px: Of the longer side [px].
    """

    megapixels: float = 128.0
    side_px: int = 32_768

    @property
    def nbytes(self) -> float:
        """Memory a picture may take while it is read [bytes]."""
        return self.megapixels * 1e6 * PIXEL_BYTES


DEFAULT_LIMITS = PictureLimits()


def load_image(source: Source, limits: PictureLimits = DEFAULT_LIMITS) -> Pixels:
    """Read a picture.

    Handles EXIF rotation, grey, palette, CMYK, alpha (laid over white), and samples wider
    than 8 bits, which are stretched from their own minimum and maximum to 0 and 255. Of an
    animation the first frame is taken. Large pictures are read one at a time, whatever the threads.

    Args:
        source: A file's path, the bytes of a file, or a PIL image.
        limits: How large the picture may be; compared before memory is taken.

    Returns:
        Upright RGB, shape (H, W, 3), uint8.

    Raises:
        ImageError: If the file is missing, no picture of ``FORMATS``, truncated, or too large.

    Example:
        >>> load_image(Image.new("L", (4, 2), 7)).shape
        (2, 4, 3)
    """
    with open_picture(source, limits) as image, _large_picture if _nbytes(image) > LARGE_BYTES else nullcontext():
        image.load()
        pixels, orientation = _to_rgb(image), _orientation(image)
    return _upright(pixels, orientation)


def picture_size(source: Source, limits: PictureLimits = DEFAULT_LIMITS) -> Size:
    """Return the upright size of a picture from the file's head.

    Raises:
        ImageError: As ``load_image``, but for pixels that are truncated.
    """
    with open_picture(source, limits) as image:
        # Of a PNG whose orientation stands behind the pixels, all of them would be read.
        turned = (image.format != "PNG" or "exif" in image.info) and _orientation(image) in _SIDEWAYS
        return Size(image.width, image.height) if turned else Size(image.height, image.width)


@contextmanager
def open_picture(source: Source, limits: PictureLimits = DEFAULT_LIMITS) -> Iterator[Image.Image]:
    """Open a picture with Pillow, its pixels not yet read; errors of Pillow inside the block are told as well.

    Args:
        source: A file's path, the bytes of a file, or a PIL image.
        limits: How large the picture may be.

    Raises:
        ImageError: If the file is missing, no picture of ``FORMATS``, broken, or too large.
    """
    name = _name(source)
    try:
        if isinstance(source, Image.Image):
            check_limits(source, limits, name)
            yield source
            return
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with closing(Image.open(file, formats=FORMATS)) as image:
            check_limits(image, limits, name)
            yield image
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist") from error
    except (IsADirectoryError, PermissionError) as error:
        raise ImageError(f"{name} cannot be opened: {error.strerror}") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a picture that can be read ({', '.join(FORMATS)})") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name} is too large: {error}") from error
    except BROKEN_PICTURE as error:
        raise ImageError(f"{name} is broken or cut short: {error}") from error


def check_limits(image: Image.Image, limits: PictureLimits, name: str) -> None:
    """Compare the size that a picture claims.

    Raises:
        ImageError: If it is too large.
    """
    if max(image.size) > limits.side_px:
        raise ImageError(f"{name} has {image.width}x{image.height} pixels, wanted sides of at most {limits.side_px}")
    if _nbytes(image) > limits.nbytes:
        most = limits.nbytes / _nbytes(image) * image.width * image.height / 1e6
        kind = f" as {image.format}" if image.format else ""
        raise ImageError(
            f"{name} has {image.width}x{image.height} pixels, wanted at most {most:.0f} million of them{kind}"
        )


def _nbytes(image: Image.Image) -> int:
    """Memory that reading it takes, about [bytes]."""
    kind = "progressive" if image.info.get("progressive") else image.format
    return image.width * image.height * DECODER_BYTES.get(kind or "", PIXEL_BYTES)


def _name(source: Source) -> str:
    if isinstance(source, bytes):
        return f"the picture of {len(source)} bytes"
    return "the picture" if isinstance(source, Image.Image) else str(source)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8."""
    orientation: Any = image.getexif().get(ExifTags.Base.Orientation, 1)
    return orientation if isinstance(orientation, int) else 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    return np.ascontiguousarray(_UPRIGHT[orientation](pixels)) if orientation in _UPRIGHT else pixels


def _to_rgb(image: Image.Image) -> Pixels:
    """Convert a band of rows at a time: no second picture is held beside the two."""
    convert = _stretching(image) if image.mode in _WIDE_MODES else _flatten
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for rows, band in row_bands(image):
        pixels[rows] = np.asarray(convert(band))
    return pixels


def row_bands(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """Yield a picture a band of rows at a time, with the rows' place in it."""
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield slice(top, bottom), image.crop((0, top, image.width, bottom))


def _flatten(band: Image.Image) -> Image.Image:
    """As RGB; what is transparent lies over white."""
    if band.has_transparency_data:
        layer = band.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return band.convert("RGB")


def _stretching(image: Image.Image) -> Callable[[Image.Image], NDArray[np.uint8]]:
    """How samples of any range become 8 bits; NaN counts as the minimum."""
    low, high = np.inf, -np.inf
    for _, band in row_bands(image):
        samples = np.asarray(band)
        finite = samples[np.isfinite(samples)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    low = low if high >= low else 0.0  # nothing is finite
    scale = 255.0 / (high - low) if high > low else 1.0

    def stretch(band: Image.Image) -> NDArray[np.uint8]:
        levels = (np.asarray(band, np.float64) - low) * scale
        levels = np.nan_to_num(levels, nan=0.0, posinf=255.0, neginf=0.0).round().astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=2)

    return stretch
