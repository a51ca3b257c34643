"""Examples: objects whose like is looked for, each as what it looks like, how large it is and what shape it has."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_box
from clickmask.decoder.similar.looks import OpenWindow, Vectors, inside_and_around, look
from clickmask.decoder.similar.windows import feature_cells, search_side, window_around

Mask = NDArray[np.bool_]  # (H, W)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One object; never changed.

    Args:
        vectors: Masked means of what it looks like, each (C, 1).
        around: Of what lies around it.
        area_share: Of its picture, in (0, 1].
        shape: See ``shape_of``.
    """

    vectors: Vectors
    around: Vectors
    area_share: float
    shape: Tensor


@dataclass(frozen=True, slots=True)
class Kind:
    """What is looked for: examples of it, and what a person said it is not."""

    examples: tuple[Example, ...]
    counterexamples: tuple[Example, ...] = ()

    def diameter_px(self, size: Size) -> float:
        """How large its objects are in a picture of this size: the root of their area, in the middle of them [px]."""
        shares = sorted(example.area_share for example in self.examples)
        return math.sqrt(shares[len(shares) // 2] * size.height * size.width)


def describe(open_window: OpenWindow, mask: Mask, geometry: Geometry) -> Example | None:
    """Say what an object looks like, seen as large as its like will be seen.

    Args:
        open_window: Encodes a window of the object's picture.
        mask: The object, at the picture's size.
        geometry: Of the network.

    Returns:
        None for an empty mask.
    """
    box = mask_to_box(mask)
    if box is None:
        return None
    size, area = Size(*mask.shape), int(np.count_nonzero(mask))
    side = search_side(size, math.sqrt(area), feature_cells(geometry))
    side = max(side, math.ceil(1.2 * max(box.x1 - box.x0, box.y1 - box.y0)))
    seen = open_window(window_around(size, ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2), side))
    looks = look(seen, geometry)
    window = seen.window
    inside = np.ascontiguousarray(mask[window.top : window.bottom, window.left : window.right])
    return Example(
        *inside_and_around(looks, torch.from_numpy(inside)[None]), area / (size.height * size.width), shape_of(inside)
    )


def shape_of(mask: Mask) -> Tensor:
    """What stays of a shape when it is turned, moved or scaled: (3,).

    Log of its longer by its shorter side, its share of the rectangle around it and of its convex hull.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return torch.zeros(3)
    points = np.concatenate(contours).reshape(-1, 2).astype(np.float32)
    _, sides, _ = cv2.minAreaRect(points)
    longer, shorter = max(sides) + 1, min(sides) + 1  # of pixels, not of their centres
    hull = cv2.contourArea(cv2.convexHull(points)) + (longer + shorter)
    area = float(np.count_nonzero(mask))
    return torch.tensor([math.log(longer / shorter), area / (longer * shorter), min(1.0, area / hull)])
