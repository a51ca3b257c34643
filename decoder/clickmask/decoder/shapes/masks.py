"""What a mask is, and how two of them compare."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size

Mask = NDArray[np.bool_] | NDArray[np.uint8]  # (H, W); any value but 0 is foreground

MAX_PIXELS = 2**27  # more than any picture that is read; files may claim what they like


def as_bytes(mask: Mask) -> NDArray[np.uint8]:
    """Return the mask as C-ordered bytes, shape (H, W), 0 is background; no copy where none is needed.

    Raises:
        ShapeError: If it is not a 2-D bool or uint8 array, has no pixel or more than 2^27.
    """
    if not isinstance(mask, np.ndarray):
        raise ShapeError(f"the mask is a {type(mask).__name__}, wanted a NumPy array of shape (height, width)")
    if mask.ndim != 2:
        raise ShapeError(f"the mask has shape {mask.shape}, wanted (height, width)")
    if mask.dtype != np.bool_ and mask.dtype != np.uint8:
        raise ShapeError(f"the mask has dtype {mask.dtype}, wanted bool or uint8")
    check_size(Size(*mask.shape))
    return np.ascontiguousarray(mask).view(np.uint8)


def check_size(size: Size) -> Size:
    """Return the size if a mask can have it: at least 1x1 and at most 2^27 pixels."""
    for side in (size.height, size.width):
        if isinstance(side, bool) or not isinstance(side, int | np.integer):
            raise ShapeError(f"size {size} has a side of type {type(side).__name__}, wanted whole numbers")
    if size.height < 1 or size.width < 1:
        raise ShapeError(f"size {size} has no pixel, wanted at least 1x1")
    if size.height * size.width > MAX_PIXELS:
        raise ShapeError(f"size {size} has {size.height * size.width} pixels, wanted at most {MAX_PIXELS}")
    return Size(int(size.height), int(size.width))


def mask_size(mask: NDArray[Any]) -> Size:
    """The mask's height and width [px]."""
    return Size(int(mask.shape[0]), int(mask.shape[1]))


def window(pixels: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """Rows and columns of the smallest rectangle that holds all foreground; None if there is none."""
    rows = np.flatnonzero(np.bitwise_or.reduce(pixels, axis=1))  # four times as fast as cv2.boundingRect on 12 MB
    if not rows.size:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(np.bitwise_or.reduce(pixels[top:bottom], axis=0))
    return slice(top, bottom), slice(int(columns[0]), int(columns[-1]) + 1)


def mask_iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks of one size, in [0, 1]; two empty masks score 1.

    Raises:
        ShapeError: If a mask is malformed or the sizes differ.

    Example:
        >>> a = np.array([[1, 1, 0]], bool)
        >>> mask_iou(a, np.array([[0, 1, 1]], bool))
        0.3333333333333333
    """
    first, second = as_bytes(a) != 0, as_bytes(b) != 0
    if first.shape != second.shape:
        raise ShapeError(f"the masks differ in size: got {mask_size(first)} and {mask_size(second)}, wanted one size")
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 1.0
