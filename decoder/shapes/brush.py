"""Label Studio's brush: RGBA run lengths packed into bits, most significant first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from decoder.prompts import Size
from decoder.shapes.masks import Mask


def mask_to_brush(mask: Mask) -> list[int]:
    """Encode a mask for Label Studio's ``rle`` value, smallest: run-length field sizes are chosen per mask.

    Foreground becomes opaque (255 in all four channels), background transparent.

    Returns:
        Bytes as numbers 0 to 255.
    """
    raise NotImplementedError


def mask_to_sdk_brush(mask: Mask) -> list[int]:
    """Encode a mask byte for byte as ``label_studio_sdk.converter.brush.mask2rle(mask * 255)`` does."""
    raise NotImplementedError


def brush_to_mask(values: Sequence[int] | bytes, size: Size) -> NDArray[np.bool_]:
    """Decode Label Studio's ``rle`` value; pixels with alpha > 0 are foreground, shape (H, W).

    Raises:
        ShapeError: If the values are not bytes, end early, are not of 8-bit words, or do
            not describe an image of this size.
    """
    raise NotImplementedError
