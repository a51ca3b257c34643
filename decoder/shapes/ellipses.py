"""Ellipses fitted to masks, and masks from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decoder.prompts import Size
from decoder.shapes.masks import Mask


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse turned clockwise (on screen) about its centre by 0 <= angle < 180 degrees [px]."""

    center_x: float
    center_y: float
    radius_x: float
    radius_y: float
    angle_degrees: float


def mask_to_ellipse(mask: Mask) -> Ellipse | None:
    """The ellipse with the mask's area, centre and axes of inertia; None for an empty mask."""
    raise NotImplementedError


def ellipse_to_mask(ellipse: Ellipse, size: Size) -> NDArray[np.bool_]:
    """Fill an ellipse: pixels whose centre lies inside, shape (H, W)."""
    raise NotImplementedError
