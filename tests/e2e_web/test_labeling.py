"""The main job, at three window sizes, light and dark: open, click, refine, accept, go on, come back, export."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from pycocotools.coco import COCO

from clickmask.decoder import Size
from clickmask.web.browser_rle import runs_to_mask
from tests.e2e_web.conftest import OpenDesk
from tests.e2e_web.desk import Desk

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # pycocotools
]
CHEETAH = Size(343, 502)
BODY = (250, 160)  # a pixel on the cheetah
GRASS = (60, 300)


def download_coco(desk: Desk, place: Path) -> COCO:
    desk.page.click(".cm-export")
    desk.page.click(".cm-dialog button.cm-primary")
    link = desk.page.locator(".cm-dialog a.cm-primary")
    link.wait_for(timeout=120_000)
    with desk.page.expect_download() as download:
        link.click()
    file = place / "coco.json"
    download.value.save_as(file)
    desk.press("Escape")
    return COCO(str(file))


@pytest.mark.parametrize(("width", "height", "dark"), [(1024, 700, False), (1440, 900, True), (2560, 1440, False)])
def test_from_the_first_click_to_the_exported_file(
    open_desk: OpenDesk, tmp_path: Path, width: int, height: int, dark: bool
) -> None:
    desk = open_desk(width, height, dark)
    assert desk.get("document.body.classList.contains('dark')") == dark
    assert desk.page.locator(".cm-pictures .cm-item").count() == 4
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    desk.click(*BODY)
    desk.until_mask()
    assert desk.overlay_pixel(BODY[0] + 9, BODY[1])[3] > 0
    desk.click(*GRASS, button="right")
    desk.until("state.draft.points.length === 2 && state.draft.answer")
    assert desk.get("state.draft.points[1][2]") is False
    desk.press("Tab")
    desk.until("state.draft.row !== null")
    desk.until_mask()
    picked = desk.get("state.draft.answer.mask.text")
    desk.press("Enter")
    desk.until("state.objects.length === 1")

    desk.press("Control+z")
    desk.until("state.objects.length === 0 && state.draft.points.length === 2")
    desk.press("Control+Shift+z")
    desk.until("state.objects.length === 1 && state.draft.points.length === 0")
    desk.until_saved()
    assert desk.objects() == [picked]

    desk.drag((150, 90), (380, 250))
    desk.until("state.draft.box && state.draft.answer")
    desk.accept()
    masks = desk.objects()

    desk.press("d")
    desk.until("state.picture.name === 'cheetah1.jpg'")
    desk.until_ready()
    assert desk.get("state.pictures[0].status") == "done"
    desk.page.reload()
    desk.until_ready()
    assert desk.get("state.picture.name") == "cheetah1.jpg"
    desk.press("a")
    desk.until("state.picture.name === 'cheetah.jpg' && state.objects.length === 2")
    assert desk.objects() == masks

    coco = download_coco(desk, tmp_path)
    kept = [coco.annToMask(annotation).astype(bool) for annotation in coco.dataset["annotations"]]
    assert len(kept) == 2
    for mask, runs in zip(kept, masks, strict=True):
        assert np.array_equal(mask, runs_to_mask(runs, CHEETAH))


def test_a_phone_can_label(open_desk: OpenDesk) -> None:
    desk = open_desk(390, 844, touch=True)
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    desk.page.touchscreen.tap(*desk.screen(*BODY))
    desk.until_mask()
    desk.page.click(".cm-swap")
    desk.page.touchscreen.tap(*desk.screen(*GRASS))
    desk.until("state.draft.points.length === 2 && state.draft.points[1][2] === false && state.draft.answer")
    desk.page.click(".cm-candidates .cm-primary")
    desk.until("state.objects.length === 1")
    desk.until_saved()
    desk.page.locator(".cm-tabs button").last.tap()
    desk.page.locator(".cm-objects .cm-item").wait_for()
    desk.until("app.root.dataset.drawer === 'right'")
    desk.page.touchscreen.tap(30, 300)
    desk.until("app.root.dataset.drawer === ''")  # who touches the picture has done with the list
    desk.page.locator(".cm-tabs button").first.tap()
    desk.page.locator(".cm-pictures .cm-item", has_text="lion.jpg").tap()
    desk.until("app.root.dataset.drawer === '' && state.picture.name === 'lion.jpg'")


def test_two_fingers_zoom_and_move_and_mark_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(390, 844, touch=True)
    x, y = (round(value) for value in desk.screen(*BODY))
    there, before = desk.picture(x, y), desk.get("app.stage.view.scale")
    fingers = desk.page.context.new_cdp_session(desk.page)
    for kind, gap in [("touchStart", 20), ("touchMove", 40), ("touchMove", 60)]:
        points = [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    desk.until(f"Math.abs(app.stage.view.scale / {before} - 3) < 0.05")
    assert desk.screen(*there) == pytest.approx((x, y), abs=1)
    assert desk.get("state.draft.points.length") == 0


def test_the_mask_under_the_cursor_is_previewed_and_that_can_be_switched_off(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.mouse.move(*desk.screen(*BODY))
    desk.until("state.preview && state.draft.points.length === 0")
    desk.page.get_by_label("Preview under the cursor").click()
    desk.until("!state.preview && !state.hover")


def test_the_wheel_zooms_at_the_cursor_and_space_or_the_middle_button_pans(open_desk: OpenDesk) -> None:
    desk = open_desk()
    x, y = (round(value) for value in desk.screen(*BODY))
    desk.page.mouse.move(x, y)
    before = desk.get("app.stage.view.scale")
    there = desk.picture(x, y)
    for _ in range(4):
        desk.page.mouse.wheel(0, -200)
    desk.until(f"app.stage.view.scale > 2 * {before}")
    assert desk.screen(*there) == pytest.approx((x, y), abs=0.01)
    desk.drag(BODY, (BODY[0] + 20, BODY[1] + 10), button="middle")
    moved = desk.screen(*BODY)
    assert moved != pytest.approx((x, y), abs=5)
    desk.page.keyboard.down(" ")
    desk.drag(BODY, (BODY[0] - 20, BODY[1] - 10))
    desk.page.keyboard.up(" ")
    assert desk.screen(*BODY) == pytest.approx((x, y), abs=2)
    assert desk.get("state.draft.points.length") == 0
    desk.press("f")
    desk.until(f"Math.abs(app.stage.view.scale - {before}) < 1e-9")


def test_every_fast_click_counts_and_the_newest_mask_wins(open_desk: OpenDesk) -> None:
    desk = open_desk()
    for i in range(8):
        desk.click(200 + 12 * i, 150 + (i % 2) * 15)
    desk.until("state.draft.points.length === 8 && state.draft.answer && !app.prompts.queue.busy")
    newest = desk.get("state.draft.answer.mask.text")
    desk.press("Control+z")
    desk.until("state.draft.points.length === 7 && state.draft.answer")
    desk.press("Control+y")
    desk.until("state.draft.points.length === 8")
    assert desk.get("state.draft.answer.mask.text") == newest


def test_an_answer_for_the_last_picture_is_not_painted_on_the_next(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.click(*BODY)
    desk.press("d")
    desk.until("state.picture.name === 'cheetah1.jpg'")
    desk.until_ready()
    desk.until("!app.prompts.queue.busy")  # the answer has come
    assert desk.get("state.draft.points.length") == 0
    assert desk.get("state.draft.answer") is None


def test_classes_have_keys_and_objects_can_be_relabeled_hidden_and_deleted(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.click(".cm-classes button[title='New class']")
    desk.page.fill(".cm-dialog input", "cheetah")
    desk.press("Enter")
    desk.until("state.categories.length === 2")
    desk.press("1")
    desk.click(*BODY)
    desk.until_mask()
    desk.accept()
    row = desk.page.locator(".cm-objects .cm-item")
    row.click()
    desk.press("2")
    desk.until("state.objects[0].category === state.categories[1].id")
    desk.press("Control+z")
    desk.until("state.objects[0].category === state.categories[0].id")
    row.hover()
    row.get_by_role("button", name="Hide").click()
    assert desk.get("state.hiddenObjects.size") == 1
    desk.page.locator(".cm-objects .cm-item").click()
    desk.press("Delete")
    desk.until("state.objects.length === 0")
    desk.until_saved()
    desk.press("Control+z")
    desk.until("state.objects.length === 1")
    desk.until_saved()


def test_classes_are_chosen_renamed_recoloured_and_removed_by_keyboard(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.locator(".cm-classes [data-do='plus']").focus()
    desk.press("Enter")
    desk.page.fill(".cm-dialog input", "rock")
    desk.press("Enter")
    desk.until("state.categories.length === 2 && state.category === state.categories[1].id")
    desk.page.locator(".cm-classes [data-do='plus']").focus()
    desk.press("Tab")  # the first chip
    desk.press("Enter")
    desk.until("state.category === state.categories[0].id")
    focused = desk.page.locator(".cm-chip-name:focus")
    expect(focused).to_contain_text("object")  # still there, though the list was made anew
    desk.press("Tab")
    desk.press("F2")
    desk.page.keyboard.type("stone")
    desk.page.locator(".cm-dialog input[type='color']").fill("#123456")
    desk.page.locator(".cm-dialog input.cm-input").press("Enter")
    desk.until("state.categories[1].name === 'stone' && state.categories[1].color === '#123456'")
    expect(focused).to_contain_text("stone")
    desk.press("Delete")
    desk.until("state.categories.length === 1")
    expect(focused).to_contain_text("object")
    desk.press("Delete")
    desk.until_toast("One class has to stay")
    desk.press("Control+z")
    desk.until("state.categories.length === 2 && state.categories[1].color === '#123456'")


def test_skipped_pictures_and_filters(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("s")
    desk.until("state.pictures[0].status === 'skipped' && state.picture.name === 'cheetah1.jpg'")
    rows, choice = desk.page.locator(".cm-pictures .cm-item"), desk.page.get_by_label("Filter")
    choice.select_option("skipped")
    expect(rows).to_have_text([re.compile(r"cheetah\.jpg\s*skipped")])
    choice.select_option("todo")
    expect(rows).to_have_count(3)
    expect(choice).to_contain_text("To do (3)")
    choice.select_option("all")
    desk.press("/")
    desk.page.keyboard.type("LION")
    expect(rows).to_have_text([re.compile("lion")])
    desk.press("Enter")
    expect(desk.page.locator(".cm-facts")).to_contain_text("lion.jpg")


def test_everything_is_looked_for_and_the_proposal_under_the_pointer_is_accepted(open_desk: OpenDesk) -> None:
    desk = open_desk()
    bar = desk.page.locator(".cm-candidates")
    desk.press("g")
    expect(bar).to_contain_text("Looking for objects")
    desk.press("Escape")  # stops it
    desk.until("!app.proposals.run && app.root.querySelector('.cm-candidates').hidden")
    desk.press("g")
    desk.until("state.proposals.length > 1")
    count = desk.get("state.proposals.length")
    expect(bar).to_contain_text(f"{count} proposals")
    desk.page.mouse.move(*desk.screen(*BODY))
    pointed = "state.proposals.find((one) => one.id === state.pointedProposal)"
    desk.until(f"{pointed} && {pointed}.mask.contains({BODY[0]}, {BODY[1]})")
    mask = desk.get(f"{pointed}.mask.text")
    desk.click(*BODY)
    desk.until("state.objects.length === 1")
    assert desk.objects() == [mask]
    assert desk.get("state.proposals.length") == count - 1
    desk.press("Escape")
    desk.until("state.proposals.length === 0 && state.objects.length === 1")


def test_help_opens_and_closes(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("?")
    expect(desk.page.locator(".cm-dialog")).to_contain_text("undo any step")
    desk.press("Escape")
    desk.page.locator(".cm-dialog").wait_for(state="detached")
