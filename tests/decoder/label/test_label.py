"""Whole data sets: boxes and coarse masks become fine ones, nothing is lost, and a killed run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder import DatasetError, Engine, Model, Size
from clickmask.decoder.formats.records import ObjectRecord
from clickmask.decoder.images import ImageSource
from clickmask.decoder.label.journal import Journal, JournalEntry
from clickmask.decoder.label.upgrade import upgrade_object, upgrade_objects
from clickmask.decoder.prompts import Box, Prompt
from clickmask.decoder.shapes import box_to_mask, mask_iou, mask_to_rle, rle_to_mask

SIZE = Size(120, 160)
SQUARES = (Box(20, 20, 60, 70), Box(90, 40, 140, 100))


def photo(seed: int = 0) -> NDArray[np.uint8]:
    """Two bright boxes on dark noise."""
    pixels = np.random.default_rng(seed).integers(0, 60, (SIZE.height, SIZE.width, 3), dtype=np.uint8)
    for box in SQUARES:
        pixels[box_to_mask(box, SIZE)] += 150
    return pixels


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(3):
        Image.fromarray(photo(index)).save(folder / f"{index}.png")
    return folder


def coco(folder: Path) -> dict[str, Any]:
    """Boxes on the pictures; ids and categories that nobody would make up."""
    names = sorted(path.name for path in folder.iterdir())
    images = [
        {"id": 70 + index, "file_name": name, "height": SIZE.height, "width": SIZE.width}
        for index, name in enumerate(names)
    ]
    annotations = [
        {"id": 900 + 10 * index + number, "image_id": 70 + index, "category_id": 5 + number, "iscrowd": 0,
         "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0], "area": 1, "segmentation": []}
        for index in range(len(names))
        for number, box in enumerate(SQUARES)
    ]  # fmt: skip
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 5, "name": "cat"}, {"id": 6, "name": "dog"}],
    }


def run(*arguments: object) -> int:
    return main(["label", *map(str, arguments)])


def test_boxes_become_masks_and_keep_their_ids(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(coco(pictures)))
    out = tmp_path / "masks.json"
    assert run(pictures, "--from", tmp_path / "boxes.json", "--out", out, "--report", tmp_path / "report.html") == 0
    before, after = coco(pictures), json.loads(out.read_text())
    for old, new in zip(before["annotations"], after["annotations"], strict=True):
        assert {key: old[key] for key in ("id", "image_id", "category_id")} == {
            key: new[key] for key in ("id", "image_id", "category_id")
        }
        assert 0 < new["score"] <= 1
        x, y, width, height = new["bbox"]
        assert mask_iou(box_to_mask(Box(x, y, x + width, y + height), SIZE), old_box(old)) > 0.8
    page = (tmp_path / "report.html").read_text()
    assert page.count("<figure>") == 6

    assert not list(tmp_path.glob("*.journal"))


def old_box(annotation: dict[str, Any]) -> NDArray[np.bool_]:
    x, y, width, height = annotation["bbox"]
    return box_to_mask(Box(x, y, x + width, y + height), SIZE)


def test_a_picture_that_cannot_be_read_keeps_its_old_labels(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(coco(pictures)))
    (pictures / "1.png").write_bytes(b"no picture")
    out = tmp_path / "masks.json"
    assert run(pictures, "--from", tmp_path / "boxes.json", "--out", out) == 1
    after = json.loads(out.read_text())["annotations"]
    assert [item["id"] for item in after] == [item["id"] for item in coco(pictures)["annotations"]]
    assert after[2]["bbox"] == [20, 20, 40, 50]
    assert [item["clickmask"]["flags"] == ["kept"] for item in after] == [False, False, True, True, False, False]
    assert "1.png is not a picture" in capsys.readouterr().err


def test_labels_of_another_size_are_refused_for_that_picture(pictures: Path, tmp_path: Path) -> None:
    labels = coco(pictures)
    labels["images"][0] |= {"height": 100, "width": 161}
    (tmp_path / "boxes.json").write_text(json.dumps(labels))
    assert run(pictures, "--from", tmp_path / "boxes.json", "--out", tmp_path / "out.json") == 1
    assert len(json.loads((tmp_path / "out.json").read_text())["annotations"]) == 6


def test_objects_of_unknown_classes_are_told_and_the_others_labeled(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = coco(pictures)
    labels["categories"] = labels["categories"][:1]
    (tmp_path / "boxes.json").write_text(json.dumps(labels))
    assert run(pictures, "--from", tmp_path / "boxes.json", "--out", tmp_path / "out.json") == 1
    after = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert [item["category_id"] for item in after] == [5, 5, 5]
    told = capsys.readouterr()
    assert "3 problems" in told.out
    assert "category" in told.err


def test_only_what_needs_eyes(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(coco(pictures)))
    everything, nothing = tmp_path / "all.json", tmp_path / "none.json"
    assert run(pictures, "--from", tmp_path / "boxes.json", "--out", everything, "--only-below", 1.1) == 0
    assert run(pictures, "--from", tmp_path / "boxes.json", "--out", nothing, "--only-below", 0) == 0
    assert len(json.loads(everything.read_text())["annotations"]) == 6
    assert len(json.loads(nothing.read_text())["annotations"]) < 6


def test_a_disk_that_is_full_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(tmp_path / "j", {}) as journal:
        journal.add(JournalEntry("a", result=1))
        with monkeypatch.context() as full:
            full.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(DatasetError, match="cannot be written: No space left on device"):
                journal.add(JournalEntry("b", result=2))
    with Journal(tmp_path / "j", {}) as journal:
        assert "a" in journal.done()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--points-per-side", "0"], "--points-per-side is 0, wanted 1 to 256"),
        (["--from", "none.json"], "none.json"),
        (["--model", "nanu"], "nanu"),
    ],
)
def test_bad_input_is_told_in_a_line(
    arguments: list[str], message: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pictures, "--out", tmp_path / "a.json", *arguments) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert message in told
    assert not (tmp_path / "a.json").exists()


def test_a_folder_without_pictures_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--out", tmp_path / "out" / "a.json") == 1
    assert "holds no picture" in capsys.readouterr().err
    assert run(tmp_path / "none", "--out", tmp_path / "out" / "a.json") == 1
    assert "there is no such folder" in capsys.readouterr().err


def test_the_output_is_not_replaced_unasked(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text("mine")
    assert run(pictures, "--out", tmp_path / "a.json") == 1
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert (tmp_path / "a.json").read_text() == "mine"


def test_a_run_killed_in_the_middle_goes_on_without_loss_or_doubling(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(12):
        Image.fromarray(photo(index)).save(folder / f"{index:02d}.png")
    command = [sys.executable, "-m", "clickmask", "label", str(folder), "--points-per-side", "6", "--out"]
    out, journal = tmp_path / "killed.json", tmp_path / "killed.json.journal"
    process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not journal.exists() or journal.read_bytes().count(b"\n") < 3:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = journal.read_bytes().count(b"\n") - 1
    assert 2 <= done < 12
    assert not out.exists()
    journal.write_bytes(journal.read_bytes() + b'{"key": "11.png", "resu')  # as if it died while it wrote
    resumed = subprocess.run([*command, str(out)], capture_output=True, text=True, check=True)
    assert f"{done} of 12 pictures are labeled already" in resumed.stdout
    assert run(folder, "--points-per-side", 6, "--out", tmp_path / "whole.json") == 0
    assert json.loads(out.read_text()) == json.loads((tmp_path / "whole.json").read_text())


def test_a_journal_of_other_settings_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", {"model": "a", "points": 3}) as journal:
        journal.add(JournalEntry("x", result=1))
    with pytest.raises(DatasetError, match="belongs to a run with another points"):
        Journal(tmp_path / "j", {"model": "a", "points": 4})
    with Journal(tmp_path / "j", {"model": "a", "points": 3}) as journal:
        assert journal.done() == {"x"}


def test_two_runs_into_one_output_are_refused(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "j", {}),
        pytest.raises(DatasetError, match="another run writes to this output"),
    ):
        Journal(tmp_path / "j", {})


def test_what_failed_is_tried_again_and_keeps_its_place(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", {}) as journal:
        journal.add(JournalEntry("a", error="disk"))
        journal.add(JournalEntry("b", result=2))
        assert journal.done() == {"b"}
        journal.add(JournalEntry("a", result=1))
        assert [(entry.key, entry.result, entry.error) for entry in journal.entries("ab")] == [
            ("a", 1, None),
            ("b", 2, None),
        ]


@pytest.fixture(scope="module")
def engine(nano: Model) -> Engine:
    return Engine(nano)


IMAGE = ImageSource("photo", photo)


def item(mask: NDArray[np.bool_], **fields: Any) -> ObjectRecord:
    return ObjectRecord(7, 3, mask_to_rle(mask), extras={"mine": 1}, **fields)


def test_coarse_masks_become_fine(engine: Engine) -> None:
    truth = box_to_mask(SQUARES[0], SIZE)
    coarse = np.kron(truth[::20, ::20], np.ones((20, 20), bool)).astype(bool)[: SIZE.height, : SIZE.width]
    coarse[20:30, 20:30] = False
    labeled = upgrade_object(engine, IMAGE, item(coarse), SIZE)
    assert mask_iou(rle_to_mask(labeled.record.rle), truth) > max(0.85, mask_iou(coarse, truth))
    assert (labeled.record.id, labeled.record.category_id, labeled.record.extras) == (7, 3, {"mine": 1})


def test_points_become_masks(engine: Engine) -> None:
    labeled = upgrade_object(engine, IMAGE, item(box_to_mask(Box(38, 43, 41, 46), SIZE)), SIZE)
    assert mask_iou(rle_to_mask(labeled.record.rle), box_to_mask(SQUARES[0], SIZE)) > 0.7


def test_the_second_of_two_that_are_the_same_is_flagged(engine: Engine) -> None:
    twice = upgrade_objects(engine, IMAGE, [item(box_to_mask(SQUARES[0], SIZE))] * 2, SIZE)
    assert ["double" in labeled.flags for labeled in twice] == [False, True]


class Answering:
    """An engine with one answer."""

    def __init__(self, mask: NDArray[np.bool_], stability: float = 0.95) -> None:
        self._mask, self._stability = mask, stability

    def segment(self, image: ImageSource, prompt: Prompt) -> SimpleNamespace:
        return SimpleNamespace(mask=lambda: self._mask, stability=(0.0, self._stability), chosen=1, score=0.5)


MIDDLE = box_to_mask(Box(40, 40, 80, 80), SIZE)
AT_BORDER = box_to_mask(Box(0, 40, 40, 80), SIZE)


@pytest.mark.parametrize(
    ("before", "after", "stability", "flags"),
    [
        (MIDDLE, MIDDLE, 0.95, ()),
        (MIDDLE, MIDDLE, 0.6, ("unstable",)),
        (MIDDLE, box_to_mask(Box(60, 40, 100, 80), SIZE), 0.95, ("disagrees",)),
        (AT_BORDER, AT_BORDER, 0.95, ("border",)),
        (MIDDLE, np.zeros_like(MIDDLE), 0.95, ("kept",)),
    ],
    ids=["fine", "unstable", "elsewhere", "border", "nothing found"],
)
def test_what_is_odd_is_flagged(
    before: NDArray[np.bool_], after: NDArray[np.bool_], stability: float, flags: tuple[str, ...]
) -> None:
    labeled = upgrade_object(cast(Engine, Answering(after, stability)), IMAGE, item(before), SIZE)
    assert labeled.flags == flags
    assert np.array_equal(rle_to_mask(labeled.record.rle), after if after.any() else before)


def test_a_crowd_and_nothing_stay_as_they_are(engine: Engine) -> None:
    crowd, nothing = item(box_to_mask(SQUARES[0], SIZE), is_crowd=True), item(np.zeros((120, 160), bool))
    for before in (crowd, nothing):
        labeled = upgrade_object(engine, IMAGE, before, SIZE)
        assert (labeled.record, labeled.flags) == (before, ("kept",))
