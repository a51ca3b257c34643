"""Read any picture as upright RGB."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from clickmask.decoder.errors import ImageError

MAX_PIXELS = 89_478_485  # Pillow's own line for a decompression bomb: 256 MiB of RGB
BROKEN_PICTURE = (  # what Pillow's decoders raise on bad data; AVIF's a RuntimeError
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    Image.DecompressionBombError,
)
_WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")  # more than 8 bits per sample


LoadImage = Callable[[], NDArray[np.uint8]]  # gives (H, W, 3) RGB; called only when pixels are needed


@dataclass(frozen=True, slots=True)
class ImageSource:
    """An image by name, read only if its pixels are needed.

    Args:
        key: Names the image's content: equal keys must mean equal pixels.
        load: Gives the pixels, RGB, shape (H, W, 3), uint8.
    """

    key: str
    load: LoadImage


def load_image(source: str | Path | bytes | Image.Image) -> NDArray[np.uint8]:
    """Read a picture.

    Handles EXIF rotation, grey, palette, CMYK, alpha (laid over white), and samples wider
    than 8 bits, which are stretched from their own minimum and maximum to 0 and 255. Of an
    animation the first frame is taken.

    Args:
        source: A file's path, the bytes of a file, or a PIL image.

    Returns:
        Upright RGB, shape (H, W, 3), uint8.

    Raises:
        ImageError: If the file is missing, no picture, truncated, or has more than
            ``MAX_PIXELS`` pixels.

    Example:
        >>> load_image(Image.new("L", (4, 2), 7)).shape
        (2, 4, 3)
    """
    name = _name(source)
    try:
        image = _open(source)
        if image.width * image.height > MAX_PIXELS:
            raise ImageError(f"{name} has {image.width}x{image.height} pixels, wanted at most {MAX_PIXELS}")
        return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist") from error
    except (IsADirectoryError, PermissionError) as error:
        raise ImageError(f"{name} cannot be opened: {error.strerror}") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is not a picture that can be read (JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF)") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name} is too large: {error}") from error
    except BROKEN_PICTURE as error:
        raise ImageError(f"{name} is broken or cut short: {error}") from error


def _open(source: str | Path | bytes | Image.Image) -> Image.Image:
    if isinstance(source, Image.Image):
        return source
    return Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)


def _name(source: str | Path | bytes | Image.Image) -> str:
    if isinstance(source, bytes):
        return f"the picture of {len(source)} bytes"
    return "the picture" if isinstance(source, Image.Image) else str(source)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _WIDE_MODES:
        return _stretch(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Bring samples of any range to 8 bits; NaN counts as the minimum."""
    samples = np.asarray(image, dtype=np.float64)
    finite = samples[np.isfinite(samples)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    scale = 255.0 / (high - low) if high > low else 1.0
    levels = np.nan_to_num((samples - low) * scale, nan=0.0, posinf=255.0, neginf=0.0)
    return Image.fromarray(levels.round().astype(np.uint8))
