"""Prompts that only take away from a mask: somebody has to say what is to be left."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from clickmask.decoder.prompts import Point, Prompt, Size


def with_what_stays(prompt: Prompt, size: Size) -> Prompt:
    """A prompt that only takes away from a mask, with a click in the middle of what is left.

    Networks learn from prompts that point at the object; one that points past it is answered with nothing.

    Args:
        prompt: In pixels.
        size: Of the image.

    Returns:
        The prompt itself where it points at the object, or has no mask to take away from.
    """
    points_at_it = prompt.box is not None or any(point.positive for point in prompt.points)
    if points_at_it or not prompt.points or prompt.mask_logits is None:
        return prompt
    inside = (prompt.mask_logits > 0).numpy().astype(np.uint8)
    down, across = inside.shape[0] / size.height, inside.shape[1] / size.width
    for point in prompt.points:
        inside[min(int(point.y * down), len(inside) - 1), min(int(point.x * across), inside.shape[1] - 1)] = 0
    depth = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    middle = Point((float(column) + 0.5) / across, (float(row) + 0.5) / down)
    return replace(prompt, points=(*prompt.points, middle)) if inside.any() else prompt
