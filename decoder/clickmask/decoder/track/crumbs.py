"""What a tracked object leaves on things of its colour that it passed, and how that is told from the object.

A crumb is small, and it stands apart from the object by more than the object's own parts did where a person showed it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CRUMB_SHARE = 0.25  # of the object's largest part; what is larger may be the other half of an object behind a pole
NEAR_CELLS = 2.0  # parts with a gap of no more are together
FRINGE_CELLS = 3  # side of the square by which a crumb's soft edge goes with it

Cells = NDArray[np.bool_]


def crumbs(shares: Tensor, prompted: Sequence[Tensor]) -> Tensor:
    """Find crumbs.

    Args:
        shares: (h, w) of the object, in [0, 1].
        prompted: The same of the frames that a person pointed at.

    Returns:
        (h, w) bool, with their soft edges.

    Example:
        >>> shares = torch.zeros(16, 16)
        >>> shares[2:8, 2:8] = shares[12:14, 12:14] = 1.0
        >>> crumbs(shares, []).nonzero().tolist()[0], int(crumbs(shares, []).sum())
        ([11, 11], 16)
        >>> int(crumbs(shares, [shares]).sum())  # a person showed both
        0
    """
    inside = (shares > 0.5).cpu().numpy()
    parts = _parts(inside)
    found = np.zeros_like(inside)
    if len(parts) > 1:
        gap = NEAR_CELLS + max((_widest_gap((one > 0.5).cpu().numpy()) for one in prompted), default=0.0)
        main = parts[0]
        for part in _far_from(main, parts[1:], gap):
            if part.sum() < CRUMB_SHARE * main.sum():
                found |= part
    fringe = np.ones((FRINGE_CELLS, FRINGE_CELLS), np.uint8)
    grown = cv2.dilate(found.astype(np.uint8), fringe) > 0
    return torch.from_numpy(grown & ~(inside & ~found)).to(shares.device)


def _parts(inside: Cells) -> list[Cells]:
    """Connected parts, the largest first."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    order = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")
    return [np.asarray(labels == number) for number in order]


def _far_from(main: Cells, parts: list[Cells], gap: float) -> list[Cells]:
    """The parts that no chain of parts with gaps of this width connects with the main one."""
    together, left = main, parts
    while near := [part for part in left if _distance(together, part) <= gap]:
        together = np.logical_or.reduce([together, *near])
        left = [part for part in left if not (part & together).any()]
    return left


def _widest_gap(inside: Cells) -> float:
    """The widest gap that must be crossed to come from the largest part to all others; 0 for one part or none."""
    parts = _parts(inside)
    widest = 0.0
    together, left = (parts[0], parts[1:]) if parts else (inside, [])
    while left:
        nearest = min(range(len(left)), key=lambda index: _distance(together, left[index]))
        widest = max(widest, _distance(together, left[nearest]))
        together = together | left.pop(nearest)
    return widest


def _distance(first: Cells, second: Cells) -> float:
    """Cells between two parts, at the narrowest."""
    away = cv2.distanceTransform((~first).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(away[second].min()) - 1
