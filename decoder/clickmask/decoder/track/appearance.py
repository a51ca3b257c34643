"""Where a frame looks like remembered frames: every cell asks the cells around its place for their label.

Label propagation without training; colours and a little texture are enough to follow most objects
for seconds, and it never drifts to what the object never looked like.

Source: the idea is that of "Tracking Emerges by Colorizing Videos" (Vondrick et al., 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

GRID = 64  # cells per side
LAB_SCALE = (100.0, 60.0, 60.0)  # lightness and the two colours to about [-1, 1]
RADIUS = 4  # cells a place may have moved from one frame to the next
VOTERS = 6  # most similar cells that vote
TEMPERATURE = 0.01  # squared colour distance by which a vote loses weight
UNLIKE = 0.1  # squared colour distance from which cells do not look alike
LEAST_SHARE = 0.02  # of a cell: with less, it is not looked for
FAR = 1e2  # colour of what lies outside the picture


class Remembered(NamedTuple):
    """What a frame looked like, and which of it was the object."""

    colours: Tensor  # (12, 64, 64), see ``colour_grid``
    labels: Tensor  # (64, 64) share of the object, in [0, 1]


def colour_grid(image: NDArray[np.uint8]) -> Tensor:
    """Describe a frame (H, W, 3): the Lab colours of 2x2 spots in each of 64x64 cells, (12, 64, 64)."""
    small = cv2.resize(image, (2 * GRID, 2 * GRID), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / np.array(LAB_SCALE, np.float32)
    spots = torch.from_numpy(np.asarray(lab, dtype=np.float32)).permute(2, 0, 1)[None]
    return F.pixel_unshuffle(spots, 2)[0] / 2


def match(colours: Tensor, remembered: Sequence[Remembered]) -> Tensor:
    """Let every cell's most similar cells, near its place on remembered frames, decide what it is.

    Args:
        colours: (12, 64, 64) of this frame.
        remembered: Frames with labels.

    Returns:
        (64, 64), each cell's share of the object in [0, 1].
    """
    shares = torch.zeros(GRID, GRID)
    window = _reachable(remembered)
    if window is None:
        return shares
    distances = torch.cat([_distances(colours[:, *window], frame.colours, window) for frame in remembered])
    labels = torch.cat([torch.stack(_around(frame.labels, window)) for frame in remembered])
    nearest, rows = distances.topk(VOTERS, dim=0, largest=False)
    # One more voter, for "nothing known looks like this": where the object has gone, not all may vote for it.
    nearest = torch.cat([nearest, torch.full_like(nearest[:1], UNLIKE)])
    weights = (-nearest / TEMPERATURE).softmax(dim=0)
    shares[window] = (weights[:-1] * labels.gather(0, rows)).sum(dim=0)
    return shares


def _reachable(remembered: Sequence[Remembered]) -> tuple[slice, slice] | None:
    """Rows and columns outside which no cell can see more than a trace of a label: none need be looked at there."""
    anywhere = torch.stack([frame.labels for frame in remembered]).amax(dim=0) > LEAST_SHARE
    if not bool(anywhere.any()):
        return None
    sides = [anywhere.any(dim=1).nonzero(), anywhere.any(dim=0).nonzero()]
    rows, columns = (slice(max(int(cells[0]) - RADIUS, 0), min(int(cells[-1]) + RADIUS + 1, GRID)) for cells in sides)
    return rows, columns


def _distances(colours: Tensor, remembered: Tensor, window: tuple[slice, slice]) -> Tensor:
    """Squared distances between the window's cells and those around their places: (81, rows, columns)."""
    return torch.stack([(colours - there).square().sum(dim=0) for there in _around(remembered, window, FAR)])


def _around(cells: Tensor, window: tuple[slice, slice], outside: float = 0.0) -> list[Tensor]:
    """The window of a map (..., 64, 64), moved by every offset up to the radius."""
    padded = F.pad(cells, (RADIUS,) * 4, value=outside)
    rows, columns = window
    offsets = range(2 * RADIUS + 1)
    return [
        padded[..., rows.start + row : rows.stop + row, columns.start + column : columns.stop + column]
        for row in offsets
        for column in offsets
    ]


def centre_of(labels: Tensor) -> Tensor | None:
    """The centre (row, column) of an object's labels (64, 64) [cells]; None where there is nothing."""
    inside = (labels > 0.5).float()
    total = inside.sum()
    if not bool(total):
        return None
    cells = torch.arange(GRID).float()
    return torch.stack([inside.sum(dim=1) @ cells, inside.sum(dim=0) @ cells]) / total


def shifted(cells: Tensor, rows: int, columns: int) -> Tensor:
    """Move a map (..., 64, 64) down and to the right; what leaves on one side comes in on the other."""
    return torch.roll(cells, (rows, columns), (-2, -1))
