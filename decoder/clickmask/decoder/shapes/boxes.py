"""Boxes around masks, upright and rotated, and masks from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes.masks import Mask, as_bytes, check_size, window

BAND_PIXELS = 2**20  # whose places are computed at once


@dataclass(frozen=True, slots=True)
class RotatedBox:
    """A rectangle turned clockwise (on screen) about its centre by 0 <= angle < 180 degrees [px]."""

    center_x: float
    center_y: float
    width: float
    height: float
    angle_degrees: float

    @property
    def corners(self) -> NDArray[np.float64]:
        """Corner points [px], shape (4, 2): top-left before turning, then clockwise.

        Example:
            >>> RotatedBox(5.0, 5.0, 4.0, 2.0, 0.0).corners.tolist()
            [[3.0, 4.0], [7.0, 4.0], [7.0, 6.0], [3.0, 6.0]]
        """
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [self.width / 2, self.height / 2]
        cos, sin = math.cos(math.radians(self.angle_degrees)), math.sin(math.radians(self.angle_degrees))
        return np.asarray(corners @ np.array([[cos, sin], [-sin, cos]]) + [self.center_x, self.center_y])


def mask_to_box(mask: Mask) -> Box | None:
    """The smallest upright box around all foreground, to pixel edges; None for an empty mask.

    Example:
        >>> mask_to_box(np.array([[0, 0, 0], [0, 1, 1]], bool))
        Box(x0=1.0, y0=1.0, x1=3.0, y1=2.0)
    """
    found = window(as_bytes(mask))
    if found is None:
        return None
    rows, columns = found
    return Box(float(columns.start), float(rows.start), float(columns.stop), float(rows.stop))


def box_to_mask(box: Box, size: Size) -> NDArray[np.bool_]:
    """Fill a box: pixels whose centre lies in [x0, x1) x [y0, y1), shape (H, W).

    Example:
        >>> box_to_mask(Box(0.5, 0.0, 2.5, 1.0), Size(1, 3)).tolist()
        [[True, True, False]]
    """
    size = check_size(size)
    _check_finite("box", *box.xyxy)
    x, y = _pixel_centers(size)
    return np.asarray((x >= box.x0) & (x < box.x1) & (y >= box.y0) & (y < box.y1))


def mask_to_rotated_box(mask: Mask) -> RotatedBox | None:
    """The rotated rectangle of least area around all pixels; None for an empty mask.

    Example:
        >>> mask_to_rotated_box(np.ones((2, 5), bool))
        RotatedBox(center_x=2.5, center_y=1.0, width=5.0, height=2.0, angle_degrees=0.0)
    """
    pixels = as_bytes(mask)
    found = window(pixels)
    if found is None:
        return None
    (x, y), (width, height), angle = cv2.minAreaRect(_extreme_corners(pixels, found))
    if angle >= 45:  # of the four ways to say it, the one nearest to upright
        width, height, angle = height, width, angle - 90
    return RotatedBox(float(x), float(y), float(width), float(height), float(angle % 180))


def rotated_box_to_mask(box: RotatedBox, size: Size) -> NDArray[np.bool_]:
    """Fill a rotated box: pixels whose centre lies inside, shape (H, W)."""
    size = check_size(size)
    _check_finite("rotated box", box.center_x, box.center_y, box.width, box.height, box.angle_degrees)

    def inside(along: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray((np.abs(along) <= box.width / 2) & (np.abs(across) <= box.height / 2))

    return fill_turned(size, box.center_x, box.center_y, box.angle_degrees, inside)


Inside = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]


def fill_turned(
    size: Size, center_x: float, center_y: float, angle_degrees: float, inside: Inside
) -> NDArray[np.bool_]:
    """Fill a shape, shape (H, W), a band of rows at a time.

    Args:
        size: Of the image.
        center_x: Where the shape's own axes meet [px].
        center_y: Likewise.
        angle_degrees: How far they are turned clockwise.
        inside: Says of places along and across the turned axis [px] whether they belong to the shape.
    """
    x, y = _pixel_centers(size)
    cos, sin = math.cos(math.radians(angle_degrees)), math.sin(math.radians(angle_degrees))
    mask = np.empty((size.height, size.width), np.bool_)
    rows = max(1, BAND_PIXELS // size.width)
    for top in range(0, size.height, rows):
        right, down = x - center_x, y[top : top + rows] - center_y
        mask[top : top + rows] = inside(right * cos + down * sin, down * cos - right * sin)
    return mask


def _pixel_centers(size: Size) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Column centres of shape (1, W) and row centres of shape (H, 1)."""
    x, y = np.arange(size.width, dtype=np.float64), np.arange(size.height, dtype=np.float64)
    return x[None, :] + 0.5, y[:, None] + 0.5


def _extreme_corners(pixels: NDArray[np.uint8], found: tuple[slice, slice]) -> NDArray[np.float32]:
    """Outer pixel corners of the first and last pixel of each row: enough for any hull, shape (N, 2)."""
    rows = np.flatnonzero(pixels[found].any(axis=1)) + found[0].start
    inside = pixels[rows, found[1]] != 0
    left = inside.argmax(axis=1) + found[1].start
    right = found[1].stop - inside[:, ::-1].argmax(axis=1)
    x = np.concatenate([left, left, right, right])
    y = np.concatenate([rows, rows + 1, rows, rows + 1])
    return np.stack([x, y], axis=1).astype(np.float32)


def _check_finite(what: str, *values: float) -> None:
    if not all(math.isfinite(value) for value in values):
        raise ShapeError(f"the {what} {values} is not finite")


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1].

    Example:
        >>> box_iou(Box(0, 0, 2, 2), Box(1, 0, 3, 2))
        0.3333333333333333
    """
    width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(width, 0) * max(height, 0)
    areas = [(box.x1 - box.x0) * (box.y1 - box.y0) for box in (a, b)]
    return shared / (sum(areas) - shared)
