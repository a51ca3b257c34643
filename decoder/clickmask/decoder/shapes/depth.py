"""How deep a pixel lies inside a mask."""

from __future__ import annotations

import cv2
import numpy as np

from clickmask.decoder.prompts import Point
from clickmask.decoder.shapes.masks import Mask, as_bytes


def deepest_point(mask: Mask) -> tuple[Point, float] | None:
    """Find where a mask is widest; the image's border counts as its edge.

    Returns:
        The centre of the pixel farthest from all background, and how far that is [px], of equals the first; None for
        an empty mask.

    Example:
        >>> deepest_point(np.ones((5, 3), bool))
        (Point(x=1.5, y=1.5, positive=True), 2.0)
    """
    inside = np.pad((as_bytes(mask) != 0).view(np.uint8), 1)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    deepest = float(depth[row, column])
    return (Point(float(column) + 0.5, float(row) + 0.5), deepest) if deepest > 0 else None
