"""Boxes around masks, upright and rotated, and masks from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decoder.prompts import Box, Size
from decoder.shapes.masks import Mask


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
        """Corner points [px], shape (4, 2): top-left before turning, then clockwise."""
        raise NotImplementedError


def mask_to_box(mask: Mask) -> Box | None:
    """The smallest upright box around all foreground, to pixel edges; None for an empty mask."""
    raise NotImplementedError


def box_to_mask(box: Box, size: Size) -> NDArray[np.bool_]:
    """Fill a box: pixels whose centre lies in [x0, x1) x [y0, y1), shape (H, W)."""
    raise NotImplementedError


def mask_to_rotated_box(mask: Mask) -> RotatedBox | None:
    """The rotated rectangle of least area around all pixels; None for an empty mask."""
    raise NotImplementedError


def rotated_box_to_mask(box: RotatedBox, size: Size) -> NDArray[np.bool_]:
    """Fill a rotated box: pixels whose centre lies inside, shape (H, W)."""
    raise NotImplementedError
