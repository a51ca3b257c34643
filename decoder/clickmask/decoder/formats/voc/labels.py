"""Pascal VOC's label pictures, by palette index or by colour, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.voc.palette import VOID, Color, voc_palette

Numbers = NDArray[np.int64]  # (H, W)


def class_numbers(labels: NDArray[np.uint8], colors: Sequence[Color], where: str) -> Numbers:
    """Return the class of every pixel, counted from 1; 0 is background or void.

    Args:
        labels: Palette indices, shape (H, W), or colours, shape (H, W, 3).
        colors: The classes' colours in order.
        where: Names the picture in the error.

    Raises:
        DatasetError: If there is a label that no class has.
    """
    if labels.ndim == 2:
        numbers = np.where(labels == VOID, 0, labels).astype(np.int64)
        unknown = np.unique(numbers[numbers > len(colors)]).tolist()
    else:
        codes = _codes(labels)
        numbers = np.zeros(codes.shape, dtype=np.int64)
        for number, color in enumerate(colors, start=1):
            numbers[codes == _code(color)] = number
        unknown = np.unique(codes[(numbers == 0) & (codes != 0) & (codes != _void_code())]).tolist()
    if unknown:
        raise DatasetError(f"{where}: has the label {unknown[0]}, wanted one of the {len(colors)} classes")
    return numbers


def object_numbers(labels: NDArray[np.uint8]) -> Numbers:
    """Return a number per object for every pixel, equal labels equal numbers; 0 is background or void.

    Args:
        labels: Palette indices, shape (H, W), or colours, shape (H, W, 3).
    """
    if labels.ndim == 2:
        return np.where(labels == VOID, 0, labels).astype(np.int64)
    codes = _codes(labels)
    return np.where(codes == _void_code(), 0, codes)


def _codes(colors: NDArray[np.uint8]) -> Numbers:
    """One number per colour: (H, W, 3) -> (H, W)."""
    wide = colors.astype(np.int64)
    codes: Numbers = (wide[..., 0] << 16) + (wide[..., 1] << 8) + wide[..., 2]
    return codes


def _code(color: Color) -> int:
    return (color[0] << 16) + (color[1] << 8) + color[2]


def _void_code() -> int:
    red, green, blue = voc_palette()[VOID].tolist()
    return _code((red, green, blue))
