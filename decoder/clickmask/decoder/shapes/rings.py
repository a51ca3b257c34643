"""Pixel-edge rings: the exact outlines of a mask, corner by corner.

OpenCV follows borders through pixel *centres* and loses half a pixel all around. The steps
it takes into and out of a pixel say which of the pixel's sides face the background, and so
which of its corners the true outline passes: one table lookup per border pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes.masks import window

# The eight steps in the order OpenCV looks around a pixel (x right, y down): counter-clockwise on screen.
STEPS = np.array([(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)])


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """All outlines of a mask, one after the other in reading order of their topmost, leftmost pixel.

    Neighbouring corners differ in x or in y, in turn. Foreground lies on the same side all
    along, so the signed areas of outer rings and of holes have opposite signs.
    """

    corners: NDArray[np.int32]  # (N, 2) as (x, y) [px]
    starts: NDArray[np.int64]  # (R + 1,): ring i is corners[starts[i] : starts[i + 1]]
    is_hole: NDArray[np.bool_]  # (R,)

    def __len__(self) -> int:
        return len(self.is_hole)

    def ring(self, index: int) -> NDArray[np.int32]:
        """The corners of one ring, shape (N, 2) [px]."""
        return self.corners[self.starts[index] : self.starts[index + 1]]

    def following(self) -> NDArray[np.int64]:
        """Index of the next corner of the same ring for each corner, shape (N,)."""
        following = np.arange(1, len(self.corners) + 1)
        following[self.starts[1:] - 1] = self.starts[:-1]
        return following


def find_rings(pixels: NDArray[np.uint8]) -> Rings:
    """Trace the outlines of all 8-connected parts and their 4-connected holes, shape (H, W) of bytes."""
    found = window(pixels)
    if found is None:
        return Rings(np.zeros((0, 2), np.int32), np.zeros(1, np.int64), np.zeros(0, np.bool_))
    rows, columns = found
    offset = (columns.start, rows.start)
    contours, hierarchy = cv2.findContours(pixels[found], cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=offset)
    lengths = np.array([len(contour) for contour in contours])
    points = np.concatenate(contours).reshape(-1, 2)
    corners, num_corners = _trace_edges(points, np.concatenate([[0], np.cumsum(lengths)]))
    return Rings(corners, np.concatenate([[0], np.cumsum(num_corners)]), hierarchy[0, :, 3] >= 0)


def _trace_edges(points: NDArray[np.int32], starts: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Turn closed chains of border pixels into pixel corners; also count the corners of each chain."""
    steps = np.empty(len(points), np.int64)
    differences = np.empty_like(points)
    differences[:-1] = points[1:] - points[:-1]
    differences[starts[1:] - 1] = points[starts[:-1]] - points[starts[1:] - 1]
    code = _step_codes()[differences[:, 1] * 3 + differences[:, 0] + 4]
    steps[1:] = code[:-1]
    steps[starts[:-1]] = code[starts[1:] - 1]
    turns = steps * 9 + code
    table, counts = _corner_table()
    per_point = counts[turns]
    ends = np.cumsum(per_point)
    entries = np.repeat(4 * turns - (ends - per_point), per_point) + np.arange(ends[-1])
    corners = np.repeat(_as_pairs(points), per_point) + _as_pairs(table)[entries]
    return corners.view(np.int32).reshape(-1, 2), np.add.reduceat(per_point, starts[:-1])


def _as_pairs(points: NDArray[np.int32]) -> NDArray[np.int64]:
    """Points as single numbers, shape (N,): faster to copy, and their sums are the points' as nothing is negative."""
    return points.view(np.int64).reshape(-1)


@cache
def _step_codes() -> NDArray[np.int64]:
    """Number of the step (dx, dy) at index 3 dy + dx + 4; 8 is no step at all (a lone pixel)."""
    codes = np.full(9, 8)
    for number, (dx, dy) in enumerate(STEPS.tolist()):
        codes[dy * 3 + dx + 4] = number
    return codes


@cache
def _corner_table() -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Corners passed at a pixel, shape (81, 4, 2) from its top-left one, and how many, for step in x 9 + step out."""
    table, counts = np.zeros((81, 4, 2), np.int32), np.zeros(81, np.int64)
    for step_in in range(8):
        for step_out in range(8):
            corners = _corners_passed((step_in + 4) % 8, step_out)
            table[step_in * 9 + step_out, : len(corners)] = np.reshape(corners, (-1, 2))
            counts[step_in * 9 + step_out] = len(corners)
    table[80], counts[80] = [(1, 1), (1, 0), (0, 0), (0, 1)], 4
    return table, counts


def _corners_passed(came_from: int, going_to: int) -> list[tuple[int, int]]:
    """Corners between two neighbours of a pixel, looking around from one to the other over background.

    The diagonal neighbours stand for the corners. A corner counts if the outline turns
    there: background on both sides of it or on neither, or a diagonal step after a side.
    """
    swept = [(came_from + turn) % 8 for turn in range(1, (going_to - came_from - 1) % 8 + 1)]
    corners = []
    for at in [*swept, going_to]:
        if at % 2 == 0:
            continue
        before, after = (at - 1) % 8 in swept, (at + 1) % 8 in swept
        if (at == going_to and before) or (at != going_to and before == after):
            dx, dy = STEPS[at].tolist()
            corners.append(((dx + 1) // 2, (dy + 1) // 2))
    return corners
