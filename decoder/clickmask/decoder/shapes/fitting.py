"""Fitting few straight sides to one ring: where to break it, and which lines to lay through the pieces.

A chord between two contour points errs on one side only. A line fitted to the piece cuts
through it and errs 3/8 as much, so corners are where neighbouring lines meet, off the contour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

CANDIDATES_PER_SIDE = 2.5
MIN_CANDIDATES = 128
BAND_SIDES, MIN_BAND = 3, 14  # a side may span this many average ones, and at least this many candidates
MEAN_TO_RMS = 0.86  # mean over root-mean-square distance of a parabola to its best line
FIT_ROUNDS = 3
WINDOW = 33  # contour points looked at when a break moves to its corner


@dataclass(frozen=True, slots=True, eq=False)
class SideCosts:
    """The best polygons of every number of sides for one ring: errors, and how to read back the breaks.

    Args:
        contour: Points along the ring, shape (N, 2) [px].
        sums: Running sums of the contour's moments over two rounds, shape (6, 2 N + 1).
        candidates: Contour indices where sides may meet, ascending, shape (n,).
        errors: Area between ring and polygon [px^2] for k sides at index k; inf where impossible.
        spans: Candidates spanned by the last side up to candidate j with k sides, shape (K + 1, n + 1).
    """

    contour: Floats
    sums: Floats
    candidates: Indices
    errors: Floats
    spans: NDArray[np.int32]


def ring_contour(ring: NDArray[np.int32]) -> Floats:
    """Points along a pixel-edge ring, one per pixel side, with its stairs evened out, shape (N, 2) [px]."""
    sides = np.roll(ring, -1, axis=0) - ring
    lengths = np.abs(sides).sum(axis=1)
    steps = sides // lengths[:, None]
    nth = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    middles = np.repeat(ring, lengths, axis=0) + np.repeat(steps, lengths, axis=0) * (nth[:, None] + 0.5)
    evened = (middles + np.roll(middles, -1, axis=0)) / 2
    return np.asarray((np.roll(evened, 1, axis=0) + 2 * evened + np.roll(evened, -1, axis=0)) / 4)


def best_sides(ring: NDArray[np.int32], max_sides: int) -> SideCosts:
    """Find, for every number of sides up to ``max_sides``, where to break a ring so that lines fit best."""
    contour = ring_contour(ring)
    sums = _running_moments(contour)
    num_candidates = min(len(contour), max(MIN_CANDIDATES, round(CANDIDATES_PER_SIDE * max_sides)))
    candidates = np.arange(num_candidates) * len(contour) // num_candidates
    band = min(num_candidates - 1, max(MIN_BAND, BAND_SIDES * num_candidates // max_sides))
    ends = np.arange(num_candidates)[:, None] + np.arange(1, band + 1)
    ends_at = np.concatenate([candidates, candidates + len(contour)])[ends]
    costs = _line_errors(sums, np.broadcast_to(candidates[:, None], ends_at.shape), ends_at)
    errors, spans = _shortest_paths(costs, max_sides)
    return SideCosts(contour, sums, candidates, errors, spans)


def fit_sides(costs: SideCosts, num_sides: int) -> Floats:
    """Lay lines through the best pieces of a ring and return where they meet, shape (num_sides, 2) [px]."""
    breaks = _read_back(costs, num_sides)
    corners = _meeting_points(costs, breaks)
    for _ in range(FIT_ROUNDS - 1):
        moved = _nearest_on_contour(costs.contour, breaks, corners)
        if (moved == breaks).all() or (np.diff(moved) < 1).any():
            break
        breaks = moved
        corners = _meeting_points(costs, breaks)
    return corners


def _running_moments(contour: Floats) -> Floats:
    x, y = contour.T
    weight = np.hypot(*(np.roll(contour, -1, axis=0) - np.roll(contour, 1, axis=0)).T) / 2
    moments = weight * np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])  # (6, N)
    return np.concatenate([np.zeros((6, 1)), np.cumsum(np.concatenate([moments, moments], axis=1), axis=1)], axis=1)


def _moments(sums: Floats, begin: Indices, end: Indices) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Length, mean x, mean y and the variances xx, xy, yy of contour pieces [begin, end)."""
    length, x, y, xx, xy, yy = sums[:, end] - sums[:, begin]
    length = np.maximum(length, 1e-9)
    x, y = x / length, y / length
    return length, x, y, xx / length - x * x, xy / length - x * y, yy / length - y * y


