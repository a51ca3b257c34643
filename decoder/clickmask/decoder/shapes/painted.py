"""Rings that painters get right: PIL, cv2.fillPoly and YOLO's training fill a polygon *and* draw its outline.

Painters cut coordinates down to whole pixels and colour every pixel the outline touches. So
the outline must stay inside the pixels it bounds: left and top sides move in by 0.2 px, right
and bottom ones by 0.4 px, which pycocotools' filling does not notice. Pixels that touch only at
a corner become parts of their own, and keyholes run through the middle of foreground pixels.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.shapes.fitting import Floats
from clickmask.decoder.shapes.keyholes import Cut, find_cuts, join_rings
from clickmask.decoder.shapes.rings import Rings, find_rings

LEFT_TOP_PX = 0.2
RIGHT_BOTTOM_PX = -0.4
CUT_PX = 0.4  # below the upper side of the pixel row a keyhole runs along


def painted_rings(pixels: NDArray[np.uint8]) -> list[Floats]:
    """One ring per 4-connected part with its holes joined, shape (N, 2) each [px]; pixels of shape (H, W)."""
    rings = split_touching(find_rings(pixels), pixels)
    inset = _inset(rings)
    corners = [inset[begin:end] for begin, end in pairwise(rings.starts.tolist())]
    cuts = []
    for cut in find_cuts(rings, pixels):
        x = float(corners[cut.hole][cut.start, 0])
        row = rings.ring(cut.hole)[cut.start, 1]
        corners[cut.hole] = np.insert(corners[cut.hole], cut.start, (x, row + CUT_PX), axis=0)
        cuts.append(replace(cut, point=(cut.point[0] + LEFT_TOP_PX, row + CUT_PX)))
    return join_rings(corners, _shifted(cuts))


def split_touching(rings: Rings, pixels: NDArray[np.uint8]) -> Rings:
    """Turn 8-connected parts with 4-connected holes into 4-connected parts with 8-connected holes.

    Where two pixels touch at a corner only, the outline passes that corner twice, each time
    from one pixel to the other. Swapping the ways out keeps each pass with its own pixel.
    """
    touching = _touching_corners(rings, pixels)
    if not len(touching):
        return rings
    following = rings.following()
    first, second = touching.T
    following[first], following[second] = following[second], following[first]
    order, lengths = _cycles(following)
    corners = rings.corners[order]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    split = Rings(corners, starts, np.zeros(len(lengths), np.bool_))
    following_corners = corners[split.following()].astype(np.int64)
    doubled_areas = corners[:, 0] * following_corners[:, 1] - corners[:, 1] * following_corners[:, 0]
    return replace(split, is_hole=np.add.reduceat(doubled_areas, starts[:-1]) > 0)


def _touching_corners(rings: Rings, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pairs of corner indices, shape (T, 2), that are one point with foreground at two opposite corners of it."""
    height, width = pixels.shape
    x, y = rings.corners.astype(np.int64).T
    inside = np.flatnonzero((x > 0) & (x < width) & (y > 0) & (y < height))
    x, y = x[inside], y[inside]
    left_top, right_top = pixels[y - 1, x - 1] != 0, pixels[y - 1, x] != 0
    left_bottom, right_bottom = pixels[y, x - 1] != 0, pixels[y, x] != 0
    crossing = (left_top == right_bottom) & (right_top == left_bottom) & (left_top != right_top)
    inside = inside[crossing]
    order = np.argsort(y[crossing] * width + x[crossing], kind="stable")
    return np.asarray(inside[order].reshape(-1, 2))


def _cycles(following: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """Follow the links around: corner indices ring after ring, and how many each ring has."""
    links = following.tolist()
    order: list[int] = []
    lengths = []
    for start in range(len(links)):
        at, before = start, len(order)
        while links[at] >= 0:
            order.append(at)
            links[at], at = -1, links[at]
        if len(order) > before:
            lengths.append(len(order) - before)
    return order, lengths


def _inset(rings: Rings) -> Floats:
    """Corners moved into the pixels they bound: sides down and leftward are left and top sides."""
    corners = rings.corners.astype(np.float64)
    following = rings.following()
    way_out = corners[following] - corners
    way_in = np.empty_like(way_out)
    way_in[following] = way_out
    downward, rightward = (way_in + way_out).T[::-1]  # one of the two sides is vertical, the other level
    corners[:, 0] += np.where(downward > 0, LEFT_TOP_PX, RIGHT_BOTTOM_PX)
    corners[:, 1] += np.where(rightward > 0, RIGHT_BOTTOM_PX, LEFT_TOP_PX)
    return corners


def _shifted(cuts: list[Cut]) -> list[Cut]:
    """Let sides keep their numbers' meaning: each hole has got one corner more, at its own cut."""
    inserted = {cut.hole: cut.start for cut in cuts}
    return [
        replace(cut, after=cut.after + 1) if cut.after >= inserted.get(cut.target, cut.after + 1) else cut
        for cut in cuts
    ]
