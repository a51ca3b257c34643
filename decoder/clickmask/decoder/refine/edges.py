"""The picture's own edges for a coarse mask.

A small network answers on a grid far coarser than the picture. A graph cut that starts from its answer moves the edge
to where the picture has one, and lets a box be filled; where the cut loses the object, a guided filter takes its place.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.prompts import Prompt
from clickmask.decoder.refine.graph_cut import Mask, Shares, cut, fill_box

WORK_SIDE_PX = 160  # edges are looked for in the picture scaled down to this
SPECK_SHARE = 0.02  # of the mask's area, below which holes and loose parts are filled and dropped


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
    edged = cut if prompt.box is None else fill_box
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
