"""Boxes and ellipses around masks, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes import (
    Ellipse,
    RotatedBox,
    box_to_mask,
    ellipse_to_mask,
    mask_iou,
    mask_to_box,
    mask_to_ellipse,
    mask_to_rotated_box,
    rotated_box_to_mask,
)


def test_an_empty_mask_has_no_box() -> None:
    empty = np.zeros((4, 5), np.bool_)
    assert mask_to_box(empty) is None
    assert mask_to_rotated_box(empty) is None
    assert mask_to_ellipse(empty) is None


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9))
def test_boxes_round_trip(left: int, top: int, width: int, height: int) -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[top : top + height, left : left + width] = True
    box = mask_to_box(mask)
    assert box == Box(left, top, left + width, top + height)
    assert (box_to_mask(box, Size(20, 20)) == mask).all()
    rotated = mask_to_rotated_box(mask)
    assert rotated is not None
    assert (rotated_box_to_mask(rotated, Size(20, 20)) == mask).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(20, 60), st.floats(20, 60), st.floats(0, 179))
def test_rotated_boxes_are_found_again(width: float, height: float, angle: float) -> None:
    mask = rotated_box_to_mask(RotatedBox(64.0, 60.0, width, height, angle), Size(128, 128))
    found = mask_to_rotated_box(mask)
    assert found is not None
    assert 0 <= found.angle_degrees < 180
    # The box found holds whole pixels, corners included: on each axis it is up to a pixel's diagonal wider.
    widest = (width + 2**0.5) * (height + 2**0.5)
    assert mask_iou(rotated_box_to_mask(found, Size(128, 128)), mask) > width * height / widest - 0.02
    assert np.abs(found.corners - found.corners.mean(axis=0)).max() < 50


@settings(max_examples=60, deadline=None)
@given(st.floats(6, 60), st.floats(6, 60), st.floats(0, 179))
def test_ellipses_are_found_again(radius_x: float, radius_y: float, angle: float) -> None:
    mask = ellipse_to_mask(Ellipse(64.3, 63.6, radius_x, radius_y, angle), Size(128, 128))
    found = mask_to_ellipse(mask)
    assert found is not None
    assert found.radius_x >= found.radius_y
    assert 0 <= found.angle_degrees < 180
    assert mask_iou(ellipse_to_mask(found, Size(128, 128)), mask) > 0.95


def test_turning_is_clockwise_on_screen() -> None:
    mask = rotated_box_to_mask(RotatedBox(50.0, 50.0, 80.0, 4.0, 45.0), Size(100, 100))
    assert mask[70, 70]
    assert not mask[30, 70]
    mask = ellipse_to_mask(Ellipse(50.0, 50.0, 40.0, 4.0, 45.0), Size(100, 100))
    assert mask[70, 70]
    assert not mask[30, 70]


def test_one_pixel_has_an_ellipse_and_a_box() -> None:
    mask = np.zeros((5, 5), np.bool_)
    mask[1, 3] = True
    ellipse = mask_to_ellipse(mask)
    assert ellipse is not None
    assert (ellipse.center_x, ellipse.center_y) == (3.5, 1.5)
    assert (ellipse_to_mask(ellipse, Size(5, 5)) == mask).all()
    assert mask_to_box(mask) == Box(3, 1, 4, 2)


def test_numbers_that_mean_nothing_are_refused() -> None:
    nan, size = float("nan"), Size(5, 5)
    with pytest.raises(ShapeError, match="not finite"):
        box_to_mask(Box(0, 0, nan, 1), size)
    with pytest.raises(ShapeError, match="not finite"):
        rotated_box_to_mask(RotatedBox(nan, 0, 1, 1, 0), size)
    with pytest.raises(ShapeError, match="not finite"):
        ellipse_to_mask(Ellipse(0, 0, 1, 1, float("inf")), size)
    with pytest.raises(ShapeError, match=r"radii 0\.0 and 1\.0, wanted positive"):
        ellipse_to_mask(Ellipse(0, 0, 0.0, 1.0, 0), size)
