"""Masks as prompts: what a network is told of a mask that is there already."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from clickmask.decoder.prompts import Point, Prompt, Size
from clickmask.decoder.shapes.depth import deepest_point
from clickmask.decoder.shapes.masks import Mask, as_bytes

GRID_CELLS = 256  # a side of the grid on which a mask is handed on; finer than nano's own, for what is small
SURE_LOGIT = 8.0  # how sure the network is told to be of a mask that a person saw


def mask_to_logits(mask: Mask, sureness: float = SURE_LOGIT) -> Tensor:
    """Turn a mask into logits for a prompt.

    Args:
        mask: Shape (H, W).
        sureness: Logit of cells that are all object; those without any get its negative.

    Returns:
        Shape (256, 256), float32, in between by the share of each cell that is object.

    Raises:
        ShapeError: If the mask is malformed.
    """
    covered = (as_bytes(mask) != 0).view(np.uint8) * np.uint8(255)
    share = cv2.resize(covered, (GRID_CELLS, GRID_CELLS), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return torch.from_numpy((2 * share - 1) * np.float32(sureness))


def anchor_negative_clicks(prompt: Prompt, size: Size) -> Prompt:
    """Add a click in the middle of what is left to a prompt that only takes away from a mask.

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
    inside = (prompt.mask_logits > 0).numpy()
    down, across = inside.shape[0] / size.height, inside.shape[1] / size.width
    for point in prompt.points:
        inside[min(int(point.y * down), len(inside) - 1), min(int(point.x * across), inside.shape[1] - 1)] = False
    deepest = deepest_point(inside)
    if deepest is None:
        return prompt
    middle = deepest[0]
    return replace(prompt, points=(*prompt.points, Point(middle.x / across, middle.y / down)))
