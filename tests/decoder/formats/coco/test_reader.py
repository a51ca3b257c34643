"""Reading COCO files of all kinds: what is wrong is reported with its id, the rest is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.coco import read_coco
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.shapes import rle_area
from tests.decoder.formats.told import read_told

SQUARE = [[1, 1, 5, 1, 5, 5, 1, 5]]


def image(number: int, **others: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", "height": 10, "width": 20} | others


def annotation(number: Any, **others: Any) -> dict[str, Any]:
    return {"id": number, "image_id": 1, "category_id": 1, "segmentation": SQUARE, "iscrowd": 0} | others


def document(**others: Any) -> dict[str, Any]:
    whole = {"images": [image(1)], "annotations": [annotation(1)], "categories": [{"id": 1, "name": "cat"}]}
    return whole | others


def read(content: Any, folder: Path) -> tuple[Dataset, list[str]]:
    path = folder / "coco.json"
    path.write_text(json.dumps(content))
    return read_told(read_coco, path)


def kept(dataset: Dataset) -> list[int]:
    return [item.id for annotated in dataset.images for item in annotated.objects]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (annotation(9, image_id=77), "annotation 9: image_id is 77, which no image has"),
        (annotation(9, category_id=77), "annotation 9: category_id is 77, which no category has"),
        (annotation(9, segmentation=[[1, 2]]), "annotation 9: polygon has 2 numbers"),
        (annotation(9, segmentation=None), "annotation 9: segmentation is None, wanted polygons or run lengths"),
        (annotation(9, segmentation={"size": [10, 20], "counts": [7]}), "annotation 9: "),
        (annotation(9, iscrowd=5), "annotation 9: iscrowd is 5, wanted 0 or 1"),
        (annotation(9, image_id="one"), "annotation 9: image_id is 'one', which no image has"),
        (annotation(9, image_id=[1]), "annotation 9: image_id is [1], wanted a whole number"),
        (annotation(9, segmentation=[[0.1, 0.1, 0.9, 0.1, 0.9, 0.4]]), "annotation 9: every coordinate is in [0, 1]"),
        (annotation(9, score="high"), "annotation 9: score is 'high', wanted a number"),
        ("what", "annotations: the record is 'what', wanted an object"),
    ],
)
def test_a_broken_annotation_is_reported_and_its_neighbours_are_kept(broken: Any, message: str, tmp_path: Path) -> None:
    dataset, problems = read(document(annotations=[annotation(1), broken, annotation(2)]), tmp_path)
    assert kept(dataset) == [1, 2]
    assert [problem[: len(message)] for problem in problems] == [message]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (image(2, height=0), "image 2: height is 0, wanted a whole number from 1"),
        (image(2, file_name=""), "image 2: file_name is '', wanted a text"),
        (image(1), "image 1: the id 1 is used twice"),
    ],
)
def test_a_broken_image_is_reported(broken: Any, message: str, tmp_path: Path) -> None:
    dataset, problems = read(document(images=[image(1), broken]), tmp_path)
    assert (dataset.image_count, kept(dataset)) == (1, [1])
    assert [problem[: len(message)] for problem in problems] == [message]


def test_a_header_that_json_cannot_hold_is_reported(tmp_path: Path) -> None:
    dataset, problems = read(document(info={"year": float("inf")}), tmp_path)
    assert (kept(dataset), dict(dataset.info)) == ([1], {})
    assert problems == ["info: holds NaN or infinity, wanted numbers that JSON can hold"]


def test_by_default_the_first_problem_is_raised(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(document(annotations=[annotation(1, image_id=5)])))
    with pytest.raises(DatasetError, match=r"coco\.json: annotation 1: image_id is 5, which no image has"):
        read_coco(tmp_path / "coco.json")


def test_the_order_of_the_arrays_does_not_matter(tmp_path: Path) -> None:
    backwards = dict(reversed(document().items()))
    shuffled = {"annotations": [annotation(1)]} | document()
    assert next(iter(shuffled)) == "annotations"
    for content in (document(), backwards, shuffled):
        dataset, problems = read(content, tmp_path)
        assert (kept(dataset), problems) == ([1], [])


def test_an_annotation_of_only_a_box_is_that_box(tmp_path: Path) -> None:
    boxes = [annotation(1, segmentation=[], bbox=[2, 3, 4, 5]), annotation(2, segmentation=None, bbox=[0, 0, 20, 10])]
    dataset, problems = read(document(annotations=boxes), tmp_path)
    assert [rle_area(item.rle) for image in dataset.images for item in image.objects] == [20, 200]
    assert problems == []


def test_images_without_annotations_are_kept(tmp_path: Path) -> None:
    dataset, _ = read(document(images=[image(3), image(1), image(2)]), tmp_path)
    assert [(annotated.image.id, len(annotated.objects)) for annotated in dataset.images] == [(3, 0), (1, 1), (2, 0)]


def test_a_dataset_can_be_passed_over_again_and_again(tmp_path: Path) -> None:
    dataset, _ = read(document(), tmp_path)
    first = iter(dataset.images)
    next(first)
    assert list(dataset.images) == list(dataset.images) != []


@pytest.mark.parametrize("content", [{"foo": [1]}, {"foo": 1}])
def test_other_json_is_refused(content: Any, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="wanted images, annotations and categories"):
        read(content, tmp_path)


def test_a_category_is_called_one(tmp_path: Path) -> None:
    assert read(document(categories=[{"id": 1}]), tmp_path)[1][0] == "category 1: name is None, wanted a text"
