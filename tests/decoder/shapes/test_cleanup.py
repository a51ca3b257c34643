"""Clean-up changes what it says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.shapes import drop_specks, fill_holes, keep_largest_part, mask_iou, smooth_mask
from tests.decoder.shapes.suite import blob_field, disc


def picture(*rows: str) -> NDArray[np.bool_]:
    return np.array([[character == "#" for character in row] for row in rows])


def test_only_small_enclosed_holes_are_filled() -> None:
    mask = picture("#####.", "#.##..", "####.#", "#..###", "######")
    assert (fill_holes(mask, below_px=2) == picture("#####.", "####..", "####.#", "#..###", "######")).all()
    assert (fill_holes(mask) == picture("#####.", "####..", "####.#", "######", "######")).all()
    assert (fill_holes(mask, below_px=0) == mask).all()


def test_specks_that_touch_at_a_corner_count_together() -> None:
    mask = picture("#..#.", ".#...", "....#")
    assert (drop_specks(mask, below_px=2) == picture("#....", ".#...", ".....")).all()
    assert not drop_specks(mask, below_px=3).any()
    assert (drop_specks(mask, below_px=0) == mask).all()


def test_the_largest_part_stays_and_the_first_of_equals() -> None:
    assert (keep_largest_part(picture("#.##", "..##")) == picture("..##", "..##")).all()
    assert (keep_largest_part(picture(".#.#", "....")) == picture(".#..", "....")).all()
    assert not keep_largest_part(picture("...", "...")).any()


def test_smoothing_keeps_large_shapes_and_removes_grain() -> None:
    clean = disc(128, 128, 40.0)
    grainy = clean ^ (np.random.default_rng(0).random(clean.shape) < 0.05)
    assert mask_iou(smooth_mask(grainy, radius_px=2.0), clean) > 0.97
    assert mask_iou(smooth_mask(clean, radius_px=2.0), clean) > 0.99
    assert (smooth_mask(grainy, radius_px=0) == grainy).all()
    assert smooth_mask(np.ones((9, 9), np.bool_), radius_px=3.0).all()


@pytest.mark.parametrize("value", [-1.0, float("nan"), "3", True])
def test_limits_that_are_no_amount_are_refused(value: float) -> None:
    mask = blob_field(20, 20, 2.0)
    with pytest.raises(ShapeError, match="below_px is"):
        fill_holes(mask, below_px=value)
    with pytest.raises(ShapeError, match="below_px is"):
        drop_specks(mask, below_px=value)
    with pytest.raises(ShapeError, match="radius_px is"):
        smooth_mask(mask, radius_px=value)
