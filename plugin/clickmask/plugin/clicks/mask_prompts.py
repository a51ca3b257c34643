"""A region that a person painted or traced, as a mask prompt.

The networks learned to correct a mask together with clicks or a box, not a mask alone, so
something goes with it. An outline is drawn around the object: its box says how far to look.
A brush stroke lies inside the object: its box would cut the object off, so the stroke's
deepest point goes with it, and its edge counts for less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder import Point, Prompt, PromptError, Size
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.shapes import mask_to_box

_GRID = 256  # side of the logits the decoder works on
_OUTLINE_LOGIT = 10.0
_STROKE_LOGIT = 4.0


def outline_prompt(region: Mapping[str, Any], points: Sequence[Point], size: Size) -> Prompt:
    """The prompt for the object that a polygon or vector region was traced around.

    Args:
        region: An item of a context's ``result``.
        points: Clicks on the same object [px].
        size: Of the image [px].

    Raises:
        PromptError: If the region covers no pixel.
        ShapeError: If the region's shape is malformed.
        DatasetError: If a field of the region is missing or wrong.
    """
    mask = _covered(region, size)
    return Prompt(points=tuple(points), box=mask_to_box(mask), mask_logits=_logits(mask, _OUTLINE_LOGIT))


def stroke_prompt(region: Mapping[str, Any], points: Sequence[Point], size: Size) -> Prompt:
    """The prompt for the object that a brush or bitmask region was painted on; otherwise as ``outline_prompt``."""
    mask = _covered(region, size)
    return Prompt(points=(_deepest(mask), *points), mask_logits=_logits(mask, _STROKE_LOGIT))


def _covered(region: Mapping[str, Any], size: Size) -> NDArray[np.bool_]:
    mask = result_to_mask({**region, "original_width": size.width, "original_height": size.height})
    if not mask.any():
        raise PromptError(f"region {region.get('id')} covers no pixel, wanted at least one")
    return mask


def _logits(mask: NDArray[np.bool_], sure: float) -> Tensor:
    """From -sure where nothing is covered to +sure where all is, shape (256, 256)."""
    share = cv2.resize(mask.astype(np.float32), (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    return torch.from_numpy((2 * share - 1) * sure)


def _deepest(mask: NDArray[np.bool_]) -> Point:
    """The centre of the pixel farthest from the region's edge."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Point(float(column) - 0.5, float(row) - 0.5)  # the padding moved it by 1, its centre is at +0.5
