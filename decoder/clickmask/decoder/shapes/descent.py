"""Moving corners so that polygons cover a mask better, counted pixel by pixel.

Walking along a polygon's sides, each pixel column that is crossed adds or takes away all
pixels above the crossing. With a table of "background minus foreground above row r" the
number of wrong pixels is a plain sum over sides, so moving a corner changes two summands
and no polygon needs to be filled again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes.fitting import Floats, Indices

GRID_PX = 0.2  # COCO's filling rounds corners to a fifth of a pixel
SWEEPS = 2
DIRECTIONS = np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)], np.float64)  # staying put first: it wins ties


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Closed rings of corners, oriented as ``find_rings`` has them.

    Args:
        points: Corners of all rings, shape (N, 2) [px].
        starts: Ring i is points[starts[i] : starts[i + 1]], shape (R + 1,). Rings are never empty.
    """

    points: Floats
    starts: Indices

    @property
    def following(self) -> Indices:
        """Index of the next corner of the same ring, shape (N,)."""
        following = np.arange(1, len(self.points) + 1)
        following[self.starts[1:] - 1] = self.starts[:-1]
        return following

    @property
    def previous(self) -> Indices:
        """Index of the corner before on the same ring, shape (N,)."""
        previous = np.arange(-1, len(self.points) - 1)
        previous[self.starts[:-1]] = self.starts[1:] - 1
        return previous


@dataclass(frozen=True, slots=True, eq=False)
class ErrorTable:
    """Counts wrong pixels of outlines against one mask.

    Args:
        above: Background minus foreground pixels above row r in column c, shape (H + 1, W).
        area: Foreground pixels of the mask.
    """

    above: NDArray[np.int32]
    area: int

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> ErrorTable:
        """Build the table of a mask of shape (H, W)."""
        sums = cv2.integral((pixels != 0).view(np.uint8))  # (H + 1, W + 1), of all pixels above and to the left
        above = sums[:, :-1] - sums[:, 1:]  # minus the foreground of each column
        above *= 2
        above += np.arange(len(above), dtype=np.int32)[:, None]
        return cls(above, int(sums[-1, -1]))

    def sides(self, begin: Floats, end: Floats) -> Floats:
        """Summands of the sides from ``begin`` to ``end``, both of shape (M, 2) [px], none outside the mask."""
        begin_x, begin_y = begin.T
        end_x, end_y = end.T
        rightward = end_x > begin_x
        first = np.ceil(np.minimum(begin_x, end_x) - 0.5).astype(np.int64)
        counts = np.ceil(np.maximum(begin_x, end_x) - 0.5).astype(np.int64) - first
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        if total == 0:
            return np.zeros(len(begin))
        columns = np.arange(total) + np.repeat(first - (ends - counts), counts)
        across = end_x - begin_x
        slope = (end_y - begin_y) / np.where(across == 0, 1, across)
        crossing = np.repeat(begin_y - 0.5 - (begin_x - 0.5) * slope, counts) + np.repeat(slope, counts) * columns
        cells = np.ceil(crossing).astype(np.int64) * self.above.shape[1] + columns
        running = np.zeros(total + 1, np.int64)
        np.cumsum(self.above.reshape(-1)[cells], out=running[1:])
        return np.asarray(np.where(rightward, 1.0, -1.0) * (running[ends] - running[ends - counts]))

    def wrong_pixels(self, outline: Outline) -> int:
        """Pixels that are in the mask or in the outline but not in both (for rings that do not cross)."""
        return self.area + int(self.sides(outline.points, outline.points[outline.following]).sum())

    def removal_costs(self, outline: Outline) -> Floats:
        """Wrong pixels more if one corner is left out, for each corner, shape (N,)."""
        following, previous = outline.following, outline.previous
        now = self.sides(outline.points, outline.points[following])
        shortcut = self.sides(outline.points[previous], outline.points[following])
        return shortcut - now - now[previous]

    def improve(self, outline: Outline, steps_px: Sequence[float], active: NDArray[np.bool_] | None = None) -> Outline:
        """Move corners (all, or the active ones) a step along x or y while that leaves fewer wrong pixels."""
        points = outline.points.copy()
        following, previous = outline.following, outline.previous
        active = np.ones(len(points), np.bool_) if active is None else active
        groups = [group for turn in range(SWEEPS) for group in _independent_groups(outline, turn)]
        for step_px in steps_px:
            waiting = active.copy()  # whose best place may have changed since they were looked at
            for group in groups:
                looked_at = group[waiting[group]]
                if not len(looked_at):
                    continue
                moved = looked_at[self._move(points, looked_at, previous, following, step_px)]
                waiting[looked_at] = False
                for changed in (moved, previous[moved], following[moved]):
                    waiting[changed] = active[changed]
        return Outline(points, outline.starts)

    def _move(
        self, points: Floats, group: Indices, previous: Indices, following: Indices, step_px: float
    ) -> NDArray[np.bool_]:
        """Move corners that share no side to the best of their 5 places; say which moved, shape (G,)."""
        border = [self.above.shape[1], self.above.shape[0] - 1]
        places = np.clip(points[group, None] + DIRECTIONS * step_px, 0, border)  # (G, 5, 2)
        flat = places.reshape(-1, 2)
        before = np.repeat(points[previous[group]], len(DIRECTIONS), axis=0)
        after = np.repeat(points[following[group]], len(DIRECTIONS), axis=0)
        costs = self.sides(np.concatenate([before, flat]), np.concatenate([flat, after])).reshape(2, *places.shape[:2])
        best = costs.sum(axis=0).argmin(axis=1)
        points[group] = places[np.arange(len(group)), best]
        return np.asarray(best > 0)


def _independent_groups(outline: Outline, turn: int) -> tuple[Indices, Indices]:
    """Every other corner, and those between; of rings of odd length one, another each turn, has to wait."""
    lengths = np.repeat(np.diff(outline.starts), np.diff(outline.starts))
    nth = (np.arange(len(outline.points)) - np.repeat(outline.starts[:-1], np.diff(outline.starts)) + turn) % lengths
    left_over = (nth == lengths - 1) & (nth % 2 == 0)
    return np.flatnonzero((nth % 2 == 0) & ~left_over), np.flatnonzero(nth % 2 == 1)
