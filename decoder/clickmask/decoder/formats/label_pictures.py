"""Pictures whose pixels are numbers of objects: palette, grey, 16 bit or coloured, PNG, TIFF or BMP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.png_files import open_labels

SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp"})
MAX_OBJECTS = 65_535
_FEW_VALUES = 64  # a picture of fewer is one of labels whatever it looks like
_MOST_EDGES = 1 / 3  # of neighbouring pixels that differ: dense cells reach a tenth, photos nearly all


@dataclass(frozen=True, slots=True)
class LabelPicture:
    """The objects of a picture.

    Args:
        labels: Number of every pixel's object, 0 is background, shape (H, W).
        is_soft: Whether edges were grey, and cut at half.
        is_color: Whether the numbers are colours, red << 16 | green << 8 | blue.
        has_palette: Whether the numbers are palette indices.
    """

    labels: NDArray[np.int64]
    is_soft: bool = False
    is_color: bool = False
    has_palette: bool = False


def read_label_picture(path: Path) -> LabelPicture:
    """Read a picture of labels: one object per palette index, grey value or colour; black is background.

    A picture of one value besides black is a mask of one object; so is a grey one that is mostly
    white where it is not black, with soft edges.

    Raises:
        DatasetError: If it is not there, no picture, or looks like a photo.
    """
    with open_labels(path) as picture:
        mode = picture.mode
        values = _values(picture, path)
    if mode == "P":
        return LabelPicture(values, has_palette=True)
    kinds = np.unique(values[values != 0])
    if len(kinds) > 2 and kinds[-1] == 255 and mode == "L" and _is_soft(values):
        return LabelPicture((values >= 128).astype(np.int64), is_soft=True)
    _refuse_photo(values, len(kinds), path)
    return LabelPicture(values, is_color=mode not in ("1", "L", "I", "F") and not mode.startswith("I;"))


def label_fields(picture: LabelPicture, number: int) -> dict[str, Any]:
    """Return what an object's number was in the picture, where it says something."""
    if picture.is_soft or picture.has_palette or number in (1, 255, 0xFFFFFF):
        return {}
    return {"label_value": f"#{number:06x}" if picture.is_color else number}


def _values(picture: Image.Image, path: Path) -> NDArray[np.int64]:
    """One number per pixel, shape (H, W)."""
    if picture.mode in ("1", "L", "P", "I") or picture.mode.startswith("I;"):
        return np.array(picture).astype(np.int64)
    if picture.mode == "F":
        samples = np.array(picture)
        if not np.isfinite(samples).all() or (samples != np.round(samples)).any():
            raise DatasetError(f"{path}: has samples that are no whole numbers, wanted labels")
        return samples.astype(np.int64)
    color = np.array(picture.convert("RGBA")).astype(np.int64)  # (H, W, 4)
    codes = (color[..., 0] << 16) + (color[..., 1] << 8) + color[..., 2]
    return np.asarray(np.where(color[..., 3] > 0, codes, 0))


def _is_soft(values: NDArray[np.int64]) -> bool:
    return bool(np.count_nonzero(values == 255) >= np.count_nonzero(values) / 2)


def _refuse_photo(values: NDArray[np.int64], kinds: int, path: Path) -> None:
    if kinds > MAX_OBJECTS:
        raise DatasetError(f"{path}: has {kinds} values, wanted labels of at most {MAX_OBJECTS} objects")
    if kinds <= _FEW_VALUES:
        return
    edges = np.count_nonzero(np.diff(values, axis=1)) / max(values[:, 1:].size, 1)
    if edges > _MOST_EDGES:
        got = f"{kinds} values, and {edges:.0%} of neighbouring pixels differ"
        raise DatasetError(f"{path}: has {got}: it looks like a photo, wanted a picture of labels")
