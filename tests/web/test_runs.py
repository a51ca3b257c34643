from __future__ import annotations

import base64
import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from clickmask.decoder import ShapeError, Size
from clickmask.web.browser_rle import mask_to_runs, runs_to_mask
from tests.fuzz import fuzz


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_every_mask_comes_back(mask: NDArray[np.bool_]) -> None:
    assert np.array_equal(runs_to_mask(mask_to_runs(mask), Size(*mask.shape)), mask)


def test_runs_cover_only_the_box_of_the_mask() -> None:
    mask = np.zeros((3000, 4000), np.bool_)
    mask[100:110, 200:220] = True
    assert len(base64.b64decode(mask_to_runs(mask))) == 4 * (4 + 2)


def encoded(*numbers: int) -> str:
    return base64.b64encode(np.array(numbers, "<u4").tobytes()).decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%%%", "not base64"),
        ("AAAA", "multiple of 4"),
        (encoded(0, 0, 5, 5, 25), "leaves the 4x4 picture"),
        (encoded(2, 0, 3, 1, 3), "leaves the 4x4 picture"),
        (encoded(0, 0, 2, 2, 1, 1), "cover 2 pixels, wanted 2x2 = 4"),
        (encoded(0, 0, 2, 2, 2**32 - 1), "cover 4294967295"),
    ],
)
def test_malformed_runs_are_refused(text: str, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        runs_to_mask(text, Size(4, 4))


@fuzz(100)
@given(st.binary(max_size=64))
def test_any_bytes_give_a_mask_or_a_shape_error(data: bytes) -> None:
    with contextlib.suppress(ShapeError):
        assert runs_to_mask(base64.b64encode(data).decode(), Size(4, 4)).shape == (4, 4)
