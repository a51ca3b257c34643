"""Label Studio regions as masks.

``image_rotation`` says how the picture was turned on the annotator's screen. It is checked but
not applied: coordinates and pixels of every region stay those of the picture as it is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decoder.errors import ShapeError
from decoder.formats.fields import Fields, array, as_fields, integer, number, side, text, wrong
from decoder.prompts import Box, Size
from decoder.shapes import (
    Ellipse,
    RotatedBox,
    bitmap_url_to_mask,
    box_to_mask,
    brush_to_mask,
    ellipse_to_mask,
    polygons_to_mask,
    rotated_box_to_mask,
)


def result_to_mask(item: Any) -> NDArray[np.bool_]:
    """Return the pixels of one item of an annotation's ``result``.

    Brush, bitmask, polygon, closed vector (with Bezier curves), rectangle (also rotated),
    ellipse and keypoint (the disc that Label Studio draws) are read; what an item is, is told
    by the keys of its ``value``, as Label Studio itself does.

    Args:
        item: The item, as JSON gives it.

    Returns:
        The mask, shape (original_height, original_width).

    Raises:
        ShapeError: If the shape is malformed, or has no area (an open vector).
        DatasetError: If a field is missing or is not what it should be.

    Example:
        >>> value = {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0}
        >>> item = {"id": "a", "type": "rectangle", "original_width": 4, "original_height": 4, "value": value}
        >>> result_to_mask(item).astype(int)
        array([[1, 1, 0, 0],
               [1, 1, 0, 0],
               [0, 0, 0, 0],
               [0, 0, 0, 0]])
    """
    raise NotImplementedError


def region_size(item: Fields) -> Size:
    """Return the size of the image an item was drawn on.

    Raises:
        DatasetError: If it is missing or impossible.
    """
    where = f"region {item.get('id')!r:.40}"
    return Size(side(item, "original_height", where), side(item, "original_width", where))
