"""Datumaro's JSON as Datumaro and CVAT write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.datumaro.dataset import read_datumaro, write_datumaro
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.shapes import rle_area
from tests.decoder.formats.samples import sample_dataset


def annotation(kind: str, group: int = 0, **others: Any) -> dict[str, Any]:
    return {"id": 0, "type": kind, "attributes": {}, "group": group, "label_id": 0, "z_order": 0} | others


POLYGONS = [
    annotation("polygon", 4, points=[1.0, 1.0, 5.0, 1.0, 5.0, 4.0], attributes={"occluded": False, "brand": "x"}),
    annotation("polygon", 4, points=[10.0, 1.0, 14.0, 1.0, 14.0, 4.0]),
    annotation("bbox", 4, bbox=[1.0, 1.0, 13.0, 3.0]),
]


def datumaro(folder: Path, annotations: list[Any], **others: Any) -> tuple[Dataset, list[str], list[str]]:
    label = {"labels": [{"name": "car", "parent": "", "attributes": []}], "label_groups": [], "attributes": []}
    image = {"path": "/their/machine/a.jpeg", "size": [10, 20]}
    document = {
        "dm_format_version": "1.0",
        "media_type": 2,
        "infos": {},
        "categories": {"label": label, "points": {"items": []}},
        "items": [{"id": "day/a", "annotations": annotations, "attr": {"frame": 3}, "image": image}],
    } | others
    path = folder / "annotations" / "default.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document))
    problems: list[str] = []
    lost: list[str] = []
    options = ReadOptions(
        on_problem=lambda problem: problems.append(str(problem).removeprefix(f"{path}: item 'day/a': ")),
        on_loss=lambda what, _where: lost.append(what),
    )
    return read_datumaro(folder, options), problems, lost


def test_shapes_of_one_group_are_one_object(tmp_path: Path) -> None:
    dataset, problems, _ = datumaro(tmp_path, [*POLYGONS, annotation("bbox", bbox=[0, 0, 3, 2], z_order=-1)])
    ((image, (box, polygons)),) = ((one.image, one.objects) for one in dataset.images)
    assert (image.file_name, image.extras) == ("day/a.jpeg", {"frame": 3})
    assert (len(polygons.rings), polygons.box, polygons.is_box) == (2, (1.0, 1.0, 13.0, 3.0), False)
    assert polygons.extras == {"brand": "x"}
    assert (box.box, box.is_box, rle_area(box.rle)) == ((0.0, 0.0, 3.0, 2.0), True, 6)
    assert problems == []


def test_what_is_no_object_is_counted_and_what_is_broken_reported(tmp_path: Path) -> None:
    odd = [
        annotation("label"),
        annotation("points", points=[1, 2, 2]),
        annotation("polygon", points=[1, 2, 3]),
        annotation("bbox", bbox=[1, 2, 3]),
        annotation("mask", rle={"counts": "04", "size": [2, 2]}),
        annotation("bbox", bbox=[0, 0, 3, 2], label_id=7),
        5,
    ]
    _, problems, lost = datumaro(tmp_path, odd)
    assert lost == ["annotations of the kind label"]
    assert problems == [
        "annotation 1: is a 'points', which has no area, wanted bbox, ellipse, mask, polygon",
        "annotation 2: polygon has 3 numbers, wanted an even number of at least 6",
        "annotation 3: bbox has 3 numbers, wanted 4",
        "annotation 4: run lengths of size [2, 2] on an image of [10, 20]",
        "annotation 6: the record is 5, wanted an object",
        "object 0: label_id is 7, which no label has",
    ]


def test_other_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"images": [1]}')
    with pytest.raises(DatasetError, match="holds images, wanted Datumaro's items"):
        read_datumaro(tmp_path)


def test_written_as_datumaro_lays_it_out(tmp_path: Path) -> None:
    write_datumaro(sample_dataset(), tmp_path)
    document = json.loads((tmp_path / "annotations" / "default.json").read_text())
    assert [label["name"] for label in document["categories"]["label"]["labels"]] == [
        "cat",
        "traffic light",
        "böse/Ecke",
    ]
    assert [(item["id"], item["image"]) for item in document["items"]][1] == (
        "day 1/b",
        {"path": "day 1/b.png", "size": [97, 131]},
    )
