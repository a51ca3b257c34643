"""Contexts as the page and plain clients send them, read as prompts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from clickmask.decoder import Box, Point, PromptError, Size
from clickmask.decoder.formats.label_studio import Region, to_brush_result, to_polygon_results
from clickmask.plugin.clicks.prompts import prompt_from_region, read_prompt, with_labels
from clickmask.plugin.errors import RequestError
from tests.plugin.conftest import recorded

SIZE = Size(200, 400)


def item(kind: str, value: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A region of a context."""
    value = value | {kind: ["Cat"]}
    base = {"type": kind, "from_name": "tag", "to_name": "image", "value": value, "origin": "manual"}
    return base | {"original_width": 400, "original_height": 200, "image_rotation": 0} | fields


def key_point(x: float, y: float, **fields: Any) -> dict[str, Any]:
    """A live positive key point."""
    return item("keypointlabels", {"x": x, "y": y, "width": 0.2}, **({"is_positive": True} | fields))


def rectangle(x: float, y: float, width: float, height: float, rotation: float = 0, **fields: Any) -> dict[str, Any]:
    """A rectangle."""
    box = {"x": x, "y": y, "width": width, "height": height, "rotation": rotation}
    return item("rectanglelabels", box, **fields)


def points(*items: dict[str, Any]) -> tuple[Point, ...]:
    """The clicks read from a context."""
    drawn = read_prompt(items)
    assert drawn is not None
    return drawn.prompt(SIZE).points


def test_clicks_keep_their_order_and_sign() -> None:
    found = points(key_point(50, 50), key_point(10, 20, is_positive=False))
    assert found == (Point(200, 100, positive=True), Point(40, 40, positive=False))


def test_stale_points_and_predictions_are_left_out() -> None:
    """Old points lose ``is_positive``; one usual backend takes those for negative clicks."""
    stale, predicted = key_point(1, 1), key_point(2, 2, origin="prediction")
    del stale["is_positive"], predicted["is_positive"]
    assert points(stale, predicted, key_point(50, 50)) == (Point(200, 100),)
    assert read_prompt([stale, predicted]) is None


def test_a_plain_client_may_leave_is_positive_out() -> None:
    bare = key_point(50, 50)
    del bare["is_positive"], bare["origin"]
    assert points(bare) == (Point(200, 100, positive=True),)


def test_only_the_last_rectangle_is_meant() -> None:
    """The page sends all rectangles of the label, other objects' too; the one just drawn is the last."""
    drawn = read_prompt([rectangle(0, 0, 10, 10), rectangle(50, 50, 25, 50)])
    assert drawn is not None
    assert drawn.prompt(SIZE).box == Box(200, 100, 300, 200)


def test_a_client_may_send_a_rectangle_and_points() -> None:
    drawn = read_prompt([rectangle(50, 50, 25, 50), key_point(60, 60)])
    assert drawn is not None
    prompt = drawn.prompt(SIZE)
    assert prompt.box == Box(200, 100, 300, 200)
    assert prompt.points == (Point(240, 120),)


def test_points_of_another_label_are_another_object() -> None:
    other = key_point(1, 1)
    other["value"]["keypointlabels"] = ["Dog"]
    assert points(other, key_point(50, 50)) == (Point(200, 100),)


def test_points_on_another_image_are_another_object() -> None:
    assert points(key_point(1, 1, item_index=0), key_point(50, 50, item_index=1)) == (Point(200, 100),)
    assert points(key_point(1, 1, to_name="left"), key_point(50, 50, to_name="right")) == (Point(200, 100),)


def test_a_turned_rectangle_turns_about_its_corner() -> None:
    """A quarter turn clockwise about the top-left corner swings the rectangle to the left of it."""
    drawn = read_prompt([rectangle(50, 50, 10, 5, rotation=90)])
    assert drawn is not None
    box = drawn.prompt(SIZE).box
    assert box is not None
    assert box.xyxy == pytest.approx((190, 100, 200, 140))


def test_an_ellipse_gives_its_box() -> None:
    value = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 10, "rotation": 90}
    drawn = read_prompt([item("ellipselabels", value)])
    assert drawn is not None
    box = drawn.prompt(SIZE).box
    assert box is not None
    assert box.xyxy == pytest.approx((180, 60, 220, 140))


def painted() -> NDArray[np.bool_]:
    """Part of an image."""
    mask = np.zeros((200, 400), bool)
    mask[50:101, 100:301] = True
    return mask


