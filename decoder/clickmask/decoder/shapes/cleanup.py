"""Clean a mask before it is converted: holes, specks, loose parts, ragged edges."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.shapes.masks import Mask, as_bytes


def fill_holes(mask: Mask, *, below_px: float = math.inf) -> NDArray[np.bool_]:
    """Fill holes of fewer than ``below_px`` pixels (all by default); a hole is 4-connected and off the border.

    Example:
        >>> fill_holes(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)).all()
        np.True_
    """
    _check_not_negative("below_px", below_px)
    pixels = as_bytes(mask)
    labels, areas = _label(pixels == 0, connectivity=4)
    hole = areas < below_px
    hole[0] = False  # label 0 is the foreground here
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        hole[border] = False
    return np.asarray((pixels != 0) | hole[labels])


def drop_specks(mask: Mask, *, below_px: float) -> NDArray[np.bool_]:
    """Drop 8-connected parts of fewer than ``below_px`` pixels.

    Example:
        >>> drop_specks(np.array([[1, 1, 0, 1]], bool), below_px=2).tolist()
        [[True, True, False, False]]
    """
    _check_not_negative("below_px", below_px)
    labels, areas = _label(as_bytes(mask) != 0, connectivity=8)
    kept = areas >= below_px
    kept[0] = False
    return np.asarray(kept[labels])


def keep_largest_part(mask: Mask) -> NDArray[np.bool_]:
    """Keep the 8-connected part with the most pixels; of equals the one first met in reading order.

    Example:
        >>> keep_largest_part(np.array([[1, 0, 1, 1]], bool)).tolist()
        [[False, False, True, True]]
    """
    labels, areas = _label(as_bytes(mask) != 0, connectivity=8)
    if len(areas) == 1:
        return np.zeros(labels.shape, np.bool_)
    candidates = np.flatnonzero(areas[1:] == areas[1:].max()) + 1
    first = labels.reshape(-1)[np.isin(labels, candidates).argmax()]
    return np.asarray(labels == first)


def smooth_mask(mask: Mask, *, radius_px: float) -> NDArray[np.bool_]:
    """Smooth ragged edges: blur by a Gaussian of ``radius_px`` and cut at one half.

    Straight edges stay where they are; lines much thinner than the radius vanish.
    Beyond the border the mask goes on as it is at the border.

    Raises:
        ShapeError: If the mask is malformed or the radius is not in [0, 1000].
    """
    _check_not_negative("radius_px", radius_px)
    if radius_px > 1_000:
        raise ShapeError(f"radius_px is {radius_px}, wanted at most 1000")
    pixels = as_bytes(mask)
    if radius_px == 0:
        return np.asarray(pixels != 0)
    level = np.where(pixels, np.float32(1), np.float32(0))
    blurred = cv2.GaussianBlur(level, (0, 0), radius_px, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred > 0.5)


def _label(pixels: NDArray[np.bool_], *, connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Label connected pixels from 1 on, shape (H, W), and count the pixels of each label, 0 included."""
    count, labels = cv2.connectedComponents(pixels.view(np.uint8), connectivity=connectivity)
    return np.asarray(labels, np.int32), np.bincount(labels.reshape(-1), minlength=count)


def _check_not_negative(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise ShapeError(f"{name} is {value!r}, wanted a number of at least 0")
