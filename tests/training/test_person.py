"""The simulated person clicks where the standard protocol says."""

from __future__ import annotations

import numpy as np

from clickmask.decoder.evaluation.person import next_click
from clickmask.decoder.prompts import Point
from clickmask.decoder.shapes import mask_iou


def _square(top: int, left: int, side: int) -> np.ndarray:  # type: ignore[type-arg]
    mask = np.zeros((60, 80), np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def test_the_first_click_is_the_middle_of_the_object() -> None:
    assert next_click(_square(10, 20, 21), np.zeros((60, 80), np.bool_)) == Point(30.5, 20.5, positive=True)


def test_the_larger_error_decides_the_click_and_its_sign() -> None:
    truth = _square(5, 5, 9)
    assert next_click(truth, _square(30, 40, 15)) == Point(47.5, 37.5, positive=False)
    assert next_click(_square(30, 40, 15), truth) == Point(47.5, 37.5, positive=True)


def test_the_border_of_the_picture_counts_as_outside() -> None:
    """Without a border the deepest point of an object cut off by the picture would lie on its very edge."""
    click = next_click(_square(0, 0, 21), np.zeros((60, 80), np.bool_))
    assert click == Point(10.5, 10.5, positive=True)


def test_a_right_answer_needs_no_click() -> None:
    assert next_click(_square(5, 5, 9), _square(5, 5, 9)) is None


def test_iou_counts_pixels_and_calls_two_empty_masks_equal() -> None:
    assert mask_iou(_square(0, 0, 10), _square(0, 5, 10)) == 50 / 150
    assert mask_iou(np.zeros((2, 2), np.bool_), np.zeros((2, 2), np.bool_)) == 1.0
