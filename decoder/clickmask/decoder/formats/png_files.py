"""PNG files that hold labels instead of colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import DatasetError, ImageError
from clickmask.decoder.formats.output import make_folder
from clickmask.decoder.images import open_picture, row_bands


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Return the palette indices or grey values of a PNG, shape (H, W), or its colours, (H, W, 3).

    Raises:
        DatasetError: If it is not there or no picture.
    """
    with open_labels(path) as picture:
        plain = picture if picture.mode in ("P", "L", "1", "RGB") else picture.convert("RGB")
        return np.array(plain).astype(np.uint8, copy=False)


def read_binary(path: Path) -> NDArray[np.bool_]:
    """Return where a picture is not black and not transparent, shape (H, W).

    Raises:
        DatasetError: If it is not there or no picture.
    """
    with open_labels(path) as picture:
        return _not_black(picture)


def write_palette(path: Path, labels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> None:
    """Write indices, shape (H, W), as a PNG with a palette of colours, shape (256, 3).

    Raises:
        DatasetError: If it cannot be written.
    """
    picture = Image.fromarray(labels)
    picture.putpalette(palette.tobytes())
    _save(picture, path)


def write_binary(path: Path, mask: NDArray[np.bool_]) -> None:
    """Write a mask, shape (H, W), as a PNG of one bit per pixel: white on black.

    Raises:
        DatasetError: If it cannot be written.
    """
    _save(Image.fromarray(mask), path)


def write_numbers(path: Path, numbers: NDArray[np.uint16]) -> None:
    """Write numbers, shape (H, W), as a grey picture of 16 bit: TIFF where the path ends so, else PNG.

    Raises:
        DatasetError: If it cannot be written.
    """
    _save(Image.fromarray(numbers), path)


@contextmanager
def open_labels(path: Path) -> Iterator[Image.Image]:
    """Open a picture whose pixels are numbers, as it is stored.

    Raises:
        DatasetError: If it is not there, no picture or broken, also within the ``with`` block.
    """
    try:
        with open_picture(path) as picture:
            yield picture
    except ImageError as error:
        raise DatasetError(str(error)) from None


def _not_black(picture: Image.Image) -> NDArray[np.bool_]:
    """Where a picture is neither black nor transparent, shape (H, W)."""
    mask = np.empty((picture.height, picture.width), np.bool_)
    for rows, band in row_bands(picture):
        color = np.array(band.convert("RGBA"))  # (rows, W, 4)
        mask[rows] = color[..., :3].any(axis=2) & (color[..., 3] > 0)
    return mask


def _save(picture: Image.Image, path: Path) -> None:
    make_folder(path.parent)
    try:
        if path.suffix == ".tif":
            picture.save(path, format="TIFF", compression="tiff_adobe_deflate")
        else:
            picture.save(path, format="PNG")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be written: {error}") from None
