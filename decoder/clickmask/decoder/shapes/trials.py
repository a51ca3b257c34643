"""One trial of polygons for a mask: corners laid on its rings, moved, joined, filled and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.descent import ErrorTable, Outline
from clickmask.decoder.shapes.filling import fill_rings, rle_iou
from clickmask.decoder.shapes.fitting import Floats
from clickmask.decoder.shapes.keyholes import find_cuts, join_rings, nearest_cuts
from clickmask.decoder.shapes.masks import mask_size
from clickmask.decoder.shapes.rings import Rings, find_rings
from clickmask.decoder.shapes.rle import Rle, mask_to_rle

MAX_MOVED_POINTS = 4_000  # beyond it corners stay where the fit put them


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Polygons tried for a mask.

    Args:
        outline: Corners of the rings that are not left out.
        kept: Which of the mask's rings those are.
        joined: The rings with their holes joined, shape (N, 2) each [px].
        iou: What they reach when filled.
    """

    outline: Outline
    kept: list[int]
    joined: list[Floats]
    iou: float

    @property
    def num_points(self) -> int:
        """Points of all joined rings together."""
        return sum(len(ring) for ring in self.joined)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A mask that polygons are to cover.

    Args:
        size: Of the mask.
        rings: Its exact outlines.
        hangs_on: For every hole the ring it is cut to.
        rle: The mask as run lengths.
        table: Counts wrong pixels.
    """

    size: Size
    rings: Rings
    hangs_on: dict[int, int]
    rle: Rle
    table: ErrorTable

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Target:
        """Work out what trials for a mask of shape (H, W), which is not empty, have in common."""
        rings = find_rings(pixels)
        hangs_on = {cut.hole: cut.target for cut in find_cuts(rings, pixels)}
        return cls(mask_size(pixels), rings, hangs_on, mask_to_rle(pixels), ErrorTable.of(pixels))

    def wrong_pixels(self, iou: float) -> float:
        """How many pixels may be wrong for a polygon to reach this IoU for sure."""
        return (1 - iou) * self.table.area

    def deviation_px(self, iou: float) -> float:
        """How far from the outline polygons of this IoU are on average."""
        corners = self.rings.corners
        return self.wrong_pixels(iou) / float(np.abs(corners[self.rings.following()] - corners).sum())

    def outer_ring(self, ring: int) -> int:
        """The outer ring of the part a ring belongs to."""
        while ring in self.hangs_on:
            ring = self.hangs_on[ring]
        return ring

    def inside(self, outline: Outline) -> Outline:
        """The outline with corners off the image pulled to its border."""
        return Outline(np.clip(outline.points, 0, [self.size.width, self.size.height]), outline.starts)

    def move(self, outline: Outline, steps_px: Sequence[float], active: NDArray[np.bool_] | None = None) -> Outline:
        """Move corners (all, or the active ones) that lie inside the image to where fewer pixels are wrong."""
        return self.table.improve(outline, steps_px, active) if len(outline.points) <= MAX_MOVED_POINTS else outline

    def judge(self, outline: Outline, kept: list[int]) -> Trial:
        """Join the holes, fill, compare."""
        place = {ring: at for at, ring in enumerate(kept)}
        corners = [outline.points[begin:end] for begin, end in pairwise(outline.starts.tolist())]
        pairs = []
        for ring in kept:
            near = self.hangs_on.get(ring)
            while near is not None and near not in place:
                near = self.hangs_on.get(near)
            if near is not None:
                pairs.append((place[ring], place[near]))
        joined = join_rings(corners, nearest_cuts(corners, pairs))
        return Trial(outline, kept, joined, rle_iou(fill_rings(joined, self.size), self.rle))
