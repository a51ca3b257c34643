"""Painted polygons come out the same in every program that fills or paints them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from clickmask.decoder.shapes import Polygons, mask_to_polygons, polygons_to_mask, polygons_to_yolo, yolo_to_polygons
from tests.decoder.shapes.suite import blob_field, make


def painted_by_pil(polygons: Polygons) -> NDArray[np.bool_]:
    image = Image.new("L", (polygons.size.width, polygons.size.height))
    draw = ImageDraw.Draw(image)
    for ring in polygons.rings:
        draw.polygon([(x, y) for x, y in ring.tolist()], fill=1, outline=1)
    return np.asarray(image) > 0


def painted_by_opencv(rings: list[NDArray[np.int32]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    canvas = np.zeros(shape, np.uint8)
    for ring in rings:
        cv2.fillPoly(canvas, [ring], 1)
    return canvas > 0


def yolo_rings(polygons: Polygons) -> list[NDArray[np.int32]]:
    """As YOLO's data loader does: float32 rows, scaled, cut down to whole pixels."""
    sides = np.array([polygons.size.width, polygons.size.height], np.float32)
    rows = [np.array(row, np.float32).reshape(-1, 2) for row in polygons_to_yolo(polygons)]
    return [(row * sides).astype(np.int32) for row in rows]


def assert_same_everywhere(mask: NDArray[np.bool_]) -> None:
    polygons = mask_to_polygons(mask, style="painted")
    assert polygons.iou == 1.0
    assert (polygons_to_mask(polygons) == mask).all()
    assert (painted_by_pil(polygons) == mask).all()
    assert (painted_by_opencv([ring.astype(np.int32) for ring in polygons.rings], mask.shape) == mask).all()
    assert (painted_by_opencv(yolo_rings(polygons), mask.shape) == mask).all()
    read_back = yolo_to_polygons(polygons_to_yolo(polygons), polygons.size)
    assert (polygons_to_mask(read_back) == mask).all()


@pytest.mark.parametrize(
    "name",
    ["full 256", "one pixel 256", "row 256", "column 256", "diagonal 256", "frame 256", "checkerboard 2 256",
     "star 1024", "disc 400 1024", "targets 256", "lines 1 256", "text 256", "text inverted 256", "blobs 2 256",
     "object with holes 1 1024"],
)  # fmt: skip
def test_the_suite_is_painted_exactly(name: str) -> None:
    assert_same_everywhere(make(name))


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.floats(0.2, 4.0), st.integers(0, 100_000))
def test_holes_and_touching_pixels_are_painted_exactly(height: int, width: int, sigma: float, seed: int) -> None:
    assert_same_everywhere(blob_field(height, width, sigma, seed))
