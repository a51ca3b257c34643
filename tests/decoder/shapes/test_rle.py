"""COCO run lengths against pycocotools, and every damaged form of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.shapes import (
    mask_to_rle,
    mask_to_uncompressed_rle,
    rle_area,
    rle_to_mask,
    rle_to_uncompressed_rle,
)
from clickmask.decoder.shapes.rle import rle_to_crop
from tests.decoder.shapes.suite import blob_field, make, names
from tests.fuzz import fuzz


def random_mask(height: int, width: int, density: float, seed: int) -> NDArray[np.bool_]:
    return np.asarray(np.random.default_rng(seed).random((height, width)) < density)


@pytest.mark.parametrize("name", [name for name in names() if "blobs 30" in name or "3000x4000" not in name])
def test_the_text_is_that_of_pycocotools_and_decodes_back(name: str) -> None:
    mask = make(name)
    rle = mask_to_rle(mask)
    assert rle["counts"] == coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert (rle_to_mask(rle) == mask).all()
    assert rle_area(rle) == mask.sum()


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.floats(0, 1), st.integers(0, 10_000))
def test_random_masks_round_trip_in_both_kinds(height: int, width: int, density: float, seed: int) -> None:
    mask = random_mask(height, width, density, seed)
    assert mask_to_rle(mask)["counts"] == coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))["counts"].decode()
    for rle in (mask_to_rle(mask), mask_to_uncompressed_rle(mask)):
        assert (rle_to_mask(rle) == mask).all()
        assert rle_area(rle) == mask.sum()


def test_bytes_are_read_as_well() -> None:
    mask = blob_field(30, 40, 3.0)
    rle = mask_to_rle(mask)
    assert (rle_to_mask({"size": rle["size"], "counts": rle["counts"].encode()}) == mask).all()


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        ({"size": [3, 3]}, "wanted a mapping with 'size' and 'counts'"),
        ("013000", "wanted a mapping"),
        ({"size": 3, "counts": [9]}, r"size is 3, wanted \[height, width\]"),
        ({"size": [3, 3.0], "counts": [9]}, "side of type float"),
        ({"size": [0, 3], "counts": [0]}, "has no pixel"),
        ({"size": [3, 3], "counts": []}, "wanted text or a list of whole numbers"),
        ({"size": [3, 3], "counts": [4, 4]}, "add up to 8 pixels, wanted 9"),
        ({"size": [3, 3], "counts": [10, -1]}, "run 1 has length -1"),
        ({"size": [3, 3], "counts": [4.5, 4.5]}, "wanted whole numbers"),
        ({"size": [3, 3], "counts": [2**80]}, "wanted whole numbers"),
        ({"size": [3, 3], "counts": [2**62, 2**62, 2**62, 2**62, 9]}, "add up to"),
        ({"size": [3, 3], "counts": [2**63 - 1] * 2_000}, "add up to"),
        ({"size": [3, 3], "counts": ""}, "are empty"),
        ({"size": [3, 3], "counts": "01 000"}, "byte 2 of the run lengths' counts is b' '"),
        ({"size": [3, 3], "counts": "0130o"}, "end in the middle of a number"),
        ({"size": [3, 3], "counts": "oooooooooo0"}, "hold a number of 11 characters"),
        ({"size": [3, 3], "counts": "0130\u00e9"}, "wanted a character from '0' to 'o'"),
        ({"size": [3, 3], "counts": "0130\ud800"}, "wanted a character from '0' to 'o'"),
    ],
)
def test_damaged_run_lengths_are_refused(rle: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        rle_to_mask(rle)


@fuzz(300)
@given(st.one_of(st.text(max_size=40), st.binary(max_size=40), st.lists(st.integers(), max_size=9)))
def test_any_counts_decode_or_are_refused(counts: Any) -> None:
    try:
        mask = rle_to_mask({"size": [4, 5], "counts": counts})
    except ShapeError:
        return
    assert mask.shape == (4, 5)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 0.2), st.integers(0, 9), st.integers(0, 10_000))
def test_a_crop_holds_all_foreground_with_room_around(
    height: int, width: int, density: float, room_px: int, seed: int
) -> None:
    mask = random_mask(height, width, density, seed)
    pixels, left, top = rle_to_crop(mask_to_rle(mask), room_px)
    pasted = np.zeros((height, width), np.uint8)
    pasted[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    assert (pasted == mask).all()
    if mask.any():
        rows, columns = np.nonzero(mask)
        assert (left, top) == (max(0, columns.min() - room_px), max(0, rows.min() - room_px))
        assert left + pixels.shape[1] == min(width, columns.max() + 1 + room_px)
        assert top + pixels.shape[0] == min(height, rows.max() + 1 + room_px)


def test_plain_counts_are_those_of_the_mask() -> None:
    mask = random_mask(30, 40, 0.4, 1)
    assert rle_to_uncompressed_rle(mask_to_rle(mask)) == mask_to_uncompressed_rle(mask)
