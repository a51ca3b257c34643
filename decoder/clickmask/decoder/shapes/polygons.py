"""Masks to polygons that give the same mask back, and polygons to masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.descent import GRID_PX
from clickmask.decoder.shapes.fewest import fewest_rings
from clickmask.decoder.shapes.filling import check_ring, fill_rings, rle_iou
from clickmask.decoder.shapes.keyholes import keyholed_rings
from clickmask.decoder.shapes.masks import Mask, as_bytes, check_size, mask_size, window
from clickmask.decoder.shapes.painted import painted_rings
from clickmask.decoder.shapes.rle import mask_to_rle, rle_to_crop, rle_to_mask
from clickmask.decoder.shapes.simplify import reach_iou, spend_points
from clickmask.decoder.shapes.trials import Target, Trial

Style = Literal["parts", "fewest", "painted"]
ROOM_PX = 8  # around the foreground, for corners off the contour
MOST_CORNERS = 20_000  # of pixel edges among which fewer points are looked for: two seconds of work
FEWEST_SHARE = 0.03  # of the pixel-edge corners: an exact outline hardly ever has fewer points


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

    def placed(self, left: int, top: int, size: Size) -> Polygons:
        """The same outline in a larger image of which the mask was a part, from that column and row on [px]."""
        return Polygons(tuple(ring + np.array([left, top]) for ring in self.rings), size, self.iou)


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
            (0, 1]. Always kept, verified by decoding. Of a grainy mask of more than
            ``MOST_CORNERS`` pixel-edge corners with hardly a wrong pixel allowed, the exact
            pixel edges are taken as they are.
        max_points: Simplify: at most this many points, at least 3; specks and holes go
            first. With ``min_iou`` both hold or an error is raised.

    Returns:
        The polygons and the IoU reached. An empty mask gives no rings and IoU 1.

    Raises:
        ShapeError: If the mask is malformed, a limit is out of range, both limits cannot
            hold together, or "painted" is combined with a limit.
    """
    pixels = as_bytes(mask)
    check_wishes(style, min_iou, max_points)
    exact = min_iou is None and max_points is None
    return _exact(pixels, style) if exact else _simplified(pixels, min_iou, max_points)


def rle_to_polygons(
    rle: Mapping[str, Any], *, style: Style = "parts", min_iou: float | None = None, max_points: int | None = None
) -> Polygons:
    """Return what ``mask_to_polygons`` makes of a mask given as COCO run lengths; only a window of it is decoded.

    Raises:
        ShapeError: If the run lengths are malformed, or as ``mask_to_polygons``.

    Example:
        >>> rle_to_polygons({"size": [3, 4], "counts": [7, 2, 3]}).to_coco()
        [[3.0, 1.0, 2.0, 1.0, 2.0, 3.0, 3.0, 3.0]]
    """
    pixels, left, top = rle_to_crop(rle, ROOM_PX)
    height, width = rle["size"]
    polygons = mask_to_polygons(pixels, style=style, min_iou=min_iou, max_points=max_points)
    return polygons.placed(left, top, Size(int(height), int(width)))


def is_too_grainy(rle: Mapping[str, Any], min_iou: float) -> bool:
    """Whether a mask keeps its exact pixel edges at this IoU, as fewer points would take too long to find.

    Raises:
        ShapeError: If the run lengths are malformed.

    Example:
        >>> is_too_grainy({"size": [3, 4], "counts": [7, 2, 3]}, 0.99)
        False
    """
    pixels, _, _ = rle_to_crop(rle)
    return bool(pixels.any()) and _gives_up(Target.of(pixels), min_iou)


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
    if not isinstance(polygons, list | tuple):
        raise ShapeError(f"the polygons are {repr(polygons)[:60]}, wanted a list of flat lists [x0, y0, x1, y1, ...]")
    rings = [check_ring(numbers, f"polygon {index}", size) for index, numbers in enumerate(polygons)]
    return rle_to_mask(fill_rings(rings, size))


