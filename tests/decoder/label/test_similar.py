"""A folder is labeled from a few labeled pictures, or from crops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder.shapes import mask_iou, mask_to_rle, polygons_to_mask
from tests.decoder.similar.discs import PLACES, SIZE, discs, draw


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2):
        draw(folder / f"{number}.png", number)
    return folder


def coco(labeled: int) -> str:
    """The first picture, so many of its discs labeled."""
    rles = [mask_to_rle(disc) for disc in discs()[:labeled]]
    return json.dumps(
        {
            "images": [{"id": 9, "file_name": "0.png", "height": SIZE.height, "width": SIZE.width}],
            "annotations": [
                {"id": 40 + number, "image_id": 9, "category_id": 3, "iscrowd": 0, "bbox": [0, 0, 1, 1], "area": 1,
                 "segmentation": rle}
                for number, rle in enumerate(rles)
            ],
            "categories": [{"id": 3, "name": "disc"}],
        }
    )  # fmt: skip


def run(*arguments: object) -> int:
    return main(["label", *map(str, arguments)])


def found(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    number = next(image["id"] for image in data["images"] if image["file_name"] == name)
    return [item for item in data["annotations"] if item["image_id"] == number]


def count_discs(items: list[dict[str, Any]]) -> int:
    masks = [polygons_to_mask(item["segmentation"], SIZE) for item in items]
    return sum(any(mask_iou(mask, disc) >= 0.7 for mask in masks) for disc in discs())


def test_the_others_of_labeled_objects_are_found_on_all_pictures(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "few.json").write_text(coco(2))
    out = tmp_path / "out.json"
    assert run(pictures, "--examples", tmp_path / "few.json", "--out", out) == 0
    data = json.loads(out.read_text())
    assert data["categories"] == [{"id": 3, "name": "disc", "supercategory": ""}]
    assert {item["category_id"] for item in data["annotations"]} == {3}
    first = found(data, "0.png")
    assert [item["id"] for item in first[:2]] == [40, 41]  # those that were labeled stay as they were
    assert "score" not in first[0]
    assert all(0 <= item["score"] <= 1 for item in first[2:])
    assert count_discs(first) >= 4
    assert len({item["id"] for item in data["annotations"]}) == len(data["annotations"])
    assert count_discs(found(data, "1.png")) >= 4


def test_crops_are_examples_by_their_folders(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "crops" / "disc").mkdir(parents=True)
    x, y = PLACES[0]
    Image.open(pictures / "0.png").crop((x - 16, y - 16, x + 16, y + 16)).save(tmp_path / "crops" / "disc" / "a.png")
    (tmp_path / "crops" / "disc" / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out.json"
    assert run(pictures, "--examples", tmp_path / "crops", "--out", out) == 1  # one crop is broken, and that is told
    assert "broken.png" in capsys.readouterr().err
    data = json.loads(out.read_text())
    assert [category["name"] for category in data["categories"]] == ["disc"]
    assert count_discs(found(data, "1.png")) >= 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (coco(0), "the examples hold no object"),
        (coco(1).replace("0.png", "gone.png"), "gone.png"),
    ],
)
def test_examples_that_cannot_be_used_are_told(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    (tmp_path / "few.json").write_text(text)
    assert run(pictures, "--examples", tmp_path / "few.json", "--out", tmp_path / "out.json") == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_examples_and_boxes_are_not_taken_together(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "few.json").write_text(coco(1))
    few = tmp_path / "few.json"
    assert run(pictures, "--examples", few, "--from", few, "--out", tmp_path / "out.json") == 1
