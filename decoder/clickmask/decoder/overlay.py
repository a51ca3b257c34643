"""Draw an answer on its picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from clickmask.decoder.prompts import Prompt

TINT = (30, 144, 255)
POSITIVE_COLOUR, NEGATIVE_COLOUR = (46, 204, 113), (231, 76, 60)


def draw_overlay(image: NDArray[np.uint8], mask: NDArray[np.bool_], prompt: Prompt) -> NDArray[np.uint8]:
    """Tint the mask, trace its outline, mark clicks and box.

    Args:
        image: RGB, shape (H, W, 3), uint8; not changed.
        mask: Shape (H, W).
        prompt: In pixels of the image.

    Returns:
        RGB, shape (H, W, 3), uint8.
    """
    unit = max(2, round(max(image.shape[:2]) / 400))  # line width that reads the same on any size [px]
    tinted = image.copy()
    tinted[mask] = (0.5 * image[mask] + 0.5 * np.array(TINT)).astype(np.uint8)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tinted, outlines, -1, (255, 255, 255), unit)
    picture = Image.fromarray(tinted)
    _mark(ImageDraw.Draw(picture), prompt, unit)
    return np.array(picture)


def _mark(draw: ImageDraw.ImageDraw, prompt: Prompt, unit: int) -> None:
    if prompt.box is not None:
        draw.rectangle(prompt.box.xyxy, outline=POSITIVE_COLOUR, width=unit)
    radius = 3 * unit
    for point in prompt.points:
        circle = (point.x - radius, point.y - radius, point.x + radius, point.y + radius)
        fill = POSITIVE_COLOUR if point.positive else NEGATIVE_COLOUR
        draw.ellipse(circle, fill=fill, outline="white", width=max(1, unit // 2))
