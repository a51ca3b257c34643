"""Where to look closer at an answer, and what a prompt is there.

A window's edges are rounded to a coarse raster, so that the next click mostly falls on the same crop and a cache can
keep its embedding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from decoder.prompts import Box, Point, Prompt, Size

MARGIN = 0.4  # around the mask and what was pointed at, of their size, both sides together on each axis
LARGEST_SHARE = 0.6  # of the image's area; a larger window shows nothing new
RASTER = 32  # window edges lie on multiples of 1/32 of the image's sides
SMALLEST_SIDE_PX = 32


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole pixels of an image: columns [left, right), rows [top, bottom)."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        """Of the window [px]."""
        return Size(self.bottom - self.top, self.right - self.left)

    def crop(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The window's pixels of an image (H, W, 3)."""
        return np.ascontiguousarray(image[self.top : self.bottom, self.left : self.right])


def zoom_window(logits: Tensor, prompt: Prompt, size: Size) -> Window | None:
    """Where to look closer at an answer.

    Args:
        logits: The answer on the whole image, shape (h, w), > 0 is object.
        prompt: What was asked, in pixels of the image.
        size: Of the image.

    Returns:
        A window around the mask, the positive clicks and the box; None if the mask is empty or fills so much of
        the image that a crop would show nothing new.
    """
    answer = logits > 0
    if not bool(answer.any()):
        return None
    columns, rows = answer.any(dim=0).nonzero(), answer.any(dim=1).nonzero()
    scale_x, scale_y = size.width / logits.shape[1], size.height / logits.shape[0]
    xs = [float(columns[0]) * scale_x, (float(columns[-1]) + 1) * scale_x]
    ys = [float(rows[0]) * scale_y, (float(rows[-1]) + 1) * scale_y]
    xs += [point.x for point in prompt.points if point.positive]
    ys += [point.y for point in prompt.points if point.positive]
    if prompt.box is not None:
        xs += [prompt.box.x0, prompt.box.x1]
        ys += [prompt.box.y0, prompt.box.y1]
    left, right = _widen(min(xs), max(xs), size.width)
    top, bottom = _widen(min(ys), max(ys), size.height)
    window = Window(left, top, right, bottom)
    area_share = window.size.height * window.size.width / (size.height * size.width)
    return window if area_share < LARGEST_SHARE else None


def zoom_prompt(window: Window, prompt: Prompt, logits: Tensor, size: Size) -> Prompt:
    """The prompt in the window's own pixels, with the answer's part inside as its mask; clicks outside are left out."""
    return Prompt(
        points=tuple(
            Point(p.x - window.left, p.y - window.top, p.positive)
            for p in prompt.points
            if window.left <= p.x <= window.right and window.top <= p.y <= window.bottom
        ),
        box=None if prompt.box is None else _moved(prompt.box, window),
        mask_logits=crop_logits(logits, window, size),
    )


def crop_logits(logits: Tensor, window: Window, size: Size) -> Tensor:
    """Bilinear samples of the logits (h, w) on a grid of the same shape over the window."""
    centre = ((window.left + window.right) / size.width - 1, (window.top + window.bottom) / size.height - 1)
    half = (window.size.width / size.width, window.size.height / size.height)
    to_whole = torch.tensor([[[half[0], 0.0, centre[0]], [0.0, half[1], centre[1]]]])
    grid = F.affine_grid(to_whole, [1, 1, *logits.shape], align_corners=False)
    sampled = F.grid_sample(logits[None, None].float(), grid, padding_mode="border", align_corners=False)
    return sampled[0, 0]


def _widen(low: float, high: float, length: int) -> tuple[int, int]:
    """Add the margin, round outwards to the raster, stay inside."""
    margin = max(MARGIN / 2 * (high - low), (SMALLEST_SIDE_PX - (high - low)) / 2)
    step = length / RASTER
    first = math.floor((low - margin) / step) * step
    last = math.ceil((high + margin) / step) * step
    return max(0, math.floor(first)), min(length, math.ceil(last))


def _moved(box: Box, window: Window) -> Box:
    """A box in the window's own pixels."""
    return Box(box.x0 - window.left, box.y0 - window.top, box.x1 - window.left, box.y1 - window.top)
