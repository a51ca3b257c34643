"""Small pictures of five red discs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder import Size

SIZE = Size(120, 160)
SIZE_HW = (SIZE.height, SIZE.width)
PLACES = ((30, 30), (85, 28), (130, 70), (40, 90), (90, 85))  # (x, y) [px]
RADIUS_PX = 13


def discs() -> list[NDArray[np.bool_]]:
    """The masks."""
    return [cv2.circle(np.zeros(SIZE_HW, np.uint8), place, RADIUS_PX, 1, -1) > 0 for place in PLACES]


def pixels(seed: int) -> NDArray[np.uint8]:
    """The discs on grey noise, (H, W, 3) RGB."""
    drawn = np.random.default_rng(seed).normal(150, 6, (*SIZE_HW, 3))
    for mask in discs():
        drawn[mask] = (200, 40, 30)
    return np.asarray(cv2.GaussianBlur(drawn, (3, 3), 0.7).clip(0, 255), np.uint8)


def draw(path: Path, seed: int) -> None:
    """Write them."""
    Image.fromarray(pixels(seed)).save(path)
