"""COCO panoptic as its API lays it out, and what the writer does at the edges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.coco_panoptic.reader import read_coco_panoptic
from clickmask.decoder.formats.coco_panoptic.writer import write_coco_panoptic
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.shapes import rle_area
from tests.decoder.formats.samples import content, sample_dataset

COLORS = [[(44, 1, 0), (44, 1, 0), (0, 0, 2)], [(0, 0, 0), (44, 1, 0), (9, 9, 9)]]  # 300, 131072, void, unknown


def panoptic(folder: Path, pictures: str, **others: Any) -> Path:
    segment = {"id": 300, "category_id": 1, "area": 3, "bbox": [0, 0, 2, 2], "iscrowd": 0}
    document = {
        "info": {"year": 2026},
        "licenses": [{"id": 1, "name": "CC0"}],
        "images": [{"id": 7, "file_name": "a.jpg", "width": 3, "height": 2, "coco_url": "http://x/a.jpg"}],
        "annotations": [
            {
                "image_id": 7,
                "file_name": "a.png",
                "segments_info": [segment, segment | {"id": 131072, "category_id": 200, "iscrowd": 1}],
            }
        ],
        "categories": [
            {"id": 1, "name": "person", "supercategory": "person", "isthing": 1, "color": [220, 20, 60]},
            {"id": 200, "name": "wall", "supercategory": "wall", "isthing": 0, "color": [1, 2, 3]},
        ],
    } | others
    path = folder / "panoptic_val.json"
    path.write_text(json.dumps(document))
    (folder / pictures).mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(COLORS, np.uint8)).save(folder / pictures / "a.png")
    return path


@pytest.mark.parametrize("pictures", ["panoptic_val", ".", "segments", "far/away"])
def test_segments_are_colours_wherever_the_pictures_lie(pictures: str, tmp_path: Path) -> None:
    lost: list[str] = []
    options = ReadOptions(companion=tmp_path / "far" / "away", on_loss=lambda what, where: lost.append(what))
    dataset = read_coco_panoptic(panoptic(tmp_path, pictures), options)
    (annotated,) = dataset.images
    rows = [(item.id, item.category_id, rle_area(item.rle), item.is_crowd) for item in annotated.objects]
    assert rows == [(300, 1, 3, False), (131072, 200, 1, True)]
    assert annotated.image.extras == {"coco_url": "http://x/a.jpg"}
    assert dataset.categories[1].extras == {"isthing": 0, "color": [1, 2, 3]}
    assert (dataset.info, dataset.licenses) == ({"year": 2026}, ({"id": 1, "name": "CC0"},))
    assert lost == ["colours of pictures that no segment has"]


def test_what_does_not_fit_is_reported(tmp_path: Path) -> None:
    info = [{"id": 5, "category_id": 1}, {"id": 300, "category_id": 9}]
    annotations = [
        {"image_id": 8, "file_name": "a.png", "segments_info": []},
        {"image_id": 7, "file_name": "b.png", "segments_info": []},
        {"image_id": 7, "file_name": "a.png", "segments_info": info},
    ]
    path = panoptic(tmp_path, "panoptic_val", annotations=annotations)
    problems: list[ClickMaskError] = []
    read_coco_panoptic(path, ReadOptions(on_problem=problems.append))
    assert [str(problem).removeprefix(f"{path}: ") for problem in problems] == [
        "annotation 8: image_id is 8, which no image has",
        f"its picture b.png is not in {tmp_path / 'panoptic_val'}, nor beside it; wanted the folder of the PNGs "
        "(--annotations FOLDER)",
        "annotation 7: segment 0: no pixel has its colour, the number 5",
        "object 300: category_id is 9, which no category has",
    ]


def test_written_as_the_api_reads_it(tmp_path: Path) -> None:
    """It takes the number of a pixel from its colour, and looks it up in ``segments_info``."""
    write_coco_panoptic(sample_dataset(), tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    assert {category["isthing"] for category in document["categories"]} == {1}
    for annotation in document["annotations"]:
        color = np.array(Image.open(tmp_path / "out" / annotation["file_name"]).convert("RGB")).astype(int)
        numbers = color[..., 0] + 256 * color[..., 1] + 65536 * color[..., 2]
        found = {number: int(count) for number, count in zip(*np.unique(numbers, return_counts=True), strict=True)}
        found.pop(0, None)
        assert {info["id"]: info["area"] for info in annotation["segments_info"]} == found
    assert content(read_coco_panoptic(tmp_path / "out.json")) == content(sample_dataset())


def test_numbers_that_are_no_colours_are_given_anew(tmp_path: Path) -> None:
    first, *_ = sample_dataset().images
    huge = replace(first, objects=tuple(replace(item, id=item.id + 2**24) for item in first.objects))
    write_coco_panoptic(replace(sample_dataset(), images=[huge], image_count=1), tmp_path / "out.json")
    (back,) = read_coco_panoptic(tmp_path / "out.json").images
    assert [item.id for item in back.objects] == [1, 2, 3, 4]
