"""Regions as Label Studio wants them: names, percent, parts; and what its own SDK reads out of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from label_studio_sdk.converter.brush import decode_rle

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.label_studio import (
    Region,
    new_region_id,
    result_to_mask,
    to_bitmask_result,
    to_brush_result,
    to_ellipse_result,
    to_keypoint_result,
    to_polygon_results,
    to_rectangle_result,
    to_rotated_rectangle_result,
    to_vector_results,
)
from tests.decoder.formats.samples import one_pixel, ragged_blob, ring_with_island, solid_blob, two_parts

REGION = Region("tag", "image", ("Cat",), id="abc", score=0.5)
MASKS = [ring_with_island(), two_parts(), one_pixel(), ragged_blob(), solid_blob()]
RANDOM_MASKS = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def united(items: list[dict[str, Any]], like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    union: np.ndarray[Any, Any] = np.logical_or.reduce([np.zeros_like(like), *map(result_to_mask, items)])
    return union


@pytest.mark.parametrize("mask", MASKS)
def test_the_sdk_decodes_our_brush_to_the_same_mask(mask: np.ndarray[Any, Any]) -> None:
    item = to_brush_result(mask, REGION)
    alpha = decode_rle(item["value"]["rle"]).reshape(*mask.shape, 4)[..., 3]
    assert np.array_equal(alpha, mask * np.uint8(255))


@pytest.mark.parametrize("mask", MASKS)
def test_brush_and_bitmask_come_back(mask: np.ndarray[Any, Any]) -> None:
    assert np.array_equal(result_to_mask(to_brush_result(mask, REGION)), mask)
    assert np.array_equal(result_to_mask(to_bitmask_result(mask, REGION)), mask)


@settings(deadline=None)
@given(mask=RANDOM_MASKS)
def test_polygons_and_vectors_are_exact_for_every_mask(mask: np.ndarray[Any, Any]) -> None:
    assert np.array_equal(united(to_polygon_results(mask, REGION), mask), mask)
    assert np.array_equal(united(to_vector_results(mask, REGION), mask), mask)


@pytest.mark.parametrize("shape", [(3000, 4000), (37, 15_999), (16_001, 50)])
def test_three_decimals_of_percent_are_enough_for_large_images(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, bool)
    rows, columns = np.random.default_rng(5).integers(0, shape, (60, 2)).T
    mask[rows, columns] = True
    mask[shape[0] // 3 : shape[0] // 2, shape[1] // 3 : shape[1] // 2] = True
    assert np.array_equal(united(to_polygon_results(mask, REGION), mask), mask)


def test_an_item_names_its_controls_and_the_image_size() -> None:
    item = to_bitmask_result(two_parts(), REGION)
    value = item.pop("value")
    assert item == {
        "id": "abc",
        "from_name": "tag",
        "to_name": "image",
        "type": "bitmasklabels",
        "original_width": 131,
        "original_height": 97,
        "image_rotation": 0,
        "score": 0.5,
    }
    assert value["bitmasklabels"] == ["Cat"]


def test_a_control_without_labels_gets_a_bare_region() -> None:
    item = to_brush_result(two_parts(), Region("tag", "image", (), id="abc"))
    assert item["type"] == "brush"
    assert set(item["value"]) == {"format", "rle"}
    assert "score" not in item


def test_parts_are_children_of_the_first_region() -> None:
    first, second = to_polygon_results(two_parts(), REGION)
    assert (first["id"], first.get("parentID")) == ("abc", None)
    assert (second["id"], second["parentID"]) == ("abc.2", "abc")


def test_vector_points_are_chained_as_the_editor_chains_them() -> None:
    vertices = to_vector_results(one_pixel(), REGION)[0]["value"]["vertices"]
    assert [vertex["prevPointId"] for vertex in vertices] == [None, *(vertex["id"] for vertex in vertices[:-1])]
    assert len({vertex["id"] for vertex in vertices}) == len(vertices) == 4


def test_a_rectangle_is_the_box_in_percent() -> None:
    mask = np.zeros((50, 200), bool)
    mask[10:20, 40:80] = True
    value = to_rectangle_result(mask, REGION)["value"]
    assert [value[key] for key in ("x", "y", "width", "height", "rotation")] == [20, 20, 20, 20, 0]
    assert np.array_equal(result_to_mask(to_rectangle_result(mask, REGION)), mask)


def test_a_rotated_rectangle_covers_a_tilted_square_and_little_more() -> None:
    rows, columns = np.mgrid[:120, :160]
    mask = abs(rows - 60) + abs(columns - 70) <= 40
    read = result_to_mask(to_rotated_rectangle_result(mask, REGION))
    assert (mask & read).sum() >= 0.99 * mask.sum()
    assert read.sum() <= 1.1 * mask.sum()
    assert result_to_mask(to_rectangle_result(mask, REGION)).sum() > 1.9 * mask.sum()


def test_an_ellipse_fits_an_ellipse() -> None:
    mask = solid_blob()
    read = result_to_mask(to_ellipse_result(mask, REGION))
    assert (mask & read).sum() / (mask | read).sum() > 0.98


def test_a_keypoint_lies_deep_inside() -> None:
    mask = ring_with_island()
    value = to_keypoint_result(mask, REGION)["value"]
    x, y = value["x"] * 1.31, value["y"] * 0.97
    rows, columns = np.nonzero(~mask)
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y).min()
    assert mask[int(y), int(x)]
    assert distance > 5


@pytest.mark.parametrize(
    "write", [to_rectangle_result, to_rotated_rectangle_result, to_ellipse_result, to_keypoint_result]
)
def test_nothing_can_be_drawn_around_an_empty_mask(write: Any) -> None:
    with pytest.raises(ShapeError, match="the mask is empty"):
        write(np.zeros((4, 5), bool), REGION)


def test_an_empty_mask_has_no_polygon() -> None:
    assert to_polygon_results(np.zeros((4, 5), bool), REGION) == []


def test_ten_thousand_ids_are_all_different() -> None:
    """Ids cut to four hex digits clash after some 300 regions."""
    assert len({new_region_id() for _ in range(10_000)}) == 10_000
