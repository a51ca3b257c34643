"""Bitmaps: PNG data URLs with the mask in the alpha channel."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.shapes import bitmap_url_to_mask, mask_to_bitmap_url
from tests.decoder.shapes.suite import blob_field, make
from tests.fuzz import fuzz

GOOD = mask_to_bitmap_url(blob_field(20, 30, 2.0))


def png_url(image: Image.Image) -> str:
    data = io.BytesIO()
    image.save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


@pytest.mark.parametrize("name", ["empty 256", "full 1x256", "full 256x1", "text 256", "noise 50% 256"])
def test_masks_round_trip_and_other_programs_see_them_in_alpha(name: str) -> None:
    mask = make(name)
    url = mask_to_bitmap_url(mask)
    assert (bitmap_url_to_mask(url) == mask).all()
    assert (bitmap_url_to_mask(url.split(",")[1]) == mask).all()
    image = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    assert image.mode == "RGBA"
    assert (np.asarray(image)[:, :, 3] == mask * 255).all()


def test_pngs_of_other_programs_are_read() -> None:
    mask = blob_field(20, 30, 2.0)
    gray = Image.fromarray((mask * 255).astype(np.uint8))
    for image in (gray, gray.convert("RGB"), gray.convert("1")):
        assert (bitmap_url_to_mask(png_url(image)) == mask).all()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (b"abc", "is a bytes"),
        ("data:image/png;base64,@@@", "is no base64"),
        ("", "is no PNG"),
        (
            "data:image/png;base64," + base64.b64encode(b"GIF89a" + bytes(40)).decode(),
            "is no PNG: it starts with b'GIF89a",
        ),
        (GOOD[:118], "damaged"),
        (
            "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\xff" * 8).decode(),
            "wanted at most",
        ),
    ],
)
def test_damaged_bitmaps_are_refused(url: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        bitmap_url_to_mask(url)


@fuzz(200)
@given(st.one_of(st.text(max_size=80), st.binary(max_size=80)), st.integers(0, 200), st.integers(0, 255))
def test_any_text_decodes_or_is_refused(noise: Any, at: int, byte: int) -> None:
    data = bytearray(base64.b64decode(GOOD.split(",")[1]))
    data[24 + at % (len(data) - 24)] = byte
    for url in (noise, base64.b64encode(bytes(data)).decode()):
        try:
            mask = bitmap_url_to_mask(url)
        except ShapeError:
            continue
        assert mask.ndim == 2
