"""What is a crumb of an object, and what is a part of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clickmask.decoder.track.crumbs import crumbs


def _cells(*boxes: tuple[int, int, int, int]) -> Tensor:
    shares = torch.zeros(64, 64)
    for x0, y0, x1, y1 in boxes:
        shares[y0:y1, x0:x1] = 0.9
    return shares


OBJECT = (10, 10, 30, 30)


@pytest.mark.parametrize(
    ("part", "is_crumb"),
    [
        ((40, 12, 46, 18), True),  # small and apart
        ((31, 12, 37, 18), False),  # one cell apart
        ((40, 10, 60, 30), False),  # as large as the object: its other half behind a pole
    ],
)
def test_a_crumb_is_small_and_apart(part: tuple[int, int, int, int], *, is_crumb: bool) -> None:
    found = crumbs(_cells(OBJECT, part), [_cells(OBJECT)])
    x0, y0, x1, y1 = part
    assert bool(found[y0:y1, x0:x1].all()) == is_crumb
    assert not found[10:30, 10:30].any()


def test_parts_that_a_person_showed_stay_even_when_they_move() -> None:
    shown = _cells(OBJECT, (40, 12, 46, 18))
    assert not crumbs(_cells((5, 20, 25, 40), (34, 22, 40, 28)), [shown]).any()
    assert crumbs(_cells((5, 20, 25, 40), (45, 22, 51, 28)), [shown]).any()  # farther off than it ever was


def test_a_chain_of_small_parts_belongs_to_the_object() -> None:
    assert not crumbs(_cells(OBJECT, (32, 12, 36, 16), (38, 12, 42, 16)), []).any()


def test_a_crumb_goes_with_its_soft_edge_and_the_object_keeps_its_own() -> None:
    shares = _cells(OBJECT, (40, 12, 46, 18))
    found = crumbs(shares, [])
    assert int(found.sum()) == 8 * 8
    assert not crumbs(torch.zeros(64, 64), []).any()
