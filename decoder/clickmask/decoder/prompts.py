"""What a person points at: points, boxes and earlier masks, in pixels of the image.

Frame: x right, y down, origin at the image's top-left corner; pixel (row, column) covers
[column, column + 1) x [row, row + 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clickmask.decoder.errors import PromptError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

MAX_POINTS = 1_000


@dataclass(frozen=True, slots=True)
class Size:
    """Height and width of an image or mask [px]."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Point:
    """One click (x_px, y_px); positive means "this belongs to the object"."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by two corners [px], x0 < x1 and y0 < y1."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """The corners as (x0, y0, x1, y1)."""
        return (self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """Everything pointed at for one object.

    Args:
        points: Clicks, oldest first.
        box: A rectangle around the object.
        mask_logits: Logits of an earlier answer to refine, shape (h, w), any size; the
            decoder resizes them to the grid it works on.
        mask: What is there already, at the image's size, shape (H, W), bool; an engine changes
            it near the clicks only.
        view: What of the image is on the screen; an engine looks there first.
    """

    points: tuple[Point, ...] = ()
    box: Box | None = None
    mask_logits: Tensor | None = None
    mask: NDArray[np.bool_] | None = None
    view: Box | None = None

    @property
    def is_ambiguous(self) -> bool:
        """Whether the prompt is a single click, which can mean a part or the whole."""
        return len(self.points) == 1 and self.box is None


def check_prompt(prompt: Prompt, size: Size) -> Prompt:
    """Return the prompt if it means something on an image of this size.

    A point may lie on the image's border (x = width is allowed: a drag ends there). A box
    is clipped to the image.

    Raises:
        PromptError: If the prompt is empty, has more than ``MAX_POINTS`` points, a
            coordinate is not finite, a point lies outside, a box is inverted, empty or
            wholly outside, the mask logits are not a finite (h, w) tensor, or the mask is none
            of the image's size.

    Example:
        >>> check_prompt(Prompt(points=(Point(812.0, 90.0),)), Size(480, 640))
        Traceback (most recent call last):
            ...
        clickmask.decoder.errors.PromptError: point (812.0, 90.0) is outside the 640x480 image
    """
    if not prompt.points and prompt.box is None and prompt.mask_logits is None and prompt.mask is None:
        raise PromptError("the prompt is empty: got no point, no box and no mask, wanted at least one")
    if len(prompt.points) > MAX_POINTS:
        raise PromptError(f"the prompt has {len(prompt.points)} points, wanted at most {MAX_POINTS}")
    for point in prompt.points:
        _check_point(point, size)
    if prompt.mask_logits is not None:
        _check_mask_logits(prompt.mask_logits)
    if prompt.mask is not None:
        _check_mask(prompt.mask, size)
    box = None if prompt.box is None else _check_box(prompt.box, size)
    view = None if prompt.view is None else _check_box(prompt.view, size, "view")
    return replace(prompt, box=box, view=view)


def _check_point(point: Point, size: Size) -> None:
    if not (math.isfinite(point.x) and math.isfinite(point.y)):
        raise PromptError(f"point ({point.x}, {point.y}) is not finite")
    if not (0 <= point.x <= size.width and 0 <= point.y <= size.height):
        raise PromptError(f"point ({point.x}, {point.y}) is outside the {size} image")


def _check_box(box: Box, size: Size, name: str = "box") -> Box:
    if not all(math.isfinite(value) for value in box.xyxy):
        raise PromptError(f"{name} {box.xyxy} is not finite")
    if box.x0 >= box.x1 or box.y0 >= box.y1:
        raise PromptError(f"{name} {box.xyxy} is empty or inverted, wanted x0 < x1 and y0 < y1")
    clipped = Box(max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, size.width), min(box.y1, size.height))
    if clipped.x0 >= clipped.x1 or clipped.y0 >= clipped.y1:
        raise PromptError(f"{name} {box.xyxy} is outside the {size} image")
    return clipped


def _check_mask_logits(logits: Tensor) -> None:
    if logits.ndim != 2 or 0 in logits.shape:
        raise PromptError(f"mask logits have shape {tuple(logits.shape)}, wanted (height, width)")
    if not bool(logits.isfinite().all()):
        raise PromptError("mask logits hold NaN or infinity, wanted finite numbers")


def _check_mask(mask: NDArray[np.bool_], size: Size) -> None:
    if mask.shape != (size.height, size.width) or mask.dtype != bool:
        raise PromptError(f"the mask is {mask.dtype} of shape {mask.shape}, wanted bool of the {size} image")
