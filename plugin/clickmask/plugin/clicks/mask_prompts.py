"""A region that a person painted or traced, as a mask prompt.

The networks learned to correct a mask together with clicks or a box, not a mask alone, so
something goes with it. An outline is drawn around the object: its box says how far to look.
A brush stroke lies inside the object: its box would cut the object off, so the stroke's
deepest point goes with it, and its edge counts for less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import Point, Prompt, PromptError, Size, mask_to_logits
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.shapes import deepest_point, mask_to_box

_STROKE_LOGIT = 4.0  # less sure than of a mask that was seen


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
    box = mask_to_box(mask)
    if points:  # they correct what was traced
        return Prompt(points=tuple(points), box=box, mask=mask)
    return Prompt(box=box, mask_logits=mask_to_logits(mask))


def stroke_prompt(region: Mapping[str, Any], points: Sequence[Point], size: Size) -> Prompt:
    """The prompt for the object that a brush or bitmask region was painted on; otherwise as ``outline_prompt``."""
    mask = _covered(region, size)
    return Prompt(points=(*_middle(mask), *points), mask_logits=mask_to_logits(mask, _STROKE_LOGIT))


def _covered(region: Mapping[str, Any], size: Size) -> NDArray[np.bool_]:
    mask = result_to_mask({**region, "original_width": size.width, "original_height": size.height})
    if not mask.any():
        raise PromptError(f"region {region.get('id')} covers no pixel, wanted at least one")
    return mask


def _middle(mask: NDArray[np.bool_]) -> tuple[Point, ...]:
    """The centre of the pixel farthest from the region's edge."""
    deepest = deepest_point(mask)
    return () if deepest is None else (deepest[0],)
