"""What a COCO file of another tool says comes back in the export; what is only a box waits for a mask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickmask.decoder import DatasetError
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask
from clickmask.web.photos.export import export_request, run_export
from clickmask.web.photos.imports import add_label_file
from clickmask.web.photos.library import OpenFolder
from tests.web.photos import open_library, write_photo


def disc(x: int, y: int = 20) -> dict[str, Any]:
    yy, xx = np.mgrid[0:40, 0:60]
    return dict(mask_to_rle(np.hypot(xx - x, yy - y) < 8))


def original() -> dict[str, Any]:
    """A file with everything that once was lost: ids, paths, crowds, attributes, groups, super-categories."""
    return {
        "info": {"description": "street", "year": 2024},
        "licenses": [{"id": 1, "name": "CC0"}],
        "images": [
            {"id": 501, "file_name": "images/a.png", "width": 60, "height": 40, "license": 1, "coco_url": "u"},
            {"id": 77, "file_name": "images/b.png", "width": 60, "height": 40},
        ],
        "categories": [
            {"id": 90, "name": "person", "supercategory": "human"},
            {"id": 18, "name": "dog", "supercategory": "animal"},
        ],
        "annotations": [
            {"id": 9001, "image_id": 501, "category_id": 90, "segmentation": disc(20), "iscrowd": 1,
             "attributes": {"occluded": True}, "group_id": 4},
            {"id": 12, "image_id": 77, "category_id": 18, "segmentation": disc(30), "iscrowd": 0, "track_id": 3},
        ],
    }  # fmt: skip


def opened(tmp_path: Path, coco: object, name: str = "labels.json") -> OpenFolder:
    place = tmp_path / "photos"
    for picture in ("a.png", "b.png"):
        write_photo(place / picture)
    place.joinpath(name).write_text(json.dumps(coco))
    return open_library(place, tmp_path / "home").folder(place)


def exported(folder: OpenFolder) -> dict[str, Any]:
    for picture in folder.pictures():
        folder.project.set_status(picture.id, "done")
    result = run_export(export_request(folder, shape="rle"), lambda _done, _total: None)
    data: dict[str, Any] = json.loads(Path(result["path"]).read_text())
    return data


def test_ids_paths_crowds_attributes_and_supercategories_survive(tmp_path: Path) -> None:
    folder = opened(tmp_path, original())
    assert folder.problems == {}
    assert folder.notes == ["labels.json: 2 objects read"]
    data, wanted = exported(folder), original()
    assert data["info"] == wanted["info"]
    assert data["licenses"] == wanted["licenses"]
    assert sorted(data["categories"], key=lambda item: -item["id"]) == wanted["categories"]
    assert data["images"] == wanted["images"]
    for got, annotation in zip(data["annotations"], wanted["annotations"], strict=True):
        mask, drawn = (rle_to_mask(one.pop("segmentation")) for one in (got, annotation))
        assert np.array_equal(mask, drawn)
        assert {key: got[key] for key in annotation} == annotation


def test_new_objects_and_pictures_get_numbers_that_are_free(tmp_path: Path) -> None:
    folder = opened(tmp_path, original())
    write_photo(folder.path / "c.png")
    folder.project.add_pictures([("a.png", 60, 40), ("b.png", 60, 40), ("c.png", 60, 40)])
    picture = folder.pictures()[2]
    (item,) = folder.project.objects(folder.pictures()[0].id)
    from dataclasses import replace

    folder.project.write(picture.id, 0, {"new": replace(item, id="new")})  # a copy, as Ctrl V makes one
    data = exported(folder)
    ids = [annotation["id"] for annotation in data["annotations"]]
    assert ids[:2] == [9001, 12]
    assert len(set(ids)) == 3
    assert len({image["id"] for image in data["images"]}) == 3
    assert [image["file_name"] for image in data["images"]] == ["images/a.png", "images/b.png", "c.png"]


def test_boxes_wait_for_masks_and_are_no_filled_rectangles(tmp_path: Path) -> None:
    coco = original()
    for annotation in coco["annotations"]:
        del annotation["segmentation"]
        annotation["bbox"] = [10, 12, 20, 16]
    folder = opened(tmp_path, coco)
    assert folder.notes == ["labels.json: 0 objects and 2 boxes without masks read"]
    assert [folder.project.objects(picture.id) for picture in folder.pictures()] == [[], []]
    first, second = folder.project.boxes()
    assert (first.box, first.crowd, first.number) == ((10, 12, 30, 28), True, 9001)
    assert json.loads(first.extras) == {"attributes": {"occluded": True}, "group_id": 4}
    assert json.loads(second.extras) == {"track_id": 3}
    again = add_label_file(folder, folder.path / "labels.json")
    assert (again.added.objects, again.added.boxes) == (0, 0)


def test_a_list_of_results_is_read_with_its_scores(tmp_path: Path) -> None:
    folder = opened(tmp_path, original())
    results = [
        {"image_id": 501, "category_id": 18, "bbox": [5, 5, 10, 10], "score": 0.25},
        {"image_id": 77, "category_id": 90, "segmentation": disc(12), "score": 0.75},
        {"image_id": 4711, "category_id": 90, "segmentation": disc(12), "score": 0.75},
    ]
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results))
    imported = add_label_file(folder, file)
    assert (imported.added.objects, imported.added.boxes) == (1, 1)
    assert any("4711" in problem for problem in imported.problems)
    assert [box.score for box in folder.project.boxes()] == [0.25]
    assert [item.score for item in folder.project.objects(folder.pictures()[1].id)] == [None, 0.75]


def test_what_could_not_be_used_is_told_with_counts_and_leaves_no_classes(tmp_path: Path) -> None:
    coco = original()
    for image in coco["images"]:
        image["width"] = 1200
    for annotation in coco["annotations"]:
        annotation["segmentation"] = {"size": [40, 1200], "counts": disc(9)["counts"]}
    coco["categories"].append({"id": 5, "name": "mug"})
    folder = opened(tmp_path, coco)
    assert folder.notes == ["labels.json: 0 objects read"]
    assert folder.problems["labels.json"]
    assert [category.name for category in folder.project.categories()] == ["object"]


def test_a_file_that_is_neither_is_told_by_its_own_name(tmp_path: Path) -> None:
    """Uploads lie in folders with long names that say nothing."""
    folder = opened(tmp_path, original())
    file = tmp_path / "odd.json"
    file.write_text('[{"something": 1}]')
    told = add_label_file(folder, file).problems
    assert told
    assert not any(str(tmp_path) in problem for problem in told)
    file.write_text('{"something": [1]}')
    with pytest.raises(DatasetError) as refused:
        add_label_file(folder, file)
    assert str(tmp_path) not in str(refused.value)
