"""A region that a person painted or traced, as a mask prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch

from decoder import Point, Prompt, PromptError, Size
from decoder.formats.label_studio import result_to_mask
from decoder.shapes import mask_to_box

_GRID = 256  # side of the logits the decoder works on
_SURE = 10.0  # logit of a pixel that was surely painted


def mask_prompt(region: Mapping[str, Any], points: Sequence[Point], size: Size) -> Prompt:
    """The prompt for the object under a brush, bitmask, polygon or vector region.

    The region's pixels become mask logits and its box goes with them: the networks were
    trained to correct a mask given together with points or a box, not a mask alone.

    Args:
        region: An item of a context's ``result``.
        points: Clicks on the same object [px].
        size: Of the image [px].

    Raises:
        PromptError: If the region covers no pixel.
        ShapeError: If the region's shape is malformed.
        DatasetError: If a field of the region is missing or wrong.
    """
    mask = result_to_mask({**region, "original_width": size.width, "original_height": size.height})
    box = mask_to_box(mask)
    if box is None:
        raise PromptError(f"region {region.get('id')} covers no pixel, wanted at least one")
    share = cv2.resize(mask.astype(np.float32), (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    return Prompt(points=tuple(points), box=box, mask_logits=torch.from_numpy((2 * share - 1) * _SURE))
