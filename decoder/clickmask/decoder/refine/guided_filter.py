"""A guided filter: how much of every pixel is object, as its colour tells it.

Source: "Guided Image Filtering" (He, Sun and Tang, 2010).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS_PX = 4
SMOOTHNESS = 1e-3  # variance of colour, in [0, 1], below which it sees no edge
LIMIT = 6.0  # logits beyond this are equally sure

Planes = NDArray[np.floating[Any]]  # (h, w) or (h, w, channels)


def filtered(answer: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Let colours say, around every place, how much of it is object: the best linear fit to the answer.

    Args:
        answer: Logits, (h, w), > 0 is object.
        picture: RGB, (h, w, 3).

    Returns:
        Shares of object, (h, w), about 0 to 1.
    """
    shares = answer.clip(-LIMIT, LIMIT) / (2 * LIMIT) + 0.5
    colours = picture.astype(np.float32) / 255
    mean_colour, mean_share = _mean(colours), _mean(shares)
    covariance = _mean(colours * shares[..., None]) - mean_colour * mean_share[..., None]  # (h, w, 3)
    products = colours[..., :, None] * colours[..., None, :]  # (h, w, 3, 3)
    spread = _mean(products.reshape(*shares.shape, 9)).reshape(products.shape)
    spread = spread - mean_colour[..., :, None] * mean_colour[..., None, :]
    ridge = SMOOTHNESS * np.eye(3, dtype=np.float32)
    slopes = np.linalg.solve(spread + ridge, covariance[..., None])[..., 0]
    offsets = mean_share - (slopes * mean_colour).sum(axis=-1)
    return np.asarray((_mean(slopes) * colours).sum(axis=-1) + _mean(offsets), np.float32)


def _mean(values: Planes) -> Planes:
    """Means over the square around every pixel, channel by channel."""
    side = 2 * RADIUS_PX + 1
    return np.asarray(cv2.boxFilter(values, -1, (side, side)))
