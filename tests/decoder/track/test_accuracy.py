"""J and F on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from clickmask.decoder.evaluation.video_accuracy import contour_accuracy, outline, region_similarity


def square(left: int, top: int, side: int, size: int = 100) -> NDArray[np.bool_]:
    mask = np.zeros((size, size), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_a_square_has_an_outline_of_its_edge() -> None:
    """10 pixels a side, on the side left and above of the step; the corner above left counts once."""
    assert outline(square(10, 20, 10)).sum() == 10 + 10 + 10 + 10 + 1 - 1 + 0


def test_equal_masks_score_one() -> None:
    mask = square(30, 30, 40)
    assert region_similarity(mask, mask) == contour_accuracy(mask, mask) == 1.0


def test_a_shift_within_the_tolerance_costs_j_but_not_f() -> None:
    """A diagonal of 141 pixels allows 2."""
    mask, moved = square(30, 30, 40), square(32, 30, 40)
    assert contour_accuracy(moved, mask) == 1.0
    assert region_similarity(moved, mask) == pytest.approx(38 / 42)


def test_a_shift_beyond_the_tolerance_keeps_the_edges_along_it() -> None:
    assert contour_accuracy(square(40, 30, 40), square(30, 30, 40)) == pytest.approx(0.5, abs=0.15)


def test_nothing_found_and_nothing_there() -> None:
    nothing, something = square(0, 0, 0), square(10, 10, 10)
    assert (contour_accuracy(nothing, nothing), region_similarity(nothing, nothing)) == (1.0, 1.0)
    assert (contour_accuracy(nothing, something), region_similarity(nothing, something)) == (0.0, 0.0)
    assert contour_accuracy(something, nothing) == 0.0
