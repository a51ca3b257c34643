"""Clean a mask before it is converted: holes, specks, loose parts, ragged edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from decoder.shapes.masks import Mask


def fill_holes(mask: Mask, *, below_px: float = float("inf")) -> NDArray[np.bool_]:
    """Fill holes of fewer than ``below_px`` pixels (all by default); a hole is 4-connected and off the border."""
    raise NotImplementedError


def drop_specks(mask: Mask, *, below_px: float) -> NDArray[np.bool_]:
    """Drop 8-connected parts of fewer than ``below_px`` pixels."""
    raise NotImplementedError


def keep_largest_part(mask: Mask) -> NDArray[np.bool_]:
    """Keep the 8-connected part with the most pixels; of equals the one first met in reading order."""
    raise NotImplementedError


def smooth_mask(mask: Mask, *, radius_px: float) -> NDArray[np.bool_]:
    """Smooth ragged edges: blur by ``radius_px`` and cut at one half; lines thinner than about the radius go."""
    raise NotImplementedError
