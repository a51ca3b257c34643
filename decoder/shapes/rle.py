"""COCO run lengths: column by column, background first, plain or as compressed text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from decoder.shapes.masks import Mask


class Rle(TypedDict):
    """Compressed run lengths as COCO's JSON holds them."""

    size: list[int]  # [height, width]
    counts: str


class UncompressedRle(TypedDict):
    """Run lengths as plain numbers, as COCO holds crowds."""

    size: list[int]  # [height, width]
    counts: list[int]  # background first, may start with 0


def mask_to_rle(mask: Mask) -> Rle:
    """Encode a mask as COCO's compressed run lengths, the same text as pycocotools.

    Example:
        >>> mask_to_rle(np.eye(3, dtype=bool))
        {'size': [3, 3], 'counts': '013000'}
    """
    raise NotImplementedError


def mask_to_uncompressed_rle(mask: Mask) -> UncompressedRle:
    """Encode a mask as COCO's plain run lengths.

    Example:
        >>> mask_to_uncompressed_rle(np.eye(3, dtype=bool))
        {'size': [3, 3], 'counts': [0, 1, 3, 1, 3, 1]}
    """
    raise NotImplementedError


def rle_to_mask(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode compressed (str or bytes) or plain (list) COCO run lengths, shape (H, W).

    Raises:
        ShapeError: If the size or the counts are malformed, or the counts do not add up
            to height x width.
    """
    raise NotImplementedError


def rle_area(rle: Mapping[str, Any]) -> int:
    """Count the foreground pixels without decoding; raises like ``rle_to_mask``."""
    raise NotImplementedError
