"""Files that come and go: uploads, labels, class lists, pictures that are broken or vanish."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder import Size, load_image
from clickmask.web.browser_rle import runs_to_mask
from clickmask.web.start import LARGEST_UPLOAD_MB
from tests.e2e_web.conftest import OpenDesk

pytestmark = pytest.mark.e2e


def test_a_picture_can_be_added_and_clicked(open_desk: OpenDesk, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "été photo.png"
    Image.fromarray(load_image(folder / "lion.jpg")).rotate(90).save(file)
    desk = open_desk()
    with desk.page.expect_file_chooser() as chooser:
        desk.page.get_by_role("button", name="Add pictures").click()
    chooser.value.set_files(str(file))
    desk.until("state.picture.name.includes('photo.png')")
    desk.until_ready()
    desk.click(128, 128)
    desk.until_mask()
    assert len(list(folder.glob("*photo.png"))) == 1


def test_a_file_that_is_too_large_to_be_sent_is_told_with_a_way_on(open_desk: OpenDesk, tmp_path: Path) -> None:
    large = tmp_path / "large.tif"
    with large.open("wb") as file:
        file.truncate((LARGEST_UPLOAD_MB << 20) + 1)
    desk = open_desk()
    with desk.page.expect_file_chooser() as chooser:
        desk.page.get_by_role("button", name="Add pictures").click()
    chooser.value.set_files(str(large))
    desk.until_toast(
        "large.tif is larger than the 200 MB that can be sent. Put it into the folder on the server instead."
    )


def test_labels_and_classes_of_other_tools_are_shown(open_desk: OpenDesk, folder: Path, tmp_path: Path) -> None:
    square = [10.0, 20.0, 110.0, 20.0, 110.0, 90.0, 10.0, 90.0]
    coco = {
        "images": [{"id": 5, "file_name": "cheetah.jpg", "width": 502, "height": 343}],
        "categories": [{"id": 3, "name": "fast cat"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 5,
                "category_id": 3,
                "segmentation": [square],
                "bbox": [10, 20, 100, 70],
                "area": 7000,
            }
        ],
    }
    file, classes = tmp_path / "coco.json", tmp_path / "classes.txt"
    file.write_text(json.dumps(coco))
    classes.write_text("tree\nrock\n")
    desk = open_desk()
    with desk.page.expect_file_chooser() as chooser:
        desk.page.get_by_role("button", name="Import labels").click()
    chooser.value.set_files(str(file))
    desk.until_toast("1 object imported")
    desk.until("state.objects.length === 1")
    mask = runs_to_mask(desk.objects()[0], Size(343, 502))
    assert mask.sum() == 7000
    assert mask[20:90, 10:110].all()
    with desk.page.expect_file_chooser() as chooser:
        desk.page.locator(".cm-classes button").first.click()
    chooser.value.set_files(str(classes))
    desk.until("state.categories.some((one) => one.name === 'rock')")
    assert {"fast cat", "tree", "rock"} <= set(desk.get("state.categories.map((one) => one.name)"))


def test_a_long_list_of_objects_stays_in_place_and_only_what_changes_is_made_anew(
    open_desk: OpenDesk, folder: Path
) -> None:
    """Every row was made anew at every click, with all classes in it: 130 ms for 40 objects; and the list jumped up."""
    squares = [(10.0 + 30 * (i % 15), 10.0 + 30 * (i // 15)) for i in range(90)]
    annotations = [
        {
            "id": i + 1,
            "image_id": 5,
            "category_id": 1,
            "segmentation": [[x, y, x + 20, y, x + 20, y + 20, x, y + 20]],
            "bbox": [x, y, 20, 20],
            "area": 400,
        }
        for i, (x, y) in enumerate(squares)
    ]
    images = [{"id": 5, "file_name": "cheetah.jpg", "width": 502, "height": 343}]
    categories = [{"id": i + 1, "name": f"class {i}"} for i in range(30)]
    coco = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "labels.json").write_text(json.dumps(coco))
    desk = open_desk()
    desk.until("state.objects.length === 90")
    rows = desk.page.locator(".cm-objects .cm-item")
    desk.page.evaluate("() => { window.last = document.querySelector('.cm-objects .cm-item:last-child'); }")
    rows.nth(60).click()  # not the last: at its end a list that gets room for more rows moves down
    desk.press("ArrowUp")
    scrolled = desk.page.evaluate("() => document.querySelector('.cm-objects .cm-list').scrollTop")
    assert scrolled > 1000
    desk.press("Delete")
    desk.until("state.objects.length === 89")
    assert desk.page.evaluate("() => window.last.isConnected")
    place = desk.page.evaluate("() => document.querySelector('.cm-objects .cm-list').scrollTop")
    assert abs(place - scrolled) < 80
    choice = rows.last.get_by_label("Class name")
    choice.focus()
    choice.select_option("class 17")
    desk.until("state.objects[0].category === state.categories[17].id")
    assert rows.last.inner_text().startswith("class 17")


def test_a_folder_without_pictures_says_so(open_desk: OpenDesk, folder: Path) -> None:
    (folder / "empty").mkdir()
    desk = open_desk()
    desk.page.evaluate(f"() => document.querySelector('.cm').clickmask.folder.open({str(folder / 'empty')!r})")
    desk.until("state.pictures.length === 0 && state.phase === 'ready'")
    desk.press("d")
    desk.until_toast("No pictures in this folder yet")
    desk.page.click(".cm-export")
    desk.page.click(".cm-dialog button.cm-primary")
    desk.page.locator(".cm-dialog .cm-bad", has_text="there is nothing to export").wait_for()
    assert desk.page.locator(".cm-dialog a").count() == 0


def test_broken_and_vanished_pictures_are_told_and_the_work_goes_on(open_desk: OpenDesk, folder: Path) -> None:
    cut = folder / "z-broken.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)).save(cut)
    cut.write_bytes(cut.read_bytes()[:2000])
    desk = open_desk()
    desk.until("state.pictures.length === 5")
    (folder / "tower.jpg").unlink()
    desk.page.locator(".cm-pictures .cm-item", has_text="tower.jpg").click()
    desk.until_toast("tower.jpg is gone: it was moved or deleted")
    desk.page.locator(".cm-pictures .cm-item", has_text="z-broken.png").click()
    desk.page.locator(".cm-toast", has_text="broken").first.wait_for()
    desk.page.locator(".cm-pictures .cm-item", has_text="lion.jpg").click()
    desk.until_ready()
    desk.click(128, 128)
    desk.until_mask()


def test_a_turned_and_a_sixteen_bit_picture_are_seen_as_the_model_sees_them(open_desk: OpenDesk, folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(folder / "cheetah.jpg").save(folder / "a-turned.jpg", exif=exif)
    ramp = np.tile(np.linspace(1000, 9000, 200).astype(np.uint16), (100, 1))
    Image.fromarray(ramp).save(folder / "b-deep.png")
    desk = open_desk()
    assert desk.get("[state.picture.name, app.stage.levels[0].width, app.stage.levels[0].height]") == [
        "a-turned.jpg",
        343,
        502,
    ]
    desk.click(170, 250)
    desk.until_mask()
    desk.press("d")
    desk.until("state.picture.name === 'b-deep.png'")
    desk.until_ready()
    shown = desk.get(
        "(() => { const canvas = new OffscreenCanvas(200, 100), context = canvas.getContext('2d');"
        " context.drawImage(app.stage.levels[0], 0, 0);"
        " return [0, 100, 199].map((x) => context.getImageData(x, 50, 1, 1).data[0]); })()"
    )
    assert shown == load_image(folder / "b-deep.png")[50, [0, 100, 199], 0].tolist()
