"""Tools beside clicks: boxes that move, polygon, lasso, vertices, split, merge, cut out, copies to the next picture."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from clickmask.decoder import Size
from clickmask.web.browser_rle import runs_to_mask
from tests.e2e_web.conftest import OpenDesk
from tests.e2e_web.desk import Desk

pytestmark = pytest.mark.e2e
CHEETAH = Size(343, 502)


def square(desk: Desk, x: float, y: float, side: float) -> None:
    """Draw a square object with the polygon tool, corner by corner."""
    desk.press("l")
    for corner in ((x, y), (x + side, y), (x + side, y + side), (x, y + side)):
        desk.click(*corner)
    desk.press("Enter")
    expect(desk.page.locator(".cm-candidates")).to_contain_text("Accept")
    desk.accept()


def masks(desk: Desk) -> list[NDArray[np.bool_]]:
    return [runs_to_mask(runs, CHEETAH) for runs in desk.objects()]


def area_shown(desk: Desk) -> int:
    text = desk.page.locator(".cm-score").inner_text()
    return int(re.sub(r"\D", "", text.split("·")[-1]))


def rows(desk: Desk) -> int:
    return desk.page.locator(".cm-objects .cm-item").count()


def test_a_box_is_resized_moved_and_removed_at_its_border(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.drag((150, 90), (380, 250))
    desk.until_mask()
    desk.drag((380, 250), (400, 260))  # a corner
    desk.until("Math.abs(state.draft.box[2] - 400) < 1.5 && Math.abs(state.draft.box[0] - 150) < 1.5")
    desk.drag((200, 90), (210, 80))  # elsewhere on the border
    desk.until("Math.abs(state.draft.box[0] - 160) < 1.5 && Math.abs(state.draft.box[3] - 250) < 1.5")
    desk.until_mask()
    desk.click(200, 80)
    desk.until("state.draft.box === null")
    expect(desk.page.locator(".cm-candidates")).to_be_hidden()


def test_a_polygon_is_drawn_by_corners_and_a_lasso_by_a_drag(open_desk: OpenDesk) -> None:
    desk = open_desk()
    square(desk, 100, 100, 50)
    (mask,) = masks(desk)
    assert mask[102:148, 102:148].all()
    assert mask.sum() == pytest.approx(2500, rel=0.08)
    desk.page.mouse.move(*desk.screen(200, 100))
    desk.page.mouse.down()
    for corner in ((260, 100), (260, 160), (200, 160)):
        desk.page.mouse.move(*desk.screen(*corner), steps=8)
    desk.page.mouse.up()
    expect(desk.page.locator(".cm-candidates")).to_contain_text("Accept")
    drawn = area_shown(desk)
    assert drawn == pytest.approx(3600, rel=0.08)
    desk.page.keyboard.down("Shift")  # takes away
    desk.page.mouse.move(*desk.screen(210, 110))
    desk.page.mouse.down()
    for corner in ((230, 110), (230, 130), (210, 130)):
        desk.page.mouse.move(*desk.screen(*corner), steps=8)
    desk.page.mouse.up()
    desk.page.keyboard.up("Shift")
    desk.until(f"state.draft.answer.mask.area < {drawn} - 300")
    desk.press("u")  # the hole
    desk.until(f"state.draft.answer.mask.area === {drawn}")


def test_a_vertex_is_added_and_deleted_and_the_rest_of_the_mask_stays(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("b")
    desk.drag((150, 150), (250, 150))
    desk.until_mask()
    before = runs_to_mask(desk.get("state.draft.answer.mask.text"), CHEETAH)
    desk.press("p")
    expect(desk.page.locator(".cm-outline")).to_contain_text("points")
    desk.until("app.stage.vertices")
    count = desk.get("app.stage.vertices[0].length / 2")
    desk.drag((200, 138), (200, 100))  # the upper edge
    desk.until(
        f"app.stage.vertices[0].length / 2 === {count + 1} && state.draft.answer.mask.area > {int(before.sum())}"
    )
    after = runs_to_mask(desk.get("state.draft.answer.mask.text"), CHEETAH)
    changed = before != after
    assert changed[:141].sum() > 100
    assert changed[141:].sum() == 0  # below the edge nothing moved
    desk.click(200, 100, button="right")
    desk.until(f"app.stage.vertices[0].length / 2 === {count}")
    desk.until(f"state.draft.answer.mask.area < {int(after.sum())}")
    desk.press("Control+z")
    desk.press("Control+z")
    desk.until(f"state.draft.answer.mask.area === {int(before.sum())}")


def test_objects_are_split_merged_and_cut_out_of_others(open_desk: OpenDesk) -> None:
    desk = open_desk()
    square(desk, 100, 100, 60)
    (whole,) = masks(desk)
    desk.press("k")
    desk.drag((125, 90), (125, 170))
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(2)
    left, right = masks(desk)
    assert not (left & right).any()
    assert np.array_equal(left | right, whole)
    desk.press("v")
    desk.click(140, 130)
    desk.page.keyboard.down("Control")
    desk.page.keyboard.down("Shift")
    desk.click(110, 130)
    desk.page.keyboard.up("Shift")
    desk.page.keyboard.up("Control")
    desk.press("j")
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(1)
    assert np.array_equal(masks(desk)[0], whole)

    desk.press("Escape")
    square(desk, 130, 130, 60)
    desk.press("v")
    desk.click(180, 180)
    desk.press("o")
    desk.until(f"state.objects[0].mask.area < {int(whole.sum())}")
    first, second = masks(desk)
    assert not (first & second).any()
    assert np.array_equal(first | second, whole | second)
    desk.press("Control+z")
    desk.until(f"state.objects[0].mask.area === {int(whole.sum())}")
    desk.until_saved()


def test_the_largest_part_is_kept(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("b")
    desk.drag((100, 100), (160, 100))
    desk.drag((300, 200), (310, 200))
    desk.until_mask()
    desk.press("i")
    desk.until("!state.draft.answer.mask.contains(305, 200) && state.draft.answer.mask.contains(130, 100)")
    desk.press("i")
    desk.until_toast("It has only one part")


def test_objects_are_copied_to_the_next_picture_and_the_last_picture_can_be_pasted(open_desk: OpenDesk) -> None:
    desk = open_desk()
    square(desk, 20, 20, 40)
    square(desk, 80, 80, 40)
    desk.press("Control+c")
    desk.until_toast("2 objects copied")
    desk.press("d")
    expect(desk.page.locator(".cm-facts")).to_contain_text("cheetah1.jpg")
    desk.until_ready()
    desk.press("Control+v")
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(2)
    desk.press("Control+z")
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(0)
    desk.press("Control+Shift+v")
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(2)
    desk.until_saved()


def test_the_eraser_and_thumb_buttons_say_and_do_no_harm(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("e")
    desk.until_toast("Nothing to edit")
    desk.press("c")
    x, y = desk.screen(250, 160)
    session = desk.page.context.new_cdp_session(desk.page)
    for kind in ("mousePressed", "mouseReleased"):
        session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "back", "clickCount": 1})
    desk.page.wait_for_timeout(300)
    assert desk.get("state.draft.points.length") == 0
    expect(desk.page.locator(".cm-candidates")).to_be_hidden()


def test_the_palm_beside_a_pen_does_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(touch=True)
    desk.press("b")
    x, y = (round(value) for value in desk.screen(200, 150))
    session = desk.page.context.new_cdp_session(desk.page)

    def pen(kind: str, px: float) -> None:
        event = {"type": kind, "x": px, "y": y, "button": "left", "clickCount": 1, "pointerType": "pen", "force": 0.5}
        session.send("Input.dispatchMouseEvent", {**event, "buttons": 0 if kind == "mouseReleased" else 1})

    pen("mousePressed", x)
    pen("mouseMoved", x + 20)
    session.send(
        "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x + 90, "y": y + 90, "id": 1}]}
    )
    pen("mouseMoved", x + 60)
    pen("mouseReleased", x + 60)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    desk.until("state.draft.answer && state.draft.answer.mask.area > 500")
    assert desk.get("state.draft.points.length") == 0


def test_the_preview_goes_on_after_the_first_click(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.click(250, 160)
    desk.until_mask()
    desk.page.mouse.move(*desk.screen(330, 130))
    desk.page.mouse.move(*desk.screen(332, 131))
    desk.until("state.preview && state.draft.points.length === 1")


def test_a_proposal_is_discarded_and_comes_back(open_desk: OpenDesk) -> None:
    desk = open_desk()
    bar = desk.page.locator(".cm-candidates")
    desk.press("g")
    expect(bar).to_contain_text("proposals", timeout=60_000)
    count = desk.get("state.proposals.length")
    desk.click(250, 160, button="right")
    expect(bar).to_contain_text(f"{count - 1} proposal")
    assert rows(desk) == 0
    desk.press("Control+z")
    expect(bar).to_contain_text(f"{count} proposals")
    desk.click(250, 160)
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(1)
    desk.press("Control+z")
    expect(bar).to_contain_text(f"{count} proposals")
    assert rows(desk) == 0
