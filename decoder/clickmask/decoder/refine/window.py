"""Where to look a second time, and what a prompt is there.

A window's edges are rounded to a coarse raster, so that the next click mostly falls on the same crop and a cache can
keep its embedding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.prompts import Box, Point, Prompt, Size
from clickmask.decoder.shapes import mask_to_box

MARGIN = 0.4  # around the mask and what was pointed at, of their size, both sides together on each axis
LARGEST_SHARE = 0.6  # of the image's area; a larger window shows nothing new
RASTER = 32  # window edges lie on multiples of 1/32 of the image's sides
SMALLEST_SIDE_PX = 32
VIEW_GROWTH = (0.0, 1.0, 3.0)  # by which a view is widened, of its sides, while its object goes on outside
SMALL_CELLS = 16  # a window that spans fewer of a mask's cells a side shows what the whole image cannot

Mask = NDArray[np.bool_]  # (H, W)
Extent = tuple[float, float, float, float]  # (x0, y0, x1, y1) [px]


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

    @property
    def area(self) -> int:
        """[px]."""
        return self.size.height * self.size.width

    def crop(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The window's pixels of an image (H, W, 3)."""
        return np.ascontiguousarray(image[self.top : self.bottom, self.left : self.right])

    def place(
        self, inside: NDArray[np.bool_], size: Size, around: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Put a mask of the window into one of the image (H, W): into ``around``, or into nothing."""
        whole = np.zeros((size.height, size.width), np.bool_) if around is None else around.copy()
        whole[self.top : self.bottom, self.left : self.right] = inside
        return whole

    def cuts_off(self, inside: Mask, size: Size) -> bool:
        """Whether a mask of the window reaches a side of it that is not the image's, so that it may go on outside."""
        sides = (
            (self.left > 0, inside[:, 0]),
            (self.top > 0, inside[0]),
            (self.right < size.width, inside[:, -1]),
            (self.bottom < size.height, inside[-1]),
        )
        return any(goes_on and bool(side.any()) for goes_on, side in sides)


def tile_view(prompt: Prompt, size: Size, tile_px: int) -> Box | None:
    """The tile of a large image that a prompt is in, as a view; None if it points at more than a tile.

    Clicks that are near to each other mostly have the same one.

    Args:
        prompt: In pixels of the image.
        size: Of the image.
        tile_px: Side of a tile [px].

    Example:
        >>> tile_view(Prompt(points=(Point(5000.0, 20.0),)), Size(9000, 12000), 1024)
        Box(x0=4480, y0=0, x1=5504, y1=1024)
    """
    extents = _pointed_at(prompt)
    if not extents:
        return None
    lefts, tops, rights, bottoms = zip(*extents, strict=True)
    left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    if max(right - left, bottom - top) > tile_px / 2:
        return None
    x, y = _tile_start(left, right, size.width, tile_px), _tile_start(top, bottom, size.height, tile_px)
    return Box(x, y, min(x + tile_px, size.width), min(y + tile_px, size.height))


def _tile_start(low: float, high: float, length: int, tile_px: int) -> int:
    step = tile_px // 8
    wanted = round(((low + high) / 2 - tile_px / 2) / step) * step
    return max(0, min(wanted, length - tile_px))


def view_windows(prompt: Prompt, size: Size) -> list[Window]:
    """Where to look at a prompt that comes with a view: what is on the screen, then twice as far, and so on.

    Args:
        prompt: With a view, in pixels of the image.
        size: Of the image.

    Returns:
        Smallest first, around the view and all that was pointed at; none where that is almost all of the image.
    """
    assert prompt.view is not None
    extents = [prompt.view.xyxy, *_pointed_at(prompt)]
    if prompt.mask is None and prompt.mask_logits is not None:  # the answer so far, which may change anywhere
        extents += [bounds for bounds in [_bounds(prompt.mask_logits, size)] if bounds]
    lefts, tops, rights, bottoms = zip(*extents, strict=True)
    left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    windows = []
    for growth in VIEW_GROWTH:
        across, down = growth * (right - left) / 2, growth * (bottom - top) / 2
        x, y = _rounded(left - across, right + across, size.width), _rounded(top - down, bottom + down, size.height)
        window = Window(x[0], y[0], x[1], y[1])
        if window.area < LARGEST_SHARE * size.height * size.width:
            windows.append(window)
    return windows


def crop_prompt(window: Window, prompt: Prompt, size: Size) -> Prompt:
    """A prompt with a view in the window's own pixels, its mask cut out; clicks outside are left out."""
    if prompt.mask is None:
        return zoom_prompt(window, prompt, prompt.mask_logits, size)
    moved = zoom_prompt(window, prompt, None, size)
    inside = np.ascontiguousarray(prompt.mask[window.top : window.bottom, window.left : window.right])
    return replace(moved, mask=inside)


def _rounded(low: float, high: float, length: int) -> tuple[int, int]:
    """Round outwards to a raster of about an eighth of the stretch, so that windows are found again; stay inside."""
    step = 2 ** max(0, math.floor(math.log2(max(1.0, (high - low) / 8))))
    return max(0, math.floor(low / step) * step), min(length, math.ceil(high / step) * step)


def zoom_window(logits: Tensor, prompt: Prompt, size: Size) -> Window | None:
    """Where to look a second time at an answer.

    Args:
        logits: The answer on the whole image, shape (h, w), > 0 is object.
        prompt: What was asked, in pixels of the image.
        size: Of the image.

    Returns:
        A window around the mask, the positive clicks and the box; None if the mask is empty or fills so much of
        the image that a crop would show nothing new.
    """
    answer = _bounds(logits, size)
    if answer is None:
        return None
    window = _around([answer, *_pointed_at(prompt)], size)
    return window if window.area < LARGEST_SHARE * size.height * size.width else None


def pointed_window(prompt: Prompt, size: Size, cells: int) -> Window | None:
    """Where a prompt says itself that the object is, if that is too small to be seen on the whole image.

    Args:
        prompt: In pixels of the image.
        size: Of the image.
        cells: Of the masks' grid, a side.

    Returns:
        A window around box, earlier mask and positive clicks; None if it is large enough, or if clicks alone do not
        tell how large the object is.
    """
    earlier = None if prompt.mask_logits is None else _bounds(prompt.mask_logits, size)
    if earlier is None and prompt.box is None:
        return None
    window = _around([*([earlier] if earlier else []), *_pointed_at(prompt)], size)
    small_share = (SMALL_CELLS / cells) ** 2
    return window if window.area < small_share * size.height * size.width else None


def zoom_prompt(window: Window, prompt: Prompt, logits: Tensor | None, size: Size) -> Prompt:
    """The prompt in the window's own pixels, with the answer's part inside as its mask; clicks outside are left out."""
    return Prompt(
        points=tuple(
            Point(p.x - window.left, p.y - window.top, p.positive)
            for p in prompt.points
            if window.left <= p.x <= window.right and window.top <= p.y <= window.bottom
        ),
        box=None if prompt.box is None else _moved(prompt.box, window),
        mask_logits=None if logits is None else crop_logits(logits, window, size),
    )


def crop_logits(logits: Tensor, window: Window, size: Size) -> Tensor:
    """Bilinear samples of the logits (h, w) on a grid of the same shape over the window."""
    centre = ((window.left + window.right) / size.width - 1, (window.top + window.bottom) / size.height - 1)
    half = (window.size.width / size.width, window.size.height / size.height)
    to_whole = torch.tensor([[[half[0], 0.0, centre[0]], [0.0, half[1], centre[1]]]])
    grid = F.affine_grid(to_whole, [1, 1, *logits.shape], align_corners=False)
    sampled = F.grid_sample(logits[None, None].float(), grid, padding_mode="border", align_corners=False)
    return sampled[0, 0]


def _bounds(logits: Tensor, size: Size) -> Extent | None:
    """Of a mask (h, w), > 0 is object; None around nothing."""
    box = mask_to_box((logits > 0).cpu().numpy())
    if box is None:
        return None
    across, down = size.width / logits.shape[1], size.height / logits.shape[0]
    return box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down


def _pointed_at(prompt: Prompt) -> list[Extent]:
    """The box and the positive clicks."""
    clicks = [(point.x, point.y, point.x, point.y) for point in prompt.points if point.positive]
    return clicks if prompt.box is None else [*clicks, prompt.box.xyxy]


def _around(extents: Sequence[Extent], size: Size) -> Window:
    lefts, tops, rights, bottoms = zip(*extents, strict=True)
    left, right = _widen(min(lefts), max(rights), size.width)
    top, bottom = _widen(min(tops), max(bottoms), size.height)
    return Window(left, top, right, bottom)


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
