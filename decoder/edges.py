"""The picture's own edges for a coarse mask.

A small network answers on a grid far coarser than the picture. A graph cut that starts from its answer moves the edge
to where the picture has one, and lets a box be filled; where the cut loses the object, a guided filter takes its place.

Source: "Guided Image Filtering" (He, Sun and Tang, 2010); "GrabCut" (Rother, Kolmogorov and Blake, 2004), as OpenCV
has it.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decoder.prompts import Box, Prompt

WORK_SIDE_PX = 192  # edges are looked for in the picture scaled down to this

FILTER_RADIUS_PX = 4  # of the guided filter, in the scaled picture
FILTER_SMOOTHNESS = 1e-3  # variance of colour, in [0, 1], below which it sees no edge
FILTER_LIMIT = 6.0  # logits beyond this are equally sure

SURELY_OBJECT = 0.93  # probability from which the graph cut must agree with the network
SURELY_BACKGROUND = 0.05  # likewise: networks rather include too much
BOX_MARGIN = 0.05  # of a box's sides, by which the object may exceed it
BOX_BIASES = (0.0, 1.0, 2.0, 3.0)  # logits, by which an answer may be grown until it fills its box
BIAS_COST = 0.03  # of the overlap with the box, per logit: without need nothing grows
FILLS_BOX = 0.85  # overlap with the box from which no more is tried
CLICK_RADIUS_PX = 3  # around a click, in the scaled picture, that is as it says
PLAUSIBLE = (0.3, 2.0)  # areas of the cut, of the network's mask; another one has lost the object
SPECK_SHARE = 0.02  # of the mask's area, below which holes and loose parts are filled and dropped
SOFTENING_PX = 1.0  # blur of the cut, which is jagged

Mask = NDArray[np.bool_]
Planes = NDArray[np.floating[Any]]  # (h, w) or (h, w, channels)
Shares = NDArray[np.float32]  # (h, w) in [0, 1], how much of each pixel is object


def sharpen(logits: Tensor, picture: NDArray[np.uint8], prompt: Prompt) -> Mask:
    """Give a mask the edges of the picture under it.

    Args:
        logits: The network's answer, shape (h, w) on the CPU, of any resolution; > 0 is object.
        picture: What it is an answer on, RGB, shape (H, W, 3), uint8.
        prompt: What was asked, in pixels of ``picture``; clicks outside it do not count.

    Returns:
        Shape (H, W).
    """
    height, width = picture.shape[:2]
    scale = min(1.0, WORK_SIDE_PX / max(height, width))
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA), np.uint8)
    answer = np.asarray(cv2.resize(logits.numpy(), shape, interpolation=cv2.INTER_LINEAR), np.float32)
    edged = _cut if prompt.box is None else _fill_box
    shares = edged(answer, small, prompt, scale)
    shares = _without_specks(shares, prompt, scale)
    return np.asarray(cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5)


def _without_specks(shares: Shares, prompt: Prompt, scale: float) -> Shares:
    """Fill small holes and drop small loose parts, but not where a person clicked."""
    mask = shares > 0.5
    smallest = SPECK_SHARE * mask.sum()
    tidied = shares.copy()
    for value, inside in ((0.0, mask), (1.0, ~mask)):
        clicks = [(p.x * scale, p.y * scale) for p in prompt.points if p.positive == (value == 0.0)]
        _, parts, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
        is_speck = stats[:, cv2.CC_STAT_AREA] < smallest
        is_speck[0] = False  # not of this kind at all
        for x, y in clicks:
            if 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0]:
                is_speck[parts[int(y), int(x)]] = False
        tidied[is_speck[parts]] = value
    return tidied


def _filtered(answer: Shares, picture: NDArray[np.uint8]) -> Shares:
    """Let colours say, around every place, how much of it is object: the best linear fit to the answer."""
    shares = answer.clip(-FILTER_LIMIT, FILTER_LIMIT) / (2 * FILTER_LIMIT) + 0.5
    colours = picture.astype(np.float32) / 255
    mean_colour, mean_share = _mean(colours), _mean(shares)
    covariance = _mean(colours * shares[..., None]) - mean_colour * mean_share[..., None]  # (h, w, 3)
    products = colours[..., :, None] * colours[..., None, :]  # (h, w, 3, 3)
    spread = _mean(products.reshape(*shares.shape, 9)).reshape(products.shape)
    spread = spread - mean_colour[..., :, None] * mean_colour[..., None, :]
    ridge = FILTER_SMOOTHNESS * np.eye(3, dtype=np.float32)
    slopes = np.linalg.solve(spread + ridge, covariance[..., None])[..., 0]
    offsets = mean_share - (slopes * mean_colour).sum(axis=-1)
    return np.asarray((_mean(slopes) * colours).sum(axis=-1) + _mean(offsets), np.float32)


def _mean(values: Planes) -> Planes:
    """Means over the square around every pixel, channel by channel."""
    side = 2 * FILTER_RADIUS_PX + 1
    return np.asarray(cv2.boxFilter(values, -1, (side, side)))


def _near_box(box: Box | None, scale: float, shape: tuple[int, ...]) -> Shares:
    """1 in and closely around the box, 0 elsewhere; 1 everywhere without a box: (h, w)."""
    if box is None:
        return np.ones(shape, np.float32)
    near = np.zeros(shape, np.float32)
    across, down = BOX_MARGIN * (box.x1 - box.x0), BOX_MARGIN * (box.y1 - box.y0)
    left, right = max(0, int((box.x0 - across) * scale)), math.ceil((box.x1 + across) * scale)
    top, bottom = max(0, int((box.y0 - down) * scale)), math.ceil((box.y1 + down) * scale)
    near[top:bottom, left:right] = 1
    return near


def _fill_box(answer: Shares, picture: NDArray[np.uint8], prompt: Prompt, scale: float) -> Shares:
    """Cut so that the object reaches the sides of its box: people draw boxes tightly, cuts lose tails and paws."""
    assert prompt.box is not None
    best, best_fit = answer, -math.inf
    for bias in BOX_BIASES:
        shares = _cut(answer, picture, prompt, scale, bias)
        fit = _overlap(_bounds(shares > 0.5), np.multiply(prompt.box.xyxy, scale)) - BIAS_COST * bias
        if fit > best_fit:
            best, best_fit = shares, fit
        if fit >= FILLS_BOX:
            break
    return best


def _bounds(mask: Mask) -> NDArray[np.float64]:
    """The smallest box around a mask, (x0, y0, x1, y1), empty around nothing."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return np.array([left, top, left + width, top + height], np.float64)


