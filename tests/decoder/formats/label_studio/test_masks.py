"""Items as people draw them in Label Studio's editor, as masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clickmask.decoder.errors import ClickMaskError, DatasetError, ShapeError
from clickmask.decoder.formats.label_studio import result_to_mask


def item(value: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"id": "r1", "type": "any", "original_width": 200, "original_height": 100, "value": value} | others


SQUARE = {"points": [[10, 20], [30, 20], [30, 60], [10, 60]], "polygonlabels": ["Cat"], "closed": True}


def test_percent_are_of_width_and_height() -> None:
    expected = np.zeros((100, 200), bool)
    expected[20:60, 20:60] = True
    assert np.array_equal(result_to_mask(item(SQUARE)), expected)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_picture_turned_on_screen_is_the_same_picture(rotation: int) -> None:
    """The editor turns its view; coordinates stay those of the stored picture."""
    assert np.array_equal(result_to_mask(item(SQUARE, image_rotation=rotation)), result_to_mask(item(SQUARE)))


def test_a_rectangle_turns_about_its_top_left_corner_in_pixels() -> None:
    """A quarter turn on a 200x100 image: 20 % of the width become 40 px of height."""
    turned = result_to_mask(item({"x": 50, "y": 10, "width": 20, "height": 20, "rotation": 90}))
    expected = np.zeros((100, 200), bool)
    expected[10:50, 80:100] = True
    assert np.array_equal(turned, expected)


def test_an_ellipse_has_its_radii_in_percent_of_width_and_height() -> None:
    mask = result_to_mask(item({"x": 50, "y": 50, "radiusX": 10, "radiusY": 30, "rotation": 0}))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (20, 80, 80, 120)
    assert mask.sum() == pytest.approx(np.pi * 20 * 30, rel=0.01)


def test_a_keypoint_is_the_disc_the_editor_draws() -> None:
    mask = result_to_mask(item({"x": 50, "y": 50, "width": 5}))
    assert mask.sum() == pytest.approx(np.pi * 10**2, rel=0.02)
    assert np.argwhere(result_to_mask(item({"x": 100, "y": 100, "width": 0}))).tolist() == [[99, 199]]


def vertex(x: float, y: float, **others: Any) -> dict[str, Any]:
    return {"id": f"{x}-{y}", "x": x, "y": y, "isBezier": bool(others), **others}


def test_a_closed_vector_is_a_polygon() -> None:
    vertices = [vertex(10, 20), vertex(30, 20), vertex(30, 60), vertex(10, 60)]
    assert np.array_equal(result_to_mask(item({"vertices": vertices, "closed": True})), result_to_mask(item(SQUARE)))


def test_bezier_curves_are_filled_to_the_curve() -> None:
    """Four quarter arcs with the usual 0.5523 handles are a disc."""
    pull = 0.5522847
    vertices = []
    for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        x, y, hx, hy = 50 + 15 * dx, 50 + 30 * dy, 15 * pull * -dy, 30 * pull * dx
        vertices.append(
            vertex(x, y, controlPoint1={"x": x - hx, "y": y - hy}, controlPoint2={"x": x + hx, "y": y + hy})
        )
    disc = result_to_mask(item({"vertices": vertices, "closed": True}))
    expected = result_to_mask(item({"x": 50, "y": 50, "radiusX": 15, "radiusY": 30}))
    assert (disc & expected).sum() / (disc | expected).sum() > 0.99


@pytest.mark.parametrize(
    ("broken", "error", "message"),
    [
        (item({"vertices": [vertex(1, 1)], "closed": False}), ShapeError, "region 'r1': the vector is open"),
        (item({"points": [[1, 1], [2, 2]]}), ShapeError, "at least"),
        (item({"points": [[1, "x"], [2, 2], [3, 1]]}), DatasetError, "region 'r1': y is 'x', wanted a number"),
        (item({"rle": [1, 2, 3]}), ShapeError, "ends|bytes|short"),
        (item({"imageDataURL": "data:image/png;base64,AAAA"}), ShapeError, "PNG"),
        (item({"x": 1, "y": 1, "width": -1, "height": 2}), ShapeError, "width and height are -1.0 and 2.0"),
        (item({"x": 1e9, "y": 1, "width": 1, "height": 2}), DatasetError, "x is 1000000000.0, wanted a percentage"),
        (item({"choices": ["a"]}), DatasetError, "value is"),
        (item(SQUARE, original_width=0), DatasetError, "original_width is 0, wanted a whole number from 1"),
        (item(SQUARE, image_rotation="left"), DatasetError, "image_rotation is 'left'"),
        ({"value": SQUARE}, DatasetError, "original_height is None"),
        ([], DatasetError, "wanted an object"),
    ],
)
def test_broken_items_are_explained(broken: Any, error: type[ClickMaskError], message: str) -> None:
    with pytest.raises(error, match=message):
        result_to_mask(broken)