def _exact(pixels: NDArray[np.uint8], style: Style) -> Polygons:
    """Polygons that decode to the mask; pixel edges do so by construction, the others are decoded to make sure."""
    size = mask_size(pixels)
    if style != "parts":
        rings = tuple(fewest_rings(pixels) if style == "fewest" else painted_rings(pixels))
        iou = rle_iou(fill_rings(rings, size), mask_to_rle(pixels))
        if iou == 1.0:
            return Polygons(rings, size, iou)
    return Polygons(tuple(keyholed_rings(pixels)), size, 1.0)


def check_wishes(style: Style, min_iou: float | None, max_points: int | None) -> None:
    """Check what can be checked of ``mask_to_polygons``'s options without a mask.

    Raises:
        ShapeError: If the style is unknown, a limit is out of range, or "painted" is combined with a limit.
    """
    if style not in get_args(Style):
        raise ShapeError(f"style is {style!r}, wanted one of {', '.join(get_args(Style))}")
    if style == "painted" and (min_iou is not None or max_points is not None):
        raise ShapeError("style 'painted' is exact: got min_iou or max_points with it, wanted neither")
    if min_iou is not None and not (isinstance(min_iou, int | float | np.floating) and 0 < min_iou <= 1):
        raise ShapeError(f"min_iou is {min_iou!r}, wanted a number above 0 and up to 1")
    if max_points is not None and not (isinstance(max_points, int | np.integer) and max_points >= 3):
        raise ShapeError(f"max_points is {max_points!r}, wanted a whole number of at least 3")


def _simplified(pixels: NDArray[np.uint8], min_iou: float | None, max_points: int | None) -> Polygons:
    found = window(pixels)
    if found is None:
        return Polygons((), mask_size(pixels), 1.0)
    top, left = (max(0, side.start - ROOM_PX) for side in found)
    cropped = np.ascontiguousarray(pixels[top : found[0].stop + ROOM_PX, left : found[1].stop + ROOM_PX])
    if min_iou is None:
        assert max_points is not None
        polygons = _within_points(cropped, max_points)
    else:
        polygons = _above_iou(cropped, min_iou)
    if max_points is not None and polygons.num_points > max_points:
        needed = f"IoU {min_iou} takes {polygons.num_points} points"
        raise ShapeError(f"min_iou and max_points do not go together: {needed}, wanted at most {max_points}")
    return polygons.placed(left, top, mask_size(pixels))


def _above_iou(pixels: NDArray[np.uint8], min_iou: float) -> Polygons:
    """The fewest points found at this IoU; where only a fraction of the grid is allowed, exact ones may be fewer."""
    target = Target.of(pixels)
    deviation_px = target.deviation_px(min_iou)
    if _gives_up(target, min_iou):
        return _exact(pixels, "parts")
    found = reach_iou(target, min_iou) if deviation_px > GRID_PX / 4 else None
    if found is not None and deviation_px > GRID_PX:
        return _polygons(found, target.size)
    exact = _exact(pixels, "fewest")
    return exact if found is None or exact.num_points <= found.num_points else _polygons(found, target.size)


def _gives_up(target: Target, min_iou: float) -> bool:
    return len(target.rings.corners) > MOST_CORNERS and target.deviation_px(min_iou) <= GRID_PX


def _within_points(pixels: NDArray[np.uint8], max_points: int) -> Polygons:
    """The best IoU found for so many points; exact ones where they may suffice."""
    if sum(len(ring) for ring in keyholed_rings(pixels)) * FEWEST_SHARE <= max_points:
        exact = _exact(pixels, "fewest")
        if exact.num_points <= max_points:
            return exact
    return _polygons(spend_points(Target.of(pixels), max_points), mask_size(pixels))


def _polygons(trial: Trial, size: Size) -> Polygons:
    return Polygons(tuple(trial.joined), size, trial.iou)
