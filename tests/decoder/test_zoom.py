"""What a second look hands on."""

from __future__ import annotations

import numpy as np
import pytest

from clickmask.decoder.mask_prompts import SURE_LOGIT
from clickmask.decoder.prompts import Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.refine.zoom import ZoomedMask


@pytest.mark.parametrize("scale", [1, 4, 12])  # the last one is larger than every pixel is looked at
def test_the_mask_is_handed_on_cell_by_cell(scale: int) -> None:
    """A window over cells (64, 64) to (192, 192) of 256x256 whose left three eighths are object."""
    inside = np.zeros((128 * scale, 128 * scale), np.bool_)
    inside[:, : 48 * scale] = True
    window = Window(64 * scale, 64 * scale, 192 * scale, 192 * scale)
    look = ZoomedMask(window, inside, 0.9, Size(256 * scale, 256 * scale))
    wanted = np.full((256, 256), -SURE_LOGIT, np.float32)
    wanted[64:192, 64:112] = SURE_LOGIT
    assert np.allclose(look.mask_prompt().numpy(), wanted, atol=1e-4)


@pytest.mark.parametrize(("window", "cut_off"), [(Window(0, 0, 40, 30), True), (Window(0, 0, 100, 80), False)])
def test_an_object_at_a_windows_side_goes_on_unless_the_picture_ends_there(window: Window, cut_off: bool) -> None:
    inside = np.ones((window.size.height, window.size.width), np.bool_)
    assert ZoomedMask(window, inside, 0.9, Size(80, 100)).is_cut_off is cut_off
    inside[[0, -1]] = inside[:, [0, -1]] = False
    assert not ZoomedMask(window, inside, 0.9, Size(80, 100)).is_cut_off
