"""Ellipses fitted to masks, and masks from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.boxes import fill_turned
from clickmask.decoder.shapes.masks import Mask, as_bytes, check_size


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse turned clockwise (on screen) about its centre by 0 <= angle < 180 degrees [px]."""

    center_x: float
    center_y: float
    radius_x: float
    radius_y: float
    angle_degrees: float


def mask_to_ellipse(mask: Mask) -> Ellipse | None:
    """The ellipse with the mask's area, centre and axes of inertia; None for an empty mask.

    Its x axis is the longer one.

    Example:
        >>> ellipse = mask_to_ellipse(ellipse_to_mask(Ellipse(50.0, 40.0, 30.0, 10.0, 0.0), Size(80, 100)))
        >>> round(ellipse.center_x, 1), round(ellipse.radius_x, 1), round(ellipse.radius_y, 1)
        (50.0, 30.0, 10.0)
    """
    moments = cv2.moments(as_bytes(mask), binaryImage=True)
    area = moments["m00"]
    if area == 0:
        return None
    # a pixel is a unit square, not a point: 1/12 is its own spread
    xx, yy, xy = moments["mu20"] / area + 1 / 12, moments["mu02"] / area + 1 / 12, moments["mu11"] / area
    mean, spread = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    aspect = math.sqrt((mean + spread) / (mean - spread))
    radius = math.sqrt(area / math.pi)
    return Ellipse(
        center_x=moments["m10"] / area + 0.5,
        center_y=moments["m01"] / area + 0.5,
        radius_x=radius * math.sqrt(aspect),
        radius_y=radius / math.sqrt(aspect),
        angle_degrees=math.degrees(math.atan2(2 * xy, xx - yy) / 2) % 180,
    )


def ellipse_to_mask(ellipse: Ellipse, size: Size) -> NDArray[np.bool_]:
    """Fill an ellipse: pixels whose centre lies inside, shape (H, W).

    Raises:
        ShapeError: If a number is not finite or a radius is not positive.
    """
    size = check_size(size)
    numbers = (ellipse.center_x, ellipse.center_y, ellipse.radius_x, ellipse.radius_y, ellipse.angle_degrees)
    if not all(math.isfinite(number) for number in numbers):
        raise ShapeError(f"the {ellipse} is not finite")
    if ellipse.radius_x <= 0 or ellipse.radius_y <= 0:
        raise ShapeError(f"the ellipse has radii {ellipse.radius_x} and {ellipse.radius_y}, wanted positive ones")

    def inside(along: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray((along / ellipse.radius_x) ** 2 + (across / ellipse.radius_y) ** 2 <= 1)

    return fill_turned(size, ellipse.center_x, ellipse.center_y, ellipse.angle_degrees, inside)