def test_a_brush_is_a_mask_prompt_with_its_deepest_point() -> None:
    region = to_brush_result(painted(), Region("tag", "image", ("Cat",), id="a")) | {"origin": "manual"}
    drawn = read_prompt([region])
    assert drawn is not None
    prompt = drawn.prompt(SIZE)
    assert prompt.mask_logits is not None
    assert prompt.mask_logits[96, 128] == 4.0 == -prompt.mask_logits[0, 0]
    assert (prompt.mask_logits > 0).float().mean() == pytest.approx(painted().mean(), abs=0.01)
    assert prompt.box is None
    (point,) = prompt.points
    assert (point.y, point.positive) == (75.5, True)
    assert 125 < point.x < 276


def test_a_polygon_is_a_mask_prompt_with_its_box() -> None:
    (region,) = to_polygon_results(painted(), Region("tag", "image", ("Cat",), id="a"))
    drawn = read_prompt([region | {"origin": "manual"}])
    assert drawn is not None
    prompt = drawn.prompt(SIZE)
    assert prompt.mask_logits is not None
    assert prompt.mask_logits[96, 128] == 8.0
    assert (prompt.box, prompt.points) == (Box(100, 50, 301, 101), ())


def test_an_empty_brush_is_told() -> None:
    region = to_brush_result(np.zeros((200, 400), bool), Region("tag", "image", ("Cat",), id="a"))
    drawn = read_prompt([region])
    assert drawn is not None
    with pytest.raises(PromptError, match="covers no pixel"):
        drawn.prompt(SIZE)


def test_the_rotation_on_screen_does_not_move_points() -> None:
    """The page reports coordinates of the unturned picture, however it is shown."""
    drawn = read_prompt([key_point(50, 25, image_rotation=90)])
    assert drawn is not None
    assert drawn.image_rotation == 90
    assert drawn.prompt(SIZE).points == (Point(200, 50),)


def test_a_click_on_the_very_edge_counts_as_the_edge() -> None:
    assert points(key_point(100.3, -0.2)) == (Point(400, 0),)


def test_the_recorded_box_keeps_its_fractions() -> None:
    drawn = read_prompt(recorded("box")["params"]["context"]["result"])
    assert drawn is not None
    box = drawn.prompt(Size(343, 502)).box
    assert box is not None
    assert box.x0 == pytest.approx(82.425, abs=1e-3)


@pytest.mark.parametrize("value", [None, "50", True, float("nan"), float("inf")])
def test_a_coordinate_must_be_a_number(value: object) -> None:
    with pytest.raises(RequestError, match="wanted a number of percent"):
        read_prompt([item("keypointlabels", {"x": value, "y": 1}, is_positive=True)])


@pytest.mark.parametrize("field", ["type", "from_name", "to_name"])
def test_a_region_must_say_what_it_is(field: str) -> None:
    broken = key_point(1, 1)
    del broken[field]
    with pytest.raises(RequestError, match="lacks one of type, from_name and to_name"):
        read_prompt([broken])


def test_labels_must_be_names() -> None:
    broken = key_point(1, 1)
    broken["value"]["keypointlabels"] = [3]
    with pytest.raises(RequestError, match="wanted a list of names"):
        read_prompt([broken])


def test_clicks_that_only_leave_out_point_at_nothing() -> None:
    """A lone Alt-click, as one does to correct the object just taken, drew a region around what was not meant."""
    negative = key_point(10, 20, is_positive=False)
    assert read_prompt([negative]) is None
    assert read_prompt([negative, negative]) is None
    assert len(points(negative, key_point(50, 50))) == 2
    drawn = read_prompt([rectangle(50, 50, 25, 50), negative])
    assert drawn is not None
    assert drawn.prompt(SIZE).points[0].positive is False


def test_the_label_of_a_plain_region_stands_in_an_item_beside_it() -> None:
    plain = rectangle(0, 0, 10, 10, id="a") | {"type": "rectangle"}
    plain["value"] = {name: value for name, value in plain["value"].items() if name != "rectanglelabels"}
    label = {"id": "a", "type": "labels", "value": {"x": 0, "labels": ["Cat"]}}
    other = {"id": "b", "type": "labels", "value": {"labels": ["Dog"]}}
    assert prompt_from_region(with_labels(plain, [other, plain, label])).labels == ("Cat",)
    assert prompt_from_region(with_labels(plain, [other, plain])).labels == ()
