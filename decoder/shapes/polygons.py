"""Masks to polygons that give the same mask back, and polygons to masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from decoder.errors import ShapeError
from decoder.prompts import Size
from decoder.shapes.filling import check_ring, fill_rings
from decoder.shapes.keyholes import find_cuts, join_rings
from decoder.shapes.masks import Mask, as_bytes, check_size, mask_size
from decoder.shapes.rings import find_rings
from decoder.shapes.rle import rle_to_mask

Style = Literal["parts", "fewest", "painted"]


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """The outline of one object: one closed ring per polygon, holes cut in by keyholes.

    A pixel belongs to the object if its centre lies inside any ring by the even-odd rule.

    Args:
        rings: Corner points [px], each of shape (N, 2) with N >= 3 as (x, y), multiples of
            0.2, the first point not repeated. Empty for an empty mask.
        size: Height and width of the mask they came from.
        iou: Overlap of the decoded rings with that mask, in [0, 1]; exactly 1.0 means
            every pixel is the same.
    """

    rings: tuple[NDArray[np.float64], ...]
    size: Size
    iou: float

    @property
    def num_points(self) -> int:
        """Points of all rings together."""
        return sum(len(ring) for ring in self.rings)

    def to_coco(self) -> list[list[float]]:
        """COCO's ``segmentation``: one flat list [x0, y0, x1, y1, ...] per ring, one decimal [px].

        Example:
            >>> mask_to_polygons(np.ones((2, 3), bool)).to_coco()
            [[0.0, 0.0, 0.0, 2.0, 3.0, 2.0, 3.0, 0.0]]
        """
        return [np.round(ring, 1).ravel().tolist() for ring in self.rings]


def mask_to_polygons(
    mask: Mask, *, style: Style = "parts", min_iou: float | None = None, max_points: int | None = None
) -> Polygons:
    """Turn a mask into polygons: exactly, or with fewer points at a promised IoU.

    Without ``min_iou`` and ``max_points`` the polygons decode (pycocotools, and
    ``polygons_to_mask``) to the mask bit for bit, holes and islands included. Parts are
    8-connected: pixels that touch at a corner belong together.

    Args:
        mask: Shape (H, W), bool or uint8.
        style: "parts" follows the pixel edges with one polygon per part, holes joined by
            zero-width cuts. "fewest" is as exact with the fewest points on a grid of
            0.2 px. "painted" is exact for programs that also paint the outline (PIL,
            ``cv2.fillPoly``, YOLO training) as well as for pycocotools.
        min_iou: Simplify: the fewest points found whose decoded IoU is at least this, in
            (0, 1]. Always kept, verified by decoding.
        max_points: Simplify: at most this many points, at least 3; specks and holes go
            first. With ``min_iou`` both hold or an error is raised.

    Returns:
        The polygons and the IoU reached. An empty mask gives no rings and IoU 1.

    Raises:
        ShapeError: If the mask is malformed, a limit is out of range, both limits cannot
            hold together, or "painted" is combined with a limit.
    """
    pixels = as_bytes(mask)
    size = mask_size(pixels)
    rings = find_rings(pixels)
    corners = rings.corners.astype(np.float64)
    outlines = [corners[begin:end] for begin, end in pairwise(rings.starts.tolist())]
    return Polygons(tuple(join_rings(outlines, find_cuts(rings, pixels))), size, 1.0)


def polygons_to_mask(polygons: Polygons | Sequence[Sequence[float]], size: Size | None = None) -> NDArray[np.bool_]:
    """Fill polygons as pycocotools does: even-odd within a polygon, all polygons united.

    Args:
        polygons: ``Polygons``, or COCO's flat lists [x0, y0, x1, y1, ...] in pixels. Each
            needs 3 points; the first may be repeated at the end. Points may lie up to the
            image's own width or height outside of it, and are cut off there.
        size: Height and width of the mask; may be left out for ``Polygons``.

    Returns:
        The mask, shape (H, W).

    Raises:
        ShapeError: If the size is missing or impossible, or a polygon is not an even
            number of at least 6 finite numbers near the image.
    """
    if isinstance(polygons, Polygons):
        if size is not None and check_size(size) != polygons.size:
            raise ShapeError(f"the polygons are of size {polygons.size}, got size {size}")
        return rle_to_mask(fill_rings(polygons.rings, polygons.size))
    if size is None:
        raise ShapeError("flat lists do not say how large the image is: got no size, wanted one")
    size = check_size(size)
    if not isinstance(polygons, Sequence) or isinstance(polygons, str | bytes):
        raise ShapeError(f"the polygons are {repr(polygons)[:60]}, wanted a list of flat lists [x0, y0, x1, y1, ...]")
    rings = [check_ring(numbers, index, size) for index, numbers in enumerate(polygons)]
    return rle_to_mask(fill_rings(rings, size))