def _overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    both = float(sides.clip(min=0).prod())
    areas = [float((box[2:] - box[:2]).prod()) for box in (first, second)]
    return both / max(sum(areas) - both, 1e-9)


def _probability(logits: Shares) -> Shares:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _cut(answer: Shares, picture: NDArray[np.uint8], prompt: Prompt, scale: float, bias: float = 0.0) -> Shares:
    """Where the network is unsure, cut along edges between what looks like its object and what does not."""
    near = _near_box(prompt.box, scale, answer.shape)
    probability = _probability(answer + bias) * near
    certain = _probability(answer + bias / 2) * near  # grown less: what is only likely is for the edges to decide
    hints = np.where(probability > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    hints[certain > SURELY_OBJECT] = cv2.GC_FGD
    hints[probability < SURELY_BACKGROUND] = cv2.GC_BGD
    for point in prompt.points:
        place = (int(point.x * scale), int(point.y * scale))
        cv2.circle(hints, place, CLICK_RADIUS_PX, cv2.GC_FGD if point.positive else cv2.GC_BGD, -1)
    both_seen = np.isin(hints, (cv2.GC_FGD, cv2.GC_PR_FGD)).any() and np.isin(hints, (cv2.GC_BGD, cv2.GC_PR_BGD)).any()
    if not both_seen:
        return np.asarray(probability, np.float32)
    cv2.setRNGSeed(0)  # equal questions, equal answers
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(picture[..., ::-1]), hints, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(hints, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    if not PLAUSIBLE[0] <= cut.sum() / (probability > 0.5).sum().clip(min=1) <= PLAUSIBLE[1]:
        return _filtered(answer, picture)
    return np.asarray((cv2.GaussianBlur(cut, (0, 0), SOFTENING_PX) + probability) / 2, np.float32)
