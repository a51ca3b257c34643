from __future__ import annotations

import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from pycocotools.coco import COCO

from clickmask.decoder import DatasetError, Size
from clickmask.decoder.shapes import mask_to_polygons, mask_to_rle, rle_to_mask
from clickmask.web.jobs import CancelledError
from clickmask.web.photos.export import FORMATS, ExportRequest, export_request, run_export
from clickmask.web.photos.imports import add_label_file
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.records import Category, LabeledObject, Status
from tests.web.photos import open_library, write_photo

SIZE = Size(40, 60)
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools


def ring_with_island() -> NDArray[np.bool_]:
    yy, xx = np.mgrid[0:40, 0:60]
    radius = np.hypot(xx - 30, yy - 20)
    mask: NDArray[np.bool_] = ((radius < 18) & (radius > 12)) | (radius < 5)
    mask[1, 1] = True
    return mask


@pytest.fixture
def folder(tmp_path: Path) -> OpenFolder:
    place = tmp_path / "photos"
    for name in ("a.png", "b.png", "sub/c.png"):
        write_photo(place / name)
    opened = open_library(place, tmp_path / "home").folder(place)
    opened.project.save_categories([Category(1, "ring", "#ff0000"), Category(7, "disc", "#00ff00")])
    a, b, _ = opened.project.pictures()
    opened.project.write(a.id, 0, {"r": LabeledObject("r", 1, mask_to_rle(ring_with_island())["counts"], score=0.9)})
    opened.project.write(b.id, 0, {"d": LabeledObject("d", 7, mask_to_rle(np.ones((40, 60), np.bool_))["counts"])})
    for picture in opened.project.pictures():
        opened.project.set_status(picture.id, "done")
    return opened


def exported(request: ExportRequest) -> Path:
    return Path(run_export(request, lambda _done, _total: None)["path"])


