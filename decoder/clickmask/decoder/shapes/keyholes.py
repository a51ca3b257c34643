"""Keyholes: holes cut into the ring around them, so that one polygon holds a part with all its holes.

A cut is walked to the hole and back. COCO's even-odd filling counts both ways, so a cut
changes no pixel and no area wherever it lies; ours run left through foreground.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes.rings import Rings, find_rings

Points = NDArray[Any]  # (N, 2) as (x, y) [px]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a hole hangs on another ring.

    Args:
        hole: The ring that hangs.
        start: Its corner at the end of the cut.
        target: The ring it hangs on.
        after: The target's corner before the cut.
        point: Where the cut begins, on the side after that corner or on the corner itself [px].
    """

    hole: int
    start: int
    target: int
    after: int
    point: tuple[float, float]


def keyholed_rings(pixels: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
    """One pixel-edge ring per 8-connected part with its holes joined, shape (N, 2) each [px]."""
    rings = find_rings(pixels)
    corners = rings.corners.astype(np.float64)
    outlines = [corners[begin:end] for begin, end in pairwise(rings.starts.tolist())]
    return join_rings(outlines, find_cuts(rings, pixels))


def find_cuts(rings: Rings, pixels: NDArray[np.uint8]) -> list[Cut]:
    """For each hole a cut from its topmost, leftmost corner along the pixel row to the first ring on the left.

    That ring belongs to the same part, and has a pixel earlier in reading order: following
    cuts from hole to hole always ends at the outer ring.
    """
    holes = np.flatnonzero(rings.is_hole)
    if not holes.size:
        return []
    corners = rings.corners.astype(np.int64)
    stride = int(pixels.shape[1]) + 1
    starts = _first_corners(corners[:, 1] * stride + corners[:, 0], rings.starts)[holes]
    hole_x, y = corners[starts].T
    x = [_run_start(pixels[row], column) for row, column in zip(y.tolist(), hole_x.tolist(), strict=True)]
    sides = _sides_at(rings, np.array(x), y)
    targets = np.searchsorted(rings.starts, sides, side="right") - 1
    return [
        Cut(hole, start, target, after, point)
        for hole, start, target, after, point in zip(
            holes.tolist(),
            (starts - rings.starts[holes]).tolist(),
            targets.tolist(),
            (sides - rings.starts[targets]).tolist(),
            zip(x, y.tolist(), strict=True),
            strict=True,
        )
    ]


def nearest_cuts(rings: Sequence[Points], pairs: Sequence[tuple[int, int]]) -> list[Cut]:
    """For each (hole, target) a cut between the two corners nearest to each other."""
    cuts = []
    for hole, target in pairs:
        apart = ((rings[hole][:, None] - rings[target]) ** 2).sum(axis=2)
        start, after = divmod(int(apart.argmin()), len(rings[target]))
        x, y = rings[target][after].tolist()
        cuts.append(Cut(hole, start, target, after, (x, y)))
    return cuts


def join_rings(rings: Sequence[Points], cuts: Sequence[Cut]) -> list[Points]:
    """Hang every hole on its cut's target; return the rings that are no holes, in order, holes and all."""
    hanging: dict[int, list[Cut]] = {}
    for cut in cuts:
        hanging.setdefault(cut.target, []).append(cut)
    holes = {cut.hole for cut in cuts}
    return [
        np.concatenate(list(_walk(index, rings, hanging))) if index in hanging else ring
        for index, ring in enumerate(rings)
        if index not in holes
    ]


def _walk(outer: int, rings: Sequence[Points], hanging: dict[int, list[Cut]]) -> Iterator[Points]:
    """Pieces of the joined ring in order; a stack instead of recursion, for chains of thousands of holes."""
    stack = [_pieces(rings[outer], 0, hanging.get(outer, []))]
    while stack:
        piece = next(stack[-1], None)
        if piece is None:
            stack.pop()
        elif isinstance(piece, Cut):
            ring = rings[piece.hole]
            stack.append(chain(_pieces(ring, piece.start, hanging.get(piece.hole, [])), [ring[piece.start, None]]))
        else:
            yield piece


def _pieces(ring: Points, start: int, cuts: Sequence[Cut]) -> Iterator[Points | Cut]:
    """One ring from a corner on, with each cut where it hangs and the way back after it."""
    ahead = np.concatenate([ring[start:], ring[:start]]) if start else ring

    def place(cut: Cut) -> tuple[int, float]:
        return (cut.after - start) % len(ring), float(np.abs(ring[cut.after] - cut.point).sum())

    done = 0
    for cut in sorted(cuts, key=place):
        after, distance = place(cut)
        yield ahead[done : after + 1]
        point = np.array([cut.point], ring.dtype)
        if distance > 0:
            yield point
        yield cut
        yield point
        done = after + 1
    yield ahead[done:]


def _first_corners(order: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each ring the index of the corner that comes first in ``order``."""
    first = np.repeat(np.minimum.reduceat(order, starts[:-1]), np.diff(starts))
    at = np.flatnonzero(order == first)
    return at[np.searchsorted(at, starts[:-1])]  # a ring may pass its first corner twice


def _run_start(row: NDArray[np.uint8], end: int) -> int:
    """First column of the foreground run that ends before column ``end``."""
    background = row[:end][::-1] == 0
    gap = int(background.argmax())
    return end - gap if background[gap] else 0


def _sides_at(rings: Rings, x: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each (x, row) the first corner of the vertical side at x that borders on the pixel of that row."""
    begin = rings.corners.astype(np.int64)
    end = begin[rings.following()]
    sides = np.flatnonzero(begin[:, 0] == end[:, 0])
    top = np.minimum(begin[sides, 1], end[sides, 1])
    stride = int(rings.corners[:, 1].max()) + 1
    keys = begin[sides, 0] * stride + top
    order = np.argsort(keys)
    return sides[order[np.searchsorted(keys[order], x * stride + rows, side="right") - 1]]
