"""YOLO rows: lossless there and back, malformed ones refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_polygons, polygons_to_mask, polygons_to_yolo, yolo_to_polygons
from tests.decoder.shapes.suite import make
from tests.fuzz import fuzz


@pytest.mark.parametrize("name", ["object 3000x4000", "text 256", "full 1x256", "one pixel 256", "empty 256"])
def test_rows_give_the_mask_back(name: str) -> None:
    mask = make(name)
    for style in ("parts", "painted"):
        polygons = mask_to_polygons(mask, style=style)
        assert (polygons_to_mask(yolo_to_polygons(polygons_to_yolo(polygons), polygons.size)) == mask).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0, 0, 1, 1], "row 0 has 4 numbers"),
        ([0, 0, 1, 1, 0.5], "row 0 has 5 numbers"),
        ([0, 0, 1, 1, 0.5, 1.2], "row 0 holds 1.2"),
        ([0, 0, 1, 1, float("nan"), 0], "row 0 holds nan"),
        (["a", 0, 1, 1, 0, 0], "row 0 is"),
    ],
)
def test_malformed_rows_are_refused(row: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        yolo_to_polygons([row], Size(10, 10))


@fuzz(200)
@given(st.lists(st.one_of(st.floats(), st.integers(), st.text(max_size=3)), max_size=12))
def test_any_row_is_read_or_refused(row: Any) -> None:
    try:
        polygons = yolo_to_polygons([row], Size(10, 12))
    except ShapeError:
        return
    assert polygons_to_mask(polygons).shape == (10, 12)
