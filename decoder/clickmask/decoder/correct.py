"""Corrections keep what is there: pure functions on masks, whatever network answered.

A network answers a click on a mask that was drawn, imported or tracked nearly as if the mask were not there. So of its
answer only the change is taken over that is connected with the click and lies near it.

Source: the progressive merge of "FocalClick" (Chen et al., 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.mask_prompts import mask_to_logits
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.shapes import deepest_point, mask_to_box

REACH = 3.0  # times the click's distance from the mask's edge: a change farther away is none that was asked for
SMALL_CORRECTION = 0.06  # of the square root of a mask's area: a click as near to its edge mends it there
CLICK_RADIUS_PX = 2.0  # around a click that an answer does not honour, at most
BOX_MARGIN = 0.05  # of a box's sides, by which an answer may exceed it

Mask = NDArray[np.bool_]  # (H, W)


def keep_what_was_asked(answer: Mask, prompt: Prompt) -> Mask:
    """Hold an answer to its box, to the mask that its clicks correct, and to every click.

    Args:
        answer: What a network answered, shape (H, W).
        prompt: In pixels; its mask is what was there before.

    Returns:
        Shape (H, W).
    """
    kept = answer if prompt.box is None else keep_to_box(answer, prompt.box, prompt.points)
    if prompt.mask is not None and prompt.points and prompt.mask.any():
        return correct(prompt.mask, kept, prompt.points)
    return honour_clicks(kept, prompt.points)


def correct(before: Mask, answer: Mask, clicks: Sequence[Point]) -> Mask:
    """Merge an answer into the mask that its clicks correct.

    A positive click never takes away, a negative one never adds, and neither changes what is far off.

    Args:
        before: What was there, shape (H, W).
        answer: What a network made of it and the clicks, same shape.
        clicks: In pixels, oldest first; those that ``before`` honours already change nothing.

    Returns:
        Shape (H, W), every positive click inside, every negative one outside; of two on one pixel the last counts.
    """
    merged = before.copy()
    for click in clicks:
        row, column = _pixel(click, merged)
        if merged[row, column] != click.positive:
            _take_over(merged, answer, click)
    return honour_clicks(merged, clicks)


def is_small_correction(mask: Mask, click: Point) -> bool:
    """Whether a click mends a mask at its edge, rather than saying that the object is another one.

    Returns:
        True where the mask does not honour the click, and its edge is near, measured by the mask's own size.
    """
    row, column = _pixel(click, mask)
    if mask[row, column] == click.positive or not mask.any():
        return False
    return _distance_to_edge(mask, row, column) <= SMALL_CORRECTION * math.sqrt(float(mask.sum()))


def honour_clicks(mask: Mask, clicks: Sequence[Point]) -> Mask:
    """Put every positive click inside a mask and every negative one outside, with a small disc where need be.

    Args:
        mask: Shape (H, W).
        clicks: In pixels, oldest first; of two on one pixel the last counts.

    Returns:
        The mask itself where it honours all of them.
    """
    pixels = {_pixel(click, mask): click for click in clicks}
    missed = {pixel: click for pixel, click in pixels.items() if mask[pixel] != click.positive}
    if not missed:
        return mask
    honoured = mask.copy()
    for (row, column), click in missed.items():
        others = [
            math.dist((row, column), pixel) for pixel, other in pixels.items() if other.positive != click.positive
        ]
        radius = min(CLICK_RADIUS_PX, *(distance / 2 for distance in others)) if others else CLICK_RADIUS_PX
        window, disc = _disc(mask, row, column, radius)
        honoured[window][disc] = click.positive
    for pixel, click in pixels.items():
        honoured[pixel] = click.positive
    return honoured


def keep_to_box(mask: Mask, box: Box, clicks: Sequence[Point]) -> Mask:
    """Cut a mask off a little outside its box, unless a positive click says that the object goes on there.

    Args:
        mask: Shape (H, W).
        box: In pixels; the mask may exceed it by 5 % of its sides.
        clicks: In pixels.

    Returns:
        The mask itself where it keeps to its box, or need not.
    """
    if any(click.positive and not _contains(box, click) for click in clicks):
        return mask
    across, down = BOX_MARGIN * (box.x1 - box.x0), BOX_MARGIN * (box.y1 - box.y0)
    left, right = max(0, math.ceil(box.x0 - across)), max(0, math.floor(box.x1 + across))
    top, bottom = max(0, math.ceil(box.y0 - down)), max(0, math.floor(box.y1 + down))
    inside = np.zeros_like(mask)
    inside[top:bottom, left:right] = mask[top:bottom, left:right]
    return inside


def correction_prompt(prompt: Prompt) -> Prompt:
    """Say to a network what a mask and clicks on it mean.

    Networks learned to correct masks of their own, and lose another one at a click. A positive click comes with one in
    the middle of the mask, a negative one with the mask's box.

    Args:
        prompt: With a mask, and at least one click.

    Returns:
        With the mask's logits instead of the mask.
    """
    assert prompt.mask is not None
    asked = replace(prompt, mask=None, mask_logits=mask_to_logits(prompt.mask))
    deepest = deepest_point(prompt.mask)
    if deepest is None or prompt.box is not None:
        return asked
    if prompt.points[-1].positive:
        return replace(asked, points=(deepest[0], *prompt.points))
    return replace(asked, box=mask_to_box(prompt.mask))


def _take_over(merged: Mask, answer: Mask, click: Point) -> None:
    """Change the part of a mask that an answer changes, that is connected with a click, and near it."""
    row, column = _pixel(click, merged)
    window, near = _disc(merged, row, column, REACH * _distance_to_edge(merged, row, column) + 1)
    changes = near & (answer[window] == click.positive) & (merged[window] != click.positive)
    _, parts = cv2.connectedComponents(changes.view(np.uint8), connectivity=4)
    clicked = parts[row - window[0].start, column - window[1].start]
    if clicked > 0:
        merged[window][parts == clicked] = click.positive


def _distance_to_edge(mask: Mask, row: int, column: int) -> float:
    """From a pixel to the nearest on the mask's outline [px]; unlimited where there is none."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return float(sum(mask.shape))
    places = np.concatenate(outlines).reshape(-1, 2) - (column, row)
    return float(np.sqrt((places.astype(np.float64) ** 2).sum(axis=1).min()))


def _disc(mask: Mask, row: int, column: int, radius: float) -> tuple[tuple[slice, slice], Mask]:
    """The window around a disc, within the mask, and the disc in it."""
    reach = math.floor(radius)
    rows = slice(max(0, row - reach), min(mask.shape[0], row + reach + 1))
    columns = slice(max(0, column - reach), min(mask.shape[1], column + reach + 1))
    down, across = np.ogrid[rows, columns]
    return (rows, columns), np.asarray((down - row) ** 2 + (across - column) ** 2 <= radius**2)


def _pixel(click: Point, mask: Mask) -> tuple[int, int]:
    """(row, column) under a click; one on the image's far border counts to the last pixel."""
    return min(int(click.y), mask.shape[0] - 1), min(int(click.x), mask.shape[1] - 1)


def _contains(box: Box, point: Point) -> bool:
    return box.x0 <= point.x <= box.x1 and box.y0 <= point.y <= box.y1
