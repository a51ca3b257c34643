"""Masks to polygons and back, judged by pycocotools itself."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import (
    Polygons,
    mask_iou,
    mask_to_polygons,
    mask_to_rle,
    polygons_to_mask,
    rle_to_polygons,
)
from tests.decoder.shapes.suite import blob_field, make, names, object_mask

# pycocotools' own decode still uses an old way to hand over its array
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

SLOW = ("checkerboard", "noise", "blobs", "3000x4000", "2048", "spiral 1024", "lines 1 1024", "lines 3", "text 1024")


def decoded(polygons: Polygons) -> NDArray[np.bool_]:
    """What COCO's own code makes of the exported lists."""
    height, width = polygons.size.height, polygons.size.width
    flat = polygons.to_coco()
    if not flat:
        return np.zeros((height, width), np.bool_)
    return np.asarray(coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(flat, height, width))), np.bool_)


def shoelace(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.mark.parametrize("name", names())
def test_pixel_edge_polygons_decode_to_the_same_mask_and_have_its_area(name: str) -> None:
    mask = make(name)
    polygons = mask_to_polygons(mask)
    assert polygons.iou == 1.0
    assert all(len(ring) >= 3 for ring in polygons.rings)
    assert sum(shoelace(ring) for ring in polygons.rings) == mask.sum()
    assert (polygons_to_mask(polygons) == mask).all()
    if len(polygons.rings) < 2_000:  # pycocotools takes quadratic time to merge polygons
        assert (decoded(polygons) == mask).all()


@pytest.mark.parametrize("name", [name for name in names() if not any(word in name for word in SLOW)])
def test_the_fewest_points_are_as_exact(name: str) -> None:
    mask = make(name)
    fewest = mask_to_polygons(mask, style="fewest")
    assert (decoded(fewest) == mask).all()
    assert all(len(ring) >= 3 for ring in fewest.rings)
    assert fewest.num_points <= mask_to_polygons(mask).num_points
    for ring in fewest.rings:
        np.testing.assert_allclose(ring * 5, np.round(ring * 5), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_fewest_points_are_under_a_third_of_lossy_opencv(seed: int) -> None:
    mask = object_mask(512, 512, seed)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    assert mask_to_polygons(mask, style="fewest").num_points <= 0.30 * sum(len(contour) for contour in contours)


def test_every_mask_of_4x4_pixels_decodes_to_itself() -> None:
    """All 65,536, laid out on a few large masks: cells apart from each other are polygons of their own."""
    cells = (np.arange(65_536)[:, None] >> np.arange(16) & 1).astype(np.bool_).reshape(16, 64, 64, 4, 4)
    for page in cells:
        mask = np.zeros((64, 5, 64, 5), np.bool_)
        mask[:, :4, :, :4] = page.transpose(0, 2, 1, 3)
        sheet = mask.reshape(320, 320)
        for polygons in (mask_to_polygons(sheet), mask_to_polygons(sheet, style="painted")):
            assert polygons.iou == 1.0
            assert (polygons_to_mask(polygons) == sheet).all()


def test_masks_of_3x3_pixels_that_fill_the_image_decode_to_themselves() -> None:
    for number in range(512):
        mask = (number >> np.arange(9) & 1).astype(np.bool_).reshape(3, 3)
        for style in ("parts", "painted", "fewest"):
            polygons = mask_to_polygons(mask, style=style)
            assert (decoded(polygons) == mask).all(), (number, style)


def test_ten_thousand_random_masks_decode_to_themselves() -> None:
    random = np.random.default_rng(11)
    for _ in range(10_000):
        height, width = random.integers(1, 17, 2)
        mask = random.random((height, width)) < random.random()
        polygons = mask_to_polygons(mask)
        assert (polygons_to_mask(polygons) == mask).all()
        assert sum(shoelace(ring) for ring in polygons.rings) == mask.sum()


def test_a_hole_is_cut_into_its_part_and_an_island_in_it_is_a_polygon_of_its_own() -> None:
    mask = np.ones((9, 9), np.bool_)
    mask[2:7, 2:7] = False
    mask[4, 4] = True
    assert len(mask_to_polygons(mask).rings) == 2


def test_coordinates_need_one_decimal() -> None:
    for style in ("parts", "fewest", "painted"):
        flat = mask_to_polygons(blob_field(64, 64, 4.0), style=style).to_coco()
        assert all(number == round(number, 1) for numbers in flat for number in numbers)


def test_bytes_other_than_one_are_foreground_and_any_memory_order_is_taken() -> None:
    mask = blob_field(40, 30, 3.0)
    expected = mask_to_polygons(mask).to_coco()
    assert mask_to_polygons(mask.astype(np.uint8) * 200).to_coco() == expected
    assert mask_to_polygons(np.asfortranarray(mask)).to_coco() == expected


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((2, 2), np.float32), "dtype float32"),
        (np.full((2, 2), np.nan), "dtype float64"),
        (np.ones((2, 2, 1), np.bool_), r"shape \(2, 2, 1\)"),
        (np.ones((0, 5), np.bool_), "5x0 has no pixel"),
        ([[True]], "is a list"),
        (np.broadcast_to(np.False_, (2**16, 2**15)), "wanted at most 134217728"),
    ],
)
def test_what_is_no_mask_is_refused(mask: NDArray[np.bool_], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        mask_to_polygons(mask)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"min_iou": 0.0}, "min_iou is 0.0"),
        ({"min_iou": float("nan")}, "min_iou is nan"),
        ({"min_iou": 1.5}, "min_iou is 1.5"),
        ({"max_points": 2}, "max_points is 2"),
        ({"style": "round"}, "style is 'round', wanted one of parts, fewest, painted"),
        ({"style": "painted", "min_iou": 0.9}, "'painted' is exact"),
        ({"min_iou": 0.99, "max_points": 4}, "do not go together"),
    ],
)
def test_impossible_wishes_are_refused(limits: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        mask_to_polygons(object_mask(128, 128, 0), **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("polygons", "size", "message"),
    [
        ([[0, 0, 5, 5]], Size(9, 9), "polygon 0 has 4 numbers, wanted an even number of at least 6"),
        ([[0, 0, 5, 5, 5]], Size(9, 9), "polygon 0 has 5 numbers"),
        (
            [[0, 0, 5, 5, 5, 0], [0, 0, 5, float("nan"), 5, 0]],
            Size(9, 9),
            "polygon 1 has the coordinate nan, far off",
        ),
        ([[0, 0, 5, 5, 1e9, 0]], Size(9, 9), r"coordinate 1000000000.0, far off the 9x9 image"),
        ([["a", 0, 5, 5, 5, 0]], Size(9, 9), "polygon 0 is"),
        ([[[0, 0], [5, 5], [5, 0]]], Size(9, 9), "wanted a flat list of numbers"),
        ("0 0 5 5 5 0", Size(9, 9), "wanted a list of flat lists"),
        ([[0, 0, 5, 5, 5, 0]], None, "got no size"),
        ([[0, 0, 5, 5, 5, 0]], Size(0, 9), "has no pixel"),
        ([[0, 0, 5, 5, 5, 0]], Size(2**20, 2**20), "wanted at most"),
    ],
)
def test_malformed_polygons_are_refused(polygons: list[list[float]], size: Size | None, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        polygons_to_mask(polygons, size)


def test_foreign_polygons_fill_as_in_pycocotools_even_a_little_outside() -> None:
    random = np.random.default_rng(2)
    for _ in range(200):
        flat = (random.random((3, 10)) * 60 - 15).tolist()
        expected = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(flat, 30, 40)))
        assert (polygons_to_mask(flat, Size(30, 40)) == expected).all()


