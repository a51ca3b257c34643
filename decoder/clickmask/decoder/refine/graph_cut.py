"""A graph cut that starts from a network's answer, and may grow it until it fills its box.

Source: "GrabCut" (Rother, Kolmogorov and Blake, 2004), as OpenCV has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.refine.guided_filter import filtered
from clickmask.decoder.shapes import box_iou, mask_to_box

SURELY_OBJECT = 0.93  # probability from which the cut must agree with the network
SURELY_BACKGROUND = 0.05  # likewise: networks rather include too much
CLICK_RADIUS_PX = 3  # around a click, in the scaled picture, that is as it says
PLAUSIBLE = (0.3, 2.0)  # areas of the cut, of the network's mask; another one has lost the object
SOFTENING_PX = 1.0  # blur of the cut, which is jagged

BOX_MARGIN = 0.05  # of a box's sides, by which the object may exceed it
BOX_BIASES = (0.0, 1.0, 2.0, 3.0)  # logits, by which an answer may be grown until it fills its box
BIAS_COST = 0.03  # of the overlap with the box, per logit: without need nothing grows
FILLS_BOX = 0.75  # overlap with the box from which no more is tried

Mask = NDArray[np.bool_]
Shares = NDArray[np.float32]  # (h, w) in [0, 1], how much of each pixel is object


def fill_box(answer: Shares, picture: NDArray[np.uint8], prompt: Prompt, scale: float) -> Shares:
    """Cut so that the object reaches the sides of its box: people draw boxes tightly, cuts lose tails and paws.

    Like ``cut``, for a prompt with a box.
    """
    assert prompt.box is not None
    drawn = Box(*(scale * value for value in prompt.box.xyxy))
    best, best_fit = answer, -math.inf
    for bias in BOX_BIASES:
        shares = cut(answer, picture, prompt, scale, bias)
        found = mask_to_box(shares > 0.5)
        fit = (0.0 if found is None else box_iou(found, drawn)) - BIAS_COST * bias
        if fit > best_fit:
            best, best_fit = shares, fit
        if fit >= FILLS_BOX:
            break
    return best


def cut(answer: Shares, picture: NDArray[np.uint8], prompt: Prompt, scale: float, bias: float = 0.0) -> Shares:
    """Where the network is unsure, cut along edges between what looks like its object and what does not.

    Args:
        answer: Logits, (h, w), > 0 is object.
        picture: RGB, (h, w, 3).
        prompt: What was asked, in pixels of a picture ``1 / scale`` times as large.
        scale: Of the picture.
        bias: Logits by which the object is grown before.

    Returns:
        Shares of object, (h, w) in [0, 1].
    """
    near = _near_box(prompt, scale, answer.shape)
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
        return filtered(answer, picture)
    return np.asarray((cv2.GaussianBlur(cut, (0, 0), SOFTENING_PX) + probability) / 2, np.float32)


def _probability(logits: Shares) -> Shares:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _near_box(prompt: Prompt, scale: float, shape: tuple[int, ...]) -> Shares:
    """1 in and closely around the box, 0 elsewhere: (h, w); 1 everywhere if there is none to keep to."""
    box = prompt.box
    if box is None or _is_clicked_past(box, prompt.points):
        return np.ones(shape, np.float32)
    near = np.zeros(shape, np.float32)
    across, down = BOX_MARGIN * (box.x1 - box.x0), BOX_MARGIN * (box.y1 - box.y0)
    left, right = max(0, int((box.x0 - across) * scale)), math.ceil((box.x1 + across) * scale)
    top, bottom = max(0, int((box.y0 - down) * scale)), math.ceil((box.y1 + down) * scale)
    near[top:bottom, left:right] = 1
    return near


def _is_clicked_past(box: Box, points: Sequence[Point]) -> bool:
    """Whether a person says that the object goes on outside the box: it was drawn too small."""
    inside = [box.x0 <= point.x <= box.x1 and box.y0 <= point.y <= box.y1 for point in points if point.positive]
    return not all(inside)
