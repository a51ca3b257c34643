"""What a closer look hands on."""

from __future__ import annotations

import numpy as np
import pytest

from decoder.closer import SHOWN_LOGIT, CloserLook
from decoder.prompts import Size
from decoder.window import Window


@pytest.mark.parametrize("scale", [1, 4, 47])  # the last one is larger than every pixel is looked at
def test_the_mask_is_handed_on_cell_by_cell(scale: int) -> None:
    """A window over cells (16, 16) to (48, 48) of 64x64 whose left three eighths are object."""
    inside = np.zeros((32 * scale, 32 * scale), np.bool_)
    inside[:, : 12 * scale] = True
    window = Window(16 * scale, 16 * scale, 48 * scale, 48 * scale)
    look = CloserLook(window, inside, 0.9, Size(64 * scale, 64 * scale))
    wanted = np.full((64, 64), -SHOWN_LOGIT, np.float32)
    wanted[16:48, 16:28] = SHOWN_LOGIT
    edge = np.zeros((64, 64), np.bool_)  # cells at the object's border may be told apart less sharply
    edge[14:50, 14:30] = True
    edge[18:46, 18:26] = False
    handed_on = look.mask_prompt((64, 64)).numpy()
    assert np.allclose(handed_on[~edge], wanted[~edge], atol=1e-4)
    assert np.abs(handed_on - wanted).max() <= SHOWN_LOGIT * (scale == 47)
