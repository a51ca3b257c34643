"""Fewer points: the promised IoU holds on every mask, and the points are few."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clickmask.decoder.shapes import mask_iou, mask_to_polygons, polygons_to_mask
from clickmask.decoder.shapes.filling import fill_rings, rle_iou
from clickmask.decoder.shapes.masks import mask_size
from clickmask.decoder.shapes.rings import find_rings
from clickmask.decoder.shapes.rle import mask_to_rle
from tests.decoder.shapes.suite import blob_field, disc, make, object_mask


def douglas_peucker_points(mask: NDArray[np.bool_], min_iou: float) -> int:
    """Fewest points at which simplifying the pixel-edge ring the usual way reaches the IoU."""
    ring = find_rings(mask.view(np.uint8)).ring(0)
    fewest = len(ring)
    for tolerance in np.geomspace(0.3, 30, 60):
        corners = cv2.approxPolyDP(ring, tolerance, True).reshape(-1, 2).astype(np.float64)
        if len(corners) >= 3 and rle_iou(fill_rings([corners], mask_size(mask)), mask_to_rle(mask)) >= min_iou:
            fewest = min(fewest, len(corners))
    return fewest


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.floats(0.3, 8.0),
    st.integers(0, 10_000),
    st.sampled_from([0.3, 0.8, 0.9, 0.98, 0.99, 0.999, 1.0]),
)
def test_the_promise_holds_with_holes_and_parts(
    height: int, width: int, sigma: float, seed: int, min_iou: float
) -> None:
    mask = blob_field(max(height, 2), max(width, 2), sigma, seed)
    polygons = mask_to_polygons(mask, min_iou=min_iou)
    reached = mask_iou(polygons_to_mask(polygons.to_coco(), polygons.size), mask)
    assert reached >= min_iou
    assert reached == pytest.approx(polygons.iou, abs=1e-12)


@pytest.mark.parametrize(
    "name",
    ["empty 256", "full 256", "full 1x256", "one pixel 256", "row 256", "diagonal 256", "frame 256", "noise 10% 256",
     "targets 256", "text inverted 256", "rotated rectangle 1024", "object with holes 0 1024"],
)  # fmt: skip
def test_the_promise_holds_on_awkward_masks(name: str) -> None:
    mask = make(name)
    polygons = mask_to_polygons(mask, min_iou=0.98)
    assert mask_iou(polygons_to_mask(polygons), mask) >= 0.98
    assert all(len(ring) >= 3 for ring in polygons.rings)


@pytest.mark.parametrize("min_iou", [0.98, 0.99, 0.995])
def test_two_thirds_of_the_points_of_douglas_peucker_suffice(min_iou: float) -> None:
    masks = [disc(512, 512, 200.0), *(object_mask(512, 512, seed) for seed in range(4))]
    ours = [mask_to_polygons(mask, min_iou=min_iou).num_points for mask in masks]
    ratios = [points / douglas_peucker_points(mask, min_iou) for points, mask in zip(ours, masks, strict=True)]
    assert np.median(ratios) <= 0.70


@pytest.mark.parametrize("radius", [50.0, 200.0])
@pytest.mark.parametrize("min_iou", [0.9, 0.98, 0.995])
def test_a_disc_takes_no_more_sides_than_theory_asks_for(radius: float, min_iou: float) -> None:
    """Sides that cut through a circle instead of joining its points leave about 0.26 pi^2 / n^2 of it wrong."""
    mask = disc(2 * int(radius) + 20, 2 * int(radius) + 20, radius)
    assert mask_to_polygons(mask, min_iou=min_iou).num_points <= 1.25 * np.pi * np.sqrt(0.26 / (1 - min_iou)) + 1


def test_a_rotated_rectangle_is_four_points() -> None:
    assert mask_to_polygons(make("rotated rectangle 256"), min_iou=0.98).num_points == 4


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 80), st.integers(0, 10_000), st.floats(0.5, 8.0))
def test_no_more_points_than_allowed(max_points: int, seed: int, sigma: float) -> None:
    mask = blob_field(48, 64, sigma, seed)
    polygons = mask_to_polygons(mask, max_points=max_points)
    assert 3 <= polygons.num_points <= max_points
    assert polygons.iou == pytest.approx(mask_iou(polygons_to_mask(polygons), mask), abs=1e-12)


def test_more_points_give_a_better_fit() -> None:
    mask = object_mask(256, 256, 2)
    ious = [mask_to_polygons(mask, max_points=count).iou for count in (4, 8, 16, 400)]
    assert ious == sorted(ious)
    assert ious[2] > 0.98
    assert ious[3] == 1.0


def test_a_grainy_mask_keeps_its_pixel_edges_where_hardly_a_pixel_may_be_wrong() -> None:
    """Looking for fewer points took 23 seconds of work."""
    grains = np.random.default_rng(0).random((512, 512)) > 0.5
    assert mask_to_polygons(grains, min_iou=0.99).iou == 1.0
    assert mask_to_polygons(grains, min_iou=0.99).num_points == mask_to_polygons(grains).num_points
