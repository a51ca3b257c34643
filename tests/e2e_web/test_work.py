"""Work is where the person thinks it is: unfinished masks, states, undo after a reload, writes that wait, review."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from clickmask.web.photos.records import WaitingBox
from tests.e2e_web.conftest import OpenDesk
from tests.e2e_web.desk import Desk
from tests.web.photos import open_library

pytestmark = pytest.mark.e2e


def picture_row(desk: Desk, name: str) -> Locator:
    return desk.page.locator(".cm-pictures .cm-item", has_text=re.compile(rf"^{re.escape(name)}"))


def until_open(desk: Desk, name: str) -> None:
    expect(desk.page.locator(".cm-facts")).to_contain_text(f"{name} ·")
    desk.until_ready()


def brush(desk: Desk, y: float) -> None:
    desk.press("b")
    desk.drag((50, y), (90, y))
    expect(desk.page.locator(".cm-candidates")).to_contain_text("Accept")


def test_a_mask_that_was_not_accepted_is_told_marked_and_kept_over_a_reload(open_desk: OpenDesk) -> None:
    desk = open_desk()
    brush(desk, 50)
    desk.accept()
    desk.press("c")
    desk.click(250, 160)
    desk.until_mask()
    desk.press("d")
    desk.until_toast("cheetah.jpg keeps a mask that was not accepted")
    until_open(desk, "cheetah1.jpg")
    expect(picture_row(desk, "cheetah.jpg")).to_contain_text("unfinished · 1")  # and not done
    desk.click(120, 120)
    desk.until_mask()
    desk.press("d")
    until_open(desk, "lion.jpg")
    desk.page.reload()
    desk.until_ready()
    desk.page.get_by_label("Filter").select_option("draft")
    expect(desk.page.locator(".cm-pictures .cm-item")).to_have_count(2)
    picture_row(desk, "cheetah.jpg").click()
    until_open(desk, "cheetah.jpg")
    expect(desk.page.locator(".cm-candidates")).to_contain_text("Accept")
    desk.until_mask()
    desk.accept()
    expect(desk.page.locator(".cm-pictures .cm-item", has_text="unfinished")).to_have_count(1)


def test_a_setting_accepts_the_mask_when_going_on(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.get_by_label("Accept a mask when I go on").check()
    desk.page.locator(".cm").focus()
    desk.click(250, 160)
    desk.until_mask()
    desk.press("d")
    until_open(desk, "cheetah1.jpg")
    expect(picture_row(desk, "cheetah.jpg")).to_contain_text("done · 1")


def test_a_picture_without_objects_can_be_done(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.press("w")
    until_open(desk, "cheetah1.jpg")
    expect(picture_row(desk, "cheetah.jpg")).to_contain_text("done")
    desk.press("d")  # without objects D does not say so
    until_open(desk, "lion.jpg")
    expect(picture_row(desk, "cheetah1.jpg")).to_contain_text("to do")
    desk.page.reload()
    desk.until_ready()
    expect(picture_row(desk, "cheetah.jpg")).to_contain_text("done")
    expect(desk.page.locator(".cm-progress")).to_contain_text("1 of 4 done")


def test_undo_after_a_reload_goes_to_the_first_step_and_never_brings_back_what_was_undone(open_desk: OpenDesk) -> None:
    desk = open_desk()
    rows = desk.page.locator(".cm-objects .cm-item")
    for y in (40, 80, 120):
        brush(desk, y)
        desk.accept()
    desk.press("Control+z")
    expect(rows).to_have_count(2)
    desk.press("Control+z")  # the draft of the third goes
    desk.until_saved()
    desk.page.reload()
    desk.until_ready()
    expect(rows).to_have_count(2)
    desk.press("Escape")
    brush(desk, 200)
    desk.accept()
    expect(rows).to_have_count(3)
    for count in (2, 1, 0):
        desk.until(f"state.objects.length >= {count}")
        while rows.count() > count:
            desk.press("Control+z")
            desk.page.wait_for_timeout(60)
        expect(rows).to_have_count(count)
    desk.press("Control+z")
    desk.page.wait_for_timeout(200)
    expect(rows).to_have_count(0)


def test_a_reload_while_nothing_can_be_written_says_how_much_waits(open_desk: OpenDesk, folder: Path) -> None:
    desk = open_desk()
    saving = desk.page.locator(".cm-saving")
    desk.page.route(re.compile("component_server"), refuse_writes)
    brush(desk, 40)
    desk.press("Enter")
    brush(desk, 80)
    desk.press("Enter")
    expect(saving).to_contain_text("Not saved: 2")
    desk.page.reload()
    expect(saving).to_contain_text("Not saved: 2", timeout=30_000)
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(2)
    (folder / "other").mkdir()
    desk.page.evaluate(f"() => document.querySelector('.cm').clickmask.folder.open({str(folder / 'other')!r})")
    expect(saving).to_contain_text("Not saved: 2")
    desk.page.unroute(re.compile("component_server"))
    expect(saving).to_contain_text("All saved", timeout=30_000)  # though another folder is open
    desk.page.evaluate(f"() => document.querySelector('.cm').clickmask.folder.open({str(folder)!r})")
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(2)


def refuse_writes(route: Route) -> None:
    """Answer writes as a server with a full disk does."""
    body = json.loads(route.request.post_data or "{}")
    if body.get("fn_name") == "write":
        route.fulfill(json={"error": "the disk is full", "kind": "DatasetError"})
    else:
        route.continue_()


def test_imported_objects_are_reviewed_worst_first(open_desk: OpenDesk, folder: Path) -> None:
    boxes = [(20, 20, 0.9), (120, 60, 0.2), (220, 120, 0.5)]
    annotations = [
        {
            "id": i + 1,
            "image_id": 5,
            "category_id": 1,
            "segmentation": [[x, y, x + 40, y, x + 40, y + 40, x, y + 40]],
            "bbox": [x, y, 40, 40],
            "area": 1600,
            "score": score,
        }
        for i, (x, y, score) in enumerate(boxes)
    ]
    coco = {
        "images": [{"id": 5, "file_name": "cheetah.jpg", "width": 502, "height": 343}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": annotations,
    }
    (folder / "labels.json").write_text(json.dumps(coco))
    desk = open_desk()
    bar, rows = desk.page.locator(".cm-candidates"), desk.page.locator(".cm-objects .cm-item")
    expect(rows).to_have_count(3)
    before = desk.page.locator(".cm-zoom .cm-quiet").nth(1).inner_text()
    desk.press("r")
    expect(bar).to_contain_text("1 of 3 · cat")
    expect(desk.page.locator(".cm-zoom .cm-quiet").nth(1)).not_to_have_text(before)  # zoomed to it
    desk.press("Delete")
    expect(rows).to_have_count(2)
    expect(bar).to_contain_text("2 of 3")
    desk.press("Enter")
    expect(bar).to_contain_text("3 of 3")
    desk.press("Enter")
    expect(bar).to_contain_text("Everything is checked")
    desk.press("Escape")
    expect(bar).to_be_hidden()
    expect(rows.first).to_contain_text("px")


def test_a_class_is_found_by_typing_and_a_new_name_makes_one(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.evaluate(
        "() => document.querySelector('.cm').clickmask.classes"
        ".add([...Array(40).keys()].map((i) => `kind ${i}`).concat('zebra'))"
    )
    desk.until_toast("41 classes added")
    desk.press("q")
    desk.page.keyboard.type("zeb")
    desk.press("Enter")
    expect(desk.page.locator(".cm-chip-name[aria-pressed='true']")).to_contain_text("zebra")
    desk.press("q")
    desk.page.keyboard.type("okapi")
    expect(desk.page.locator(".cm-dialog")).to_contain_text("New class “okapi”")
    desk.press("Enter")
    expect(desk.page.locator(".cm-chip-name[aria-pressed='true']")).to_contain_text("okapi")


def test_a_key_is_changed_in_the_dialog_and_found_by_place(open_desk: OpenDesk) -> None:
    desk = open_desk()
    cyrillic = "{key: 'и', code: 'KeyB', bubbles: true}"
    desk.page.locator(".cm").evaluate(f"(root) => root.dispatchEvent(new KeyboardEvent('keydown', {cyrillic}))")
    expect(desk.page.get_by_role("button", name="Brush")).to_have_attribute("aria-pressed", "true")
    desk.press("?")
    desk.page.get_by_role("button", name="Change the key: click tool").click()
    desk.press("y")
    desk.press("Escape")
    desk.page.locator(".cm-dialog").wait_for(state="detached")
    desk.press("y")
    expect(desk.page.get_by_role("button", name="Click", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(desk.page.get_by_role("button", name="Click", exact=True)).to_have_attribute("title", "Click  (Y)")


def test_the_zoom_stays_between_pictures_of_one_size(open_desk: OpenDesk, folder: Path) -> None:
    (folder / "cheetah0.jpg").write_bytes((folder / "cheetah.jpg").read_bytes())
    desk = open_desk()
    desk.page.mouse.move(*desk.screen(250, 160))
    desk.page.mouse.wheel(0, -400)
    percent = desk.page.locator(".cm-zoom .cm-quiet").nth(1)
    zoomed = percent.inner_text()
    desk.press("d")
    until_open(desk, "cheetah0.jpg")
    expect(percent).to_have_text(zoomed)
    desk.press("d")
    until_open(desk, "cheetah1.jpg")
    expect(percent).not_to_have_text(zoomed)


def test_the_export_button_is_always_what_the_dialog_says(open_desk: OpenDesk) -> None:
    desk = open_desk()
    brush(desk, 50)
    desk.accept()
    desk.press("w")
    until_open(desk, "cheetah1.jpg")
    desk.page.click(".cm-export")
    desk.page.get_by_role("button", name="Export").last.click()
    link = desk.page.locator(".cm-dialog a.cm-primary")
    expect(link).to_contain_text("coco", timeout=60_000)
    desk.page.locator(".cm-dialog select").first.select_option("yolo")
    expect(link).to_have_count(0)
    desk.page.locator(".cm-dialog button.cm-primary").click()
    expect(link).to_contain_text("yolo", timeout=60_000)


def test_states_and_a_note_are_kept_and_decide_what_is_exported(open_desk: OpenDesk) -> None:
    desk = open_desk()
    brush(desk, 50)
    desk.accept()
    desk.press("d")
    until_open(desk, "cheetah1.jpg")
    brush(desk, 50)
    desk.accept()
    desk.page.get_by_label("State of the picture").select_option("redo")
    note = desk.page.get_by_label("Note")
    note.fill("the ear is missing")
    note.press("Enter")
    expect(picture_row(desk, "cheetah1.jpg")).to_contain_text("to be redone")
    desk.page.reload()
    desk.until_ready()
    expect(desk.page.get_by_label("State of the picture")).to_have_value("redo")
    expect(desk.page.get_by_label("Note")).to_have_value("the ear is missing")
    desk.page.click(".cm-export")
    expect(desk.page.get_by_label("Done (1)", exact=True)).to_be_checked()
    expect(desk.page.get_by_label("To be redone (1)")).not_to_be_checked()
    desk.page.locator(".cm-dialog button.cm-primary").click()
    dialog = desk.page.locator(".cm-dialog")
    expect(dialog).to_contain_text("1 object of 1 picture exported. Left out: 1 to be redone, 2 to do", timeout=60_000)


def test_a_class_in_use_is_merged_into_another(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.page.evaluate("() => document.querySelector('.cm').clickmask.classes.add(['cat'])")
    desk.until_toast("1 class added")
    brush(desk, 50)
    desk.accept()
    expect(desk.page.locator(".cm-objects .cm-item")).to_contain_text("cat")
    desk.page.locator(".cm-chip-name", has_text="cat").dblclick()
    desk.page.get_by_label("Merge into").select_option("object")
    desk.page.get_by_role("button", name="OK").click()
    expect(desk.page.locator(".cm-chip-name")).to_have_count(1)
    expect(desk.page.locator(".cm-objects .cm-item")).to_contain_text("object")


def test_boxes_without_masks_get_them_at_a_click(open_desk: OpenDesk, folder: Path, tmp_path: Path) -> None:
    library = open_library(folder, tmp_path / "home")
    project = library.folder(folder).project
    project.add_boxes([WaitingBox("b", project.pictures()[0].id, 1, (150.0, 90.0, 380.0, 250.0), score=0.6)])
    library.close()
    desk = open_desk()
    desk.page.get_by_role("button", name="1 box without masks: make masks").click()
    desk.until_toast("1 mask made of boxes")
    expect(desk.page.locator(".cm-objects .cm-item")).to_have_count(1)
    expect(desk.page.get_by_role("button", name="make masks")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(844, 390), (932, 430), (390, 844)])
def test_a_phone_reaches_everything_also_held_sideways(open_desk: OpenDesk, width: int, height: int) -> None:
    desk = open_desk(width, height, touch=True)
    desk.page.touchscreen.tap(*desk.screen(250, 160))
    desk.until_mask()
    for selector in (
        ".cm-export",
        ".cm-candidates .cm-primary",
        ".cm-saving",
        "[data-do='theme']",
        ".cm-tabs button >> nth=3",
    ):
        box = desk.page.locator(f".cm {selector}").first.bounding_box()
        assert box is not None, selector
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= width, selector
        assert box["y"] + box["height"] <= height, selector
    stage = desk.page.locator(".cm-stage").bounding_box()
    assert stage is not None
    assert stage["height"] > 0.7 * height
    desk.page.locator(".cm-tools [data-do='everything']").scroll_into_view_if_needed()
    expect(desk.page.locator(".cm-tools [data-do='everything']")).to_be_in_viewport()
    desk.page.locator(".cm-candidates .cm-primary").tap()
    desk.page.locator(".cm-tabs button").last.tap()
    expect(desk.page.locator(".cm-objects .cm-item")).to_be_in_viewport()


def test_objects_are_carried_on_to_the_next_pictures(open_desk: OpenDesk, folder: Path) -> None:
    for name in ("cheetah.jpg-2.jpg", "cheetah.jpg-3.jpg"):
        (folder / name).write_bytes((folder / "cheetah.jpg").read_bytes())
    (folder / "cheetah1.jpg").unlink()  # of another size, and next in the list
    desk = open_desk()
    desk.drag((150, 90), (380, 250))
    desk.until_mask()
    desk.accept()
    desk.press("t")
    desk.page.locator(".cm-dialog input").fill("2")
    desk.press("Enter")
    desk.until_toast("2 objects on 2 pictures")
    expect(picture_row(desk, "cheetah.jpg-3.jpg")).to_contain_text("· 1")
    desk.page.get_by_label("Filter").select_option("unchecked")
    expect(desk.page.locator(".cm-pictures .cm-item")).to_have_count(2)
