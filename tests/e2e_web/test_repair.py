"""Changing a mask by hand: brush, eraser, outline; and refining what was accepted."""

from __future__ import annotations

import pytest

from clickmask.decoder import Size
from clickmask.web.browser_rle import runs_to_mask
from tests.e2e_web.conftest import OpenDesk
from tests.e2e_web.desk import Desk

pytestmark = pytest.mark.e2e
CHEETAH = Size(343, 502)


def click_body(desk: Desk) -> None:
    desk.click(250, 160)
    desk.until_mask()


def area(desk: Desk) -> int:
    found: int = desk.get("state.draft.answer.mask.area")
    return found


def test_brush_adds_eraser_takes_away_and_both_can_be_undone(open_desk: OpenDesk) -> None:
    desk = open_desk()
    click_body(desk)
    clicked = area(desk)
    desk.press("b")
    desk.drag((20, 20), (60, 20))
    desk.until(f"state.draft.answer.mask.area > {clicked}")
    mask = runs_to_mask(desk.get("state.draft.answer.mask.text"), CHEETAH)
    assert mask[20, 20:60].all()
    assert not mask[40, 20:60].any()
    desk.press("e")
    desk.drag((20, 20), (60, 20))
    desk.until(f"state.draft.answer.mask.area === {clicked}")
    desk.press("Control+z")
    desk.press("Control+z")
    desk.until(f"state.draft.answer.mask.area === {clicked} && state.draft.source === 'click'")


def test_shift_turns_a_click_and_a_brush_into_their_opposite(open_desk: OpenDesk) -> None:
    desk = open_desk()
    click_body(desk)
    desk.page.keyboard.down("Shift")
    desk.click(60, 300)
    desk.page.keyboard.up("Shift")
    desk.until("state.draft.points.length === 2 && state.draft.points[1][2] === false")
    desk.until_mask()
    before = area(desk)
    desk.press("b")
    desk.page.keyboard.down("Shift")
    desk.drag((240, 160), (260, 160))
    desk.page.keyboard.up("Shift")
    desk.until(f"state.draft.answer.mask.area < {before}")


def test_a_brush_can_draw_an_object_alone_up_to_the_border(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("b")
    desk.drag((1, 1), (1, 40))
    desk.until("state.draft.answer && state.draft.answer.mask.area > 300")
    desk.accept()
    mask = runs_to_mask(desk.objects()[0], CHEETAH)
    assert mask[:40, 0].all()
    assert desk.get("state.objects[0].source") == "edit"


def test_the_outline_says_its_points_and_iou_and_a_vertex_can_be_dragged(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("b")
    desk.drag((150, 150), (250, 150))
    desk.until_mask()
    desk.press("p")
    desk.until("app.stage.vertices")
    points, iou = desk.page.inner_text(".cm-outline").split(" points, IoU ")
    assert int(points) >= 3
    assert float(iou) >= 0.99
    before = area(desk)
    x, y = desk.get("app.stage.vertices[0].slice(0, 2)")
    desk.drag((x, y), (x - 30, y - 40))
    desk.until(f"state.draft.answer.mask.area !== {before}")
    desk.press("Control+z")
    desk.until(f"state.draft.answer.mask.area === {before}")


def test_an_accepted_object_opens_again_with_its_points_and_is_replaced(open_desk: OpenDesk) -> None:
    desk = open_desk()
    click_body(desk)
    desk.accept()
    first = desk.objects()
    desk.page.reload()
    desk.until_ready()
    desk.page.locator(".cm-objects .cm-item").click()
    desk.press("Enter")
    desk.until("state.draft.editing && state.draft.points.length === 1")
    desk.drag((150, 90), (380, 250))
    desk.until("state.draft.box")
    desk.until_mask()
    desk.accept()
    assert len(desk.objects()) == 1
    assert desk.objects() != first
    desk.page.reload()
    desk.until_ready()
    desk.press("Control+z")  # the history on disk remembers
    desk.until("state.objects.length === 1 && app.history.steps.undone.length === 1")
    assert desk.objects() == first


def test_points_can_be_moved_and_removed(open_desk: OpenDesk) -> None:
    desk = open_desk()
    click_body(desk)
    desk.drag((250, 160), (300, 140))
    desk.until("state.draft.points.length === 1 && Math.abs(state.draft.points[0][0] - 300) < 1 && state.draft.answer")
    desk.click(300, 140)
    desk.until("state.draft.points.length === 0")


def test_an_unfinished_draft_survives_a_reload(open_desk: OpenDesk) -> None:
    desk = open_desk()
    click_body(desk)
    desk.page.reload()
    desk.until_ready()
    desk.until("state.draft.points.length === 1 && state.draft.answer")


def test_the_choice_rule_can_be_switched(open_desk: OpenDesk) -> None:
    desk = open_desk()
    click_body(desk)
    desk.page.locator(".cm-view [data-rule='iou']").click()
    desk.until("state.rule === 'iou' && state.draft.answer && !app.prompts.queue.busy")
    scores = desk.get("state.draft.answer.iou")
    assert desk.get("state.draft.answer.chosen") == max(range(1, 4), key=lambda row: scores[row])
