"""PNG files that hold labels instead of colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.output import make_folder
from clickmask.decoder.images import BROKEN_PICTURE


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Return the palette indices or grey values of a PNG, shape (H, W), or its colours, (H, W, 3).

    Raises:
        DatasetError: If it is not there or no picture.
    """
    try:
        with Image.open(path) as picture:
            plain = picture if picture.mode in ("P", "L", "1", "RGB") else picture.convert("RGB")
            return np.array(plain).astype(np.uint8)
    except BROKEN_PICTURE as error:
        raise DatasetError(f"{path}: cannot be read as a picture: {error}") from None


def read_indices(path: Path) -> NDArray[np.uint8]:
    """Return the palette indices of a PNG, or 1 where one without palette is not black, shape (H, W).

    Raises:
        DatasetError: If it is not there or no picture.
    """
    try:
        with Image.open(path) as picture:
            if picture.mode == "P":
                return np.array(picture)
    except BROKEN_PICTURE as error:
        raise DatasetError(f"{path}: cannot be read as a picture: {error}") from None
    return read_binary(path).astype(np.uint8)


def read_binary(path: Path) -> NDArray[np.bool_]:
    """Return where a picture is not black and not transparent, shape (H, W).

    Raises:
        DatasetError: If it is not there or no picture.
    """
    try:
        with Image.open(path) as picture:
            color = np.array(picture.convert("RGBA"))  # (H, W, 4)
    except BROKEN_PICTURE as error:
        raise DatasetError(f"{path}: cannot be read as a picture: {error}") from None
    return color[..., :3].any(axis=2) & (color[..., 3] > 0)


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


def _save(picture: Image.Image, path: Path) -> None:
    make_folder(path.parent)
    try:
        picture.save(path, format="PNG", optimize=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be written: {error}") from None