def test_polygons_know_their_size() -> None:
    polygons = mask_to_polygons(np.ones((3, 4), np.bool_))
    with pytest.raises(ShapeError, match="of size 4x3, got size 5x5"):
        polygons_to_mask(polygons, Size(5, 5))


def test_iou_counts_pixels_and_two_empty_masks_agree() -> None:
    empty = np.zeros((2, 2), np.bool_)
    assert mask_iou(empty, empty) == 1.0
    assert mask_iou(empty, ~empty) == 0.0
    with pytest.raises(ShapeError, match="differ in size"):
        mask_iou(empty, np.zeros((2, 3), np.bool_))


@pytest.mark.parametrize(
    ("height", "width", "sigma", "seed"), [(23, 32, 1.5933904915751058, 4645), (18, 8, 1.0128767429755552, 9628)]
)
def test_the_search_for_fewest_points_ends(height: int, width: int, sigma: float, seed: int) -> None:
    """On these it went round in circles at a tall turn that no side leaves."""
    mask = blob_field(height, width, sigma, seed)
    assert np.array_equal(decoded(mask_to_polygons(mask, style="fewest")), mask)


@pytest.mark.parametrize(
    "options", [{}, {"style": "fewest"}, {"style": "painted"}, {"min_iou": 0.9}, {"max_points": 9}]
)
@pytest.mark.parametrize("seed", range(4))
def test_run_lengths_give_the_polygons_of_their_mask(seed: int, options: dict[str, Any]) -> None:
    mask = np.zeros((90, 120), np.bool_)
    mask[40:64, 90:120] = blob_field(24, 30, 2.0, seed)  # far from the first corner, and at the border
    polygons = rle_to_polygons(mask_to_rle(mask), **options)
    assert polygons.size == Size(90, 120)
    assert polygons.num_points <= mask_to_polygons(mask, **options).num_points
    assert mask_iou(polygons_to_mask(polygons), mask) == pytest.approx(polygons.iou, abs=1e-12)
    assert polygons.iou >= options.get("min_iou", 0 if "max_points" in options else 1)


def test_run_lengths_without_foreground_give_no_polygon() -> None:
    polygons = rle_to_polygons(mask_to_rle(np.zeros((5, 7), np.bool_)))
    assert (polygons.rings, polygons.size) == ((), Size(5, 7))
