"""Label Studio's brush against its own SDK, and every damaged form of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_studio_sdk.converter import brush as sdk
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import brush_to_mask, mask_to_brush, mask_to_sdk_brush
from tests.decoder.shapes.suite import blob_field, make, object_mask
from tests.fuzz import fuzz


def with_bits(*fields: tuple[int, int]) -> list[int]:
    """Pack (value, number of bits) pairs, filled up with zeros."""
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    return [int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8)]


HEADER_2X2 = ((16, 32), (7, 5), (2, 4), (3, 4), (7, 4), (15, 4))


@pytest.mark.parametrize(
    "name", ["empty 256", "full 256", "one pixel 256", "diagonal 256", "star 256", "text 256",
             "disc 400 1024", "object 256", "half plane 1024"],
)  # fmt: skip
def test_the_sdk_option_gives_the_sdk_bytes_and_the_sdk_reads_the_smallest(name: str) -> None:
    mask = make(name)
    theirs = sdk.mask2rle((mask * 255).astype(np.uint8))
    assert mask_to_sdk_brush(mask) == theirs
    ours = mask_to_brush(mask)
    assert len(ours) <= len(theirs)
    assert (sdk.decode_rle(ours).reshape(*mask.shape, 4)[:, :, 3] == mask * 255).all()
    size = Size(*mask.shape)
    assert (brush_to_mask(ours, size) == mask).all()
    assert (brush_to_mask(theirs, size) == mask).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0, 1), st.integers(0, 1_000))
def test_random_masks_are_the_sdk_bytes(height: int, width: int, density: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < density
    assert mask_to_sdk_brush(mask) == sdk.mask2rle((mask * 255).astype(np.uint8))
    assert (brush_to_mask(mask_to_brush(mask), Size(height, width)) == mask).all()


def test_chosen_field_sizes_save_a_tenth() -> None:
    masks = [object_mask(512, 512, seed) for seed in range(4)]
    ratios = [len(mask_to_brush(mask)) / len(mask_to_sdk_brush(mask)) for mask in masks]
    assert np.median(ratios) <= 0.9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12))
def test_soft_strokes_with_colours_and_literals_are_read_by_alpha(seed: int, height: int, width: int) -> None:
    """The editor's own strokes have colours that differ from alpha, soft edges and literal blocks."""
    random = np.random.default_rng(seed)
    values = np.repeat(random.choice([0, 0, 255, 7], 4 * height * width), 1).astype(np.uint8)
    fields: list[tuple[int, int]] = [(values.size, 32), *HEADER_2X2[1:]]
    at = 0
    while at < values.size:
        count = min(int(random.integers(1, 9)), values.size - at)
        if (values[at : at + count] == values[at]).all():
            fields += [(1, 1), (0, 2), (count - 1, 3), (int(values[at]), 8)]
        else:
            fields += [(0, 1), (0, 2), (count - 1, 3), *((int(value), 8) for value in values[at : at + count])]
        at += count
    brush = with_bits(*fields)
    expected = sdk.decode_rle(brush).reshape(height, width, 4)[:, :, 3] > 0
    assert (expected == (values.reshape(height, width, 4)[:, :, 3] > 0)).all()
    assert (brush_to_mask(brush, Size(height, width)) == expected).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "has 0 bytes"),
        ([1, 2, 3], "has 3 bytes"),
        ([0, 0, 0, 300], "wanted a list of whole numbers from 0 to 255"),
        ([0.5] * 9, "wanted a list of whole numbers"),
        ("abc", "wanted a list of whole numbers"),
        (17, "wanted a list of whole numbers"),
        (10**15, "wanted a list of whole numbers"),
        (with_bits((12, 32), *HEADER_2X2[1:]), "holds 12 values, wanted 16"),
        (with_bits((16, 32), (3, 5), *HEADER_2X2[2:]), "4-bit words, wanted 8-bit"),
        (with_bits(*HEADER_2X2), "ends early"),
        (with_bits(*HEADER_2X2, (1, 1), (0, 2), (7, 3), (255, 8)), "ends early"),
        (with_bits(*HEADER_2X2, (1, 1), (2, 2), (255, 8), (255, 8)), "runs over its end: got 256 values, wanted 16"),
        (with_bits(*HEADER_2X2, (0, 1), (1, 2), (15, 4), (255, 8)), "ends early"),
    ],
)
def test_damaged_brushes_are_refused(values: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        brush_to_mask(values, Size(2, 2))


@fuzz(300)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_decode_or_are_refused(data: bytes, with_header: bool) -> None:
    brush = bytes(with_bits(*HEADER_2X2))[:6] + data if with_header else data
    try:
        mask = brush_to_mask(brush, Size(2, 2))
    except ShapeError:
        return
    assert mask.shape == (2, 2)


def test_a_large_mask_splits_its_long_runs() -> None:
    mask: NDArray[np.bool_] = np.zeros((600, 700), np.bool_)
    mask[300:] = blob_field(300, 700, 20.0)
    assert mask_to_sdk_brush(mask) == sdk.mask2rle((mask * 255).astype(np.uint8))