def _line_errors(sums: Floats, begin: Indices, end: Indices) -> Floats:
    """Area between contour pieces and their best lines [px^2]."""
    length, _, _, xx, xy, yy = _moments(sums, begin, end)
    across = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    return np.asarray(length * np.sqrt(np.maximum(across, 0)) * MEAN_TO_RMS)


def _shortest_paths(costs: Floats, max_sides: int) -> tuple[Floats, NDArray[np.int32]]:
    """Cheapest ways once around from candidate 0, for each number of sides, over costs[candidate, span - 1]."""
    count, band = costs.shape
    span = np.arange(band, 0, -1)
    begin = np.arange(count + 1)[:, None] - span  # (n + 1, band); before candidate 0 nothing is ever reached
    side = costs[begin % count, span - 1]
    reached = np.full(band + count + 1, np.inf)  # candidate j at index band + j
    reached[band] = 0
    behind = np.lib.stride_tricks.sliding_window_view(reached[:-1], band)  # (n + 1, band), sees what is reached later
    errors = np.full(max_sides + 1, np.inf)
    spans = np.zeros((max_sides + 1, count + 1), np.int32)
    for sides in range(1, max_sides + 1):
        total = behind + side
        best = total.argmin(axis=1)
        spans[sides] = span[best]
        reached[band:] = total[np.arange(count + 1), best]
        errors[sides] = reached[-1] if sides >= 3 else np.inf
    return errors, spans


def _read_back(costs: SideCosts, num_sides: int) -> Indices:
    """Contour indices of the breaks of the best polygon with this many sides, ascending."""
    at = len(costs.candidates)
    breaks = []
    for sides in range(num_sides, 0, -1):
        at -= int(costs.spans[sides, at])
        breaks.append(at)
    return np.asarray(costs.candidates[breaks[::-1]])


def _meeting_points(costs: SideCosts, breaks: Indices) -> Floats:
    """Where the line of each piece meets the line of the piece before; on the contour where they hardly do."""
    ends = np.append(breaks[1:], breaks[0] + len(costs.contour))
    _, x, y, xx, xy, yy = _moments(costs.sums, breaks, ends)
    angle = np.arctan2(2 * xy, xx - yy) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    before_x, before_y, before_cos, before_sin = (np.roll(values, 1) for values in (x, y, cos, sin))
    crossing = before_cos * sin - before_sin * cos
    flat = np.abs(crossing) < 1e-9
    along = ((x - before_x) * sin - (y - before_y) * cos) / np.where(flat, 1, crossing)
    meeting = np.stack([before_x + along * before_cos, before_y + along * before_sin], axis=1)
    contour = costs.contour[breaks]
    shorter = np.minimum(ends - breaks, np.roll(ends - breaks, 1))
    far = flat | (np.hypot(*(meeting - contour).T) > shorter / 2)
    return np.where(far[:, None], contour, meeting)


def _nearest_on_contour(contour: Floats, breaks: Indices, corners: Floats) -> Indices:
    """Move each break to the contour point nearest to its corner, at most half-way to its neighbours."""
    count = len(contour)
    before = (breaks + np.roll(breaks, 1) - np.where(np.arange(len(breaks)) == 0, count, 0)) // 2 + 1
    after = np.append(before[1:], before[0] + count) - 1
    tried = before[:, None] + (after - before)[:, None] * np.arange(WINDOW) // (WINDOW - 1)
    distance = ((contour[tried % count] - corners[:, None]) ** 2).sum(axis=2)
    return np.asarray(tried[np.arange(len(breaks)), distance.argmin(axis=1)])