@pytest.mark.parametrize("shape", ["polygons", "rle"])
def test_coco_loads_with_pycocotools_and_the_masks_are_equal(folder: OpenFolder, shape: str) -> None:
    seen = []
    request = export_request(folder, shape=shape)
    result = run_export(request, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert result["objects"] == 2
    coco = COCO(result["path"])
    assert [image["file_name"] for image in coco.dataset["images"]] == ["a.png", "b.png", "sub/c.png"]
    assert {category["name"] for category in coco.dataset["categories"]} == {"ring", "disc"}
    (ring,) = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    assert np.array_equal(coco.annToMask(ring).astype(bool), ring_with_island())
    assert ring["area"] == ring_with_island().sum()


def test_simplified_polygons_keep_the_promised_iou(folder: OpenFolder) -> None:
    coco = COCO(str(exported(export_request(folder, shape="simplified", min_iou=0.9))))
    (ring,) = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    mask, wanted = coco.annToMask(ring).astype(bool), ring_with_island()
    assert (mask & wanted).sum() / (mask | wanted).sum() >= 0.9
    assert sum(map(len, ring["segmentation"])) / 2 < mask_to_polygons(wanted).num_points


def test_pictures_that_are_not_finished_are_no_true_negatives_unless_somebody_asks(folder: OpenFolder) -> None:
    a, b, c = folder.project.pictures()
    statuses: list[Status] = ["accepted", "skipped", "todo"]
    for picture, status in zip((a, b, c), statuses, strict=True):
        folder.project.set_status(picture.id, status)
    result = run_export(export_request(folder), lambda _done, _total: None)
    data = json.loads(Path(result["path"]).read_text())
    assert [image["file_name"] for image in data["images"]] == ["a.png"]
    assert result["left_out"] == {"skipped": 1, "todo": 1}
    asked = exported(export_request(folder, states=("accepted", "todo")))
    assert [image["file_name"] for image in json.loads(asked.read_text())["images"]] == ["a.png", "sub/c.png"]
    folder.project.set_status(a.id, "redo")
    with pytest.raises(DatasetError, match="nothing to export: got 1 redo, 1 skipped, 1 todo, wanted pictures that"):
        run_export(export_request(folder), lambda _done, _total: None)


@pytest.mark.parametrize("file_format", [name for name in FORMATS if name != "coco"])
def test_every_other_format_becomes_one_zip_with_files_for_labeled_pictures(
    folder: OpenFolder, file_format: str
) -> None:
    path = exported(export_request(folder, file_format=file_format))
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    assert path.suffix == ".zip"
    assert names
    assert not path.with_suffix("").exists()
    if file_format != "label-studio":
        assert len(names) >= 2


def test_label_studio_tasks_come_back_with_equal_masks(folder: OpenFolder, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported(export_request(folder, file_format="label-studio"))) as archive:
        archive.extract("tasks.json", tmp_path)
    other = tmp_path / "other"
    for name in ("a.png", "deeper/b.png"):
        write_photo(other / name)
    fresh = open_library(other, tmp_path / "home").folder(other)
    imported = add_label_file(fresh, tmp_path / "tasks.json")
    assert (imported.problems, imported.added.objects) == ([], 2)
    (item,) = fresh.project.objects(fresh.project.pictures()[0].id)
    assert np.array_equal(rle_to_mask({"size": [40, 60], "counts": item.counts}), ring_with_island())
    assert "ring" in {category.name for category in fresh.project.categories()}


def test_coco_that_lies_in_a_folder_is_shown_and_added_only_once(folder: OpenFolder, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_photo(other / "a.png")
    file = other / "annotations.json"
    file.write_bytes(exported(export_request(folder)).read_bytes())
    fresh = open_library(other, tmp_path / "home").folder(other)
    assert [item.source for item in fresh.project.objects(1)] == ["import"]
    imported = add_label_file(fresh, file)
    assert imported.added.objects == 0
    told = "b.png is labeled in the file, but is not in this folder"
    assert any(told in problem for problem in imported.problems)
    assert fresh.notes == ["annotations.json: 1 objects read"]
    assert any(told in problem for problem in fresh.problems["annotations.json"])


def test_a_file_that_is_no_label_file_is_refused(folder: OpenFolder, tmp_path: Path) -> None:
    file = tmp_path / "notes.json"
    file.write_text("hello")
    with pytest.raises(DatasetError, match=r"notes\.json is not JSON"):
        add_label_file(folder, file)
    file.write_text('{"something": [1]}')
    with pytest.raises(DatasetError):
        add_label_file(folder, file)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"file_format": "docx"}, "format is 'docx', wanted one of coco"),
        ({"shape": "dots"}, "shape is 'dots'"),
        ({"min_iou": 0.0}, r"min_iou is 0\.0"),
        ({"states": ("finished",)}, r"states are \['finished'\], wanted some of todo, done"),
        ({"val_share": 1.0}, r"val_share is 1\.0"),
    ],
)
def test_unknown_choices_are_refused_before_anything_runs(
    folder: OpenFolder, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        export_request(folder, **choice)


def test_exports_begun_in_the_same_second_do_not_touch_each_other(folder: OpenFolder) -> None:
    """The later one once removed the earlier one's folder: masks were missing, and nothing was said."""
    with ThreadPoolExecutor(3) as threads:
        paths = list(threads.map(exported, [export_request(folder, file_format="png")] * 3))
    assert len(set(paths)) == 3
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            assert archive.testzip() is None
        assert len(names) == len(set(names)) == 3


def test_old_exports_go_and_nothing_else_does(folder: OpenFolder) -> None:
    old = exported(export_request(folder)).parent
    mine = old.parent / "mine.json"
    mine.write_text("{}")
    os.utime(old, (0, 0))
    new = exported(export_request(folder))
    assert not old.exists()
    assert mine.exists()
    assert new.exists()


def test_yolo_is_split_as_asked(folder: OpenFolder) -> None:
    with zipfile.ZipFile(exported(export_request(folder, file_format="yolo", val_share=0.34))) as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
        data = yaml.safe_load(archive.read("data.yaml"))
    assert {"train", "val"} <= data.keys()
    assert data["train"] != data["val"]
    assert sorted({part for name in names for part in name.split("/") if part in {"train", "val"}}) == ["train", "val"]
    assert len(names) == 3


def test_a_stopped_export_leaves_no_process_behind(folder: OpenFolder) -> None:
    def stop(_done: int, _total: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        run_export(export_request(folder), stop)
    assert list((folder.store / "exports").iterdir()) == []


def test_a_damaged_object_is_told_in_the_export(folder: OpenFolder) -> None:
    picture = folder.project.pictures()[1]
    folder.project.write(picture.id, picture.revision, {"bad": LabeledObject("bad", 1, "0")})
    with pytest.raises(DatasetError, match="run lengths add up to 0 pixels"):
        run_export(export_request(folder), lambda _done, _total: None)
