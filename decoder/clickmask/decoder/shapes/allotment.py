"""Sharing out points among the rings of a mask: who gets how many, and who is left out.

Every ring has a curve of error over points. The next point always goes where it saves most,
which is best for the whole mask because the curves are first made convex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes.descent import GRID_PX, Outline
from clickmask.decoder.shapes.fitting import Floats, SideCosts, best_sides, fit_sides
from clickmask.decoder.shapes.rings import Rings

SMALL_RING_CORNERS = 12  # such a ring is kept as it is or left out
KEYHOLE_POINTS = 2  # a hole costs the way in and back
TOLERANCE = 5.0  # Douglas-Peucker tolerance over mean deviation that yields somewhat more sides than needed
LEAST_TOLERANCE_PX = 1.0  # below it the stairs of the pixel edges count as corners


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What one ring can be: left out, or so many sides at such an error.

    Args:
        ring: Its exact corners, shape (N, 2) [px].
        costs: Best polygons by number of sides; None for a ring kept as it is.
        points: Points spent, ascending from 0, keyhole included.
        errors: Wrong pixels for each, descending and convex.
        sides: Corners for each.
    """

    ring: NDArray[np.int32]
    costs: SideCosts | None
    points: Floats
    errors: Floats
    sides: NDArray[np.int64]

    def corners(self, sides: int) -> Floats:
        """The ring as a polygon of that many sides, on the grid of the filling."""
        if self.costs is None:
            return self.ring.astype(np.float64)
        return np.asarray(np.round(fit_sides(self.costs, sides) / GRID_PX) * GRID_PX)


def ring_choices(rings: Rings, deviation_px: float) -> list[Choices]:
    """Work out every ring's curve, fine enough for a mean deviation of about this."""
    return [
        _choices(rings.ring(index), is_hole=is_hole, deviation_px=deviation_px)
        for index, is_hole in enumerate(rings.is_hole.tolist())
    ]


def allot_by_error(choices: Sequence[Choices], max_error: float) -> list[int]:
    """Sides for each ring (0: left out), with the fewest points whose errors add up to at most ``max_error``."""
    rings, steps, gains, _ = _steps(choices)
    left = sum(float(choice.errors[0]) for choice in choices) - np.cumsum(gains)
    taken = int(np.searchsorted(-left, -max_error)) + 1
    return _sides_taken(choices, rings[:taken], steps[:taken])


def allot_by_points(choices: Sequence[Choices], max_points: int) -> list[int]:
    """Sides for each ring (0: left out), with the least error for at most ``max_points`` points."""
    rings, steps, _, points = _steps(choices)
    taken = int(np.searchsorted(np.cumsum(points), max_points, side="right"))
    return _sides_taken(choices, rings[:taken], steps[:taken])


def build_outline(choices: Sequence[Choices], sides: Sequence[int]) -> Outline:
    """The polygons of the rings that are not left out."""
    kept = [choice.corners(count) for choice, count in zip(choices, sides, strict=True) if count]
    lengths = [len(corners) for corners in kept]
    points = np.concatenate(kept) if kept else np.zeros((0, 2))
    return Outline(points, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))


def _choices(ring: NDArray[np.int32], *, is_hole: bool, deviation_px: float) -> Choices:
    extra = KEYHOLE_POINTS if is_hole else 0
    area = cv2.contourArea(ring)
    if len(ring) <= SMALL_RING_CORNERS:
        sides = np.array([0, len(ring)])
        return Choices(ring, None, sides + np.array([0.0, extra]), np.array([area, 0.0]), sides)
    rough = cv2.approxPolyDP(ring, max(LEAST_TOLERANCE_PX, TOLERANCE * deviation_px), True)
    costs = best_sides(ring, len(rough) + 4)
    sides = np.concatenate([[0], np.arange(3, len(costs.errors))])
    errors = np.concatenate([[area], costs.errors[3:]])
    corner = _lower_hull(sides + np.where(sides, extra, 0), errors)
    return Choices(ring, costs, (sides + np.where(sides, extra, 0.0))[corner], errors[corner], sides[corner])


def _lower_hull(points: NDArray[np.int64], errors: Floats) -> list[int]:
    """Indices of the corners of the lower convex hull, as long as errors fall."""
    hull: list[int] = []
    for index in range(len(points)):
        if hull and errors[index] >= errors[hull[-1]]:
            continue
        while len(hull) >= 2:
            first, middle = hull[-2], hull[-1]
            gain_before = (errors[first] - errors[middle]) * (points[index] - points[middle])
            gain_after = (errors[middle] - errors[index]) * (points[middle] - points[first])
            if gain_before > gain_after:
                break
            hull.pop()
        hull.append(index)
    return hull


def _steps(
    choices: Sequence[Choices],
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """All steps of all curves, best gain per point first: ring, choice reached, gain in error, points spent."""
    rings = np.repeat(np.arange(len(choices)), [len(choice.points) - 1 for choice in choices])
    steps = np.concatenate([np.arange(1, len(choice.points)) for choice in choices])
    gains = np.concatenate([-np.diff(choice.errors) for choice in choices])
    points = np.concatenate([np.diff(choice.points) for choice in choices])
    order = np.argsort(-gains / points, kind="stable")
    return rings[order], steps[order], gains[order], points[order]


def _sides_taken(choices: Sequence[Choices], rings: NDArray[np.int64], steps: NDArray[np.int64]) -> list[int]:
    taken = np.zeros(len(choices), np.int64)
    np.maximum.at(taken, rings, steps)
    return [int(choice.sides[step]) for choice, step in zip(choices, taken, strict=True)]
