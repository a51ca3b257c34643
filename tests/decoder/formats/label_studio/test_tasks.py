"""Whole files of tasks, ours and as Label Studio exports them, read by us and by Label Studio's own converter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from label_studio_sdk.converter import Converter
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.label_studio import label_config, read_label_studio, write_label_studio
from clickmask.decoder.formats.label_studio.tasks import picture_name
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle, polygons_to_mask, rle_area
from tests.decoder.formats.samples import content, sample_dataset, solid_blob
from tests.decoder.formats.told import read_told

SIZED = {"original_width": 10, "original_height": 10, "image_rotation": 0, "from_name": "l", "to_name": "image"}
BOX = {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0}


def read(tasks: Any, folder: Path) -> tuple[Dataset, list[str]]:
    path = folder / "tasks.json"
    path.write_text(json.dumps(tasks))
    return read_told(read_label_studio, path)


def labels(dataset: Dataset) -> list[tuple[str, int]]:
    """Label and area of every object."""
    names = dataset.category_names
    return [(names[item.category_id], rle_area(item.rle)) for image in dataset.images for item in image.objects]


def box(region_id: str, *names: str, **others: Any) -> dict[str, Any]:
    return (
        SIZED | {"id": region_id, "type": "rectanglelabels", "value": BOX | {"rectanglelabels": list(names)}} | others
    )


def task(*items: Any, **others: Any) -> dict[str, Any]:
    return {"id": 5, "data": {"image": "a.png"}, "annotations": [{"result": list(items)}]} | others


def test_label_studios_own_converter_paints_the_same_masks(tmp_path: Path) -> None:
    """Its brush export, on our tasks and our configuration."""
    annotated = list(sample_dataset().images)[1]
    write_label_studio(replace(sample_dataset(), images=[annotated]), tmp_path / "tasks.json")
    (written,) = json.loads((tmp_path / "tasks.json").read_text())
    written["annotations"][0] |= {"id": 1, "completed_by": {"email": "a@b.c"}}  # as Label Studio adds on import
    (tmp_path / "tasks.json").write_text(json.dumps([written]))
    (tmp_path / "brush").mkdir()
    converter = Converter((tmp_path / "tasks.config.xml").read_text(), project_dir=str(tmp_path))
    converter.convert(str(tmp_path / "tasks.json"), str(tmp_path / "brush"), "BRUSH_TO_PNG", is_dir=False)
    painted = [np.array(Image.open(path)) > 0 for path in (tmp_path / "brush").glob("*.png")]
    assert [np.array_equal(mask, solid_blob()) for mask in painted] == [True]


def test_the_configuration_escapes_what_xml_would_misread() -> None:
    assert 'value="a &amp; b"' in label_config([Category(1, "a & b")], "vector")


def test_scored_objects_become_predictions(tmp_path: Path) -> None:
    image = next(iter(sample_dataset().images))
    scored = replace(image, objects=tuple(replace(item, score=0.5) for item in image.objects))
    path = tmp_path / "tasks.json"
    write_label_studio(replace(sample_dataset(), images=[scored]), path)
    (written,) = json.loads(path.read_text())
    assert "annotations" not in written
    assert written["predictions"][0]["score"] == 0.5
    read = read_label_studio(path, ReadOptions(choice="predictions"))
    assert [item.score for image in read.images for item in image.objects] == [0.5] * 4
    lost: list[str] = []
    assert read_label_studio(path, ReadOptions(on_loss=lambda what, _: lost.append(what))).image_count == 0
    assert lost[0] == "predictions of tasks that nobody annotated (--take predictions)"


def test_local_file_names_get_a_prefix_and_lose_it_again(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    write_label_studio(sample_dataset(), path, WriteOptions(image_prefix="/data/local-files/?d="))
    assert json.loads(path.read_text())[1]["data"]["image"] == "/data/local-files/?d=day%201/b.png"
    assert content(read_label_studio(path)) == content(sample_dataset())


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"image": "/data/upload/1/48c9e278-test.png"}, "48c9e278-test.png"),
        ({"image": "http://127.0.0.1:8080/data/local-files/?d=imgs/a.png"}, "imgs/a.png"),
        ({"image": "s3://bucket/day/1.jpg"}, "day/1.jpg"),
        ({"image": "https://example.com/x/y%20z.jpg?size=9"}, "x/y z.jpg"),
        ({"photo": "a#1.png", "number": 3}, "a#1.png"),
        ({"caption": "A red car", "url": "https://x.org/a.jpg"}, "a.jpg"),
        ({"name": "sample 7", "source": "s3://b/k/7.png"}, "k/7.png"),
    ],
)
def test_pictures_are_found_in_a_tasks_data(data: dict[str, Any], name: str) -> None:
    assert picture_name(data, "task 1") == name


def test_one_region_with_two_labels_is_two_objects(tmp_path: Path) -> None:
    dataset, problems = read([task(box("a", "Cat", "Pet"))], tmp_path)
    assert labels(dataset) == [("Cat", 25), ("Pet", 25)]
    assert problems == []


def test_items_of_one_region_are_one_object(tmp_path: Path) -> None:
    """A plain <Rectangle> with <Labels> and per-region choices comes as three items of one id."""
    items = [
        SIZED | {"id": "a", "type": "rectangle", "value": BOX},
        SIZED | {"id": "a", "type": "labels", "value": BOX | {"labels": ["Dog"]}},
        SIZED | {"id": "a", "type": "choices", "value": BOX | {"choices": ["big"]}},
    ]
    assert labels(read([task(*items)], tmp_path)[0]) == [("Dog", 25)]


def test_children_that_people_made_stay_objects_of_their_own(tmp_path: Path) -> None:
    dataset, _ = read([task(box("a", "Cat"), box("b", "Ear", parentID="a"))], tmp_path)
    assert labels(dataset) == [("Cat", 25), ("Ear", 25)]


def test_what_has_no_shape_is_passed_over(tmp_path: Path) -> None:
    items = [
        {"type": "relation", "from_id": "a", "to_id": "b"},
        {"id": "c", "type": "choices", "value": {"choices": ["blurred"]}},
        box("a", "Cat"),
    ]
    dataset, problems = read([task(*items)], tmp_path)
    assert (labels(dataset), problems) == ([("Cat", 25)], [])


def test_only_what_a_person_submitted_is_read(tmp_path: Path) -> None:
    """Skipped and unopened tasks became negatives, and a detector's guesses ground truth."""
    guess = [{"result": [box("b", "Dog")]}]
    skipped = task(annotations=[{"was_cancelled": True, "result": [box("a", "Cat")]}], predictions=guess)
    tasks = [skipped, task(annotations=[], predictions=guess), task(annotations=[]), task(box("a", "Cat"))]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    lost: list[str] = []
    dataset = read_label_studio(path, ReadOptions(on_loss=lambda what, _: lost.append(what)))
    assert (dataset.image_count, labels(dataset)) == (1, [("Cat", 25)])
    assert lost == [
        "predictions of tasks that nobody annotated (--take predictions)",
        "tasks that were skipped",
        "predictions of tasks that nobody annotated (--take predictions)",
        "tasks that nobody annotated",
        "tasks that nobody annotated",
    ]
    asked = read_label_studio(path, ReadOptions(choice="predictions"))
    assert labels(asked) == [("Dog", 25), ("Dog", 25), ("Cat", 25)]


def test_clicks_that_nobody_accepted_are_no_objects(tmp_path: Path) -> None:
    """A submitted click without the tick became an object of one pixel."""
    click = SIZED | {"id": "k", "type": "keypointlabels", "is_positive": True}
    click["value"] = {"x": 10, "y": 10, "width": 0.5, "keypointlabels": ["Cat"]}
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task(click, box("a", "Cat"))]))
    lost: list[tuple[str, str]] = []
    dataset = read_label_studio(path, ReadOptions(on_loss=lambda *told: lost.append(told)))
    assert labels(dataset) == [("Cat", 25)]
    assert lost == [("clicks that were never accepted", f"{path}: task 5")]


def test_regions_lie_on_the_picture_their_tag_shows(tmp_path: Path) -> None:
    """Both of two Image tags' regions lay on the first picture, and all pages' on a name made of the title."""
    two = {"data": {"caption": "A red car", "left": "L.jpg", "right": "R.jpg"}}
    pages = {"data": {"doc": "contract", "pages": ["p1.jpg", "p2.jpg"]}}
    tasks = [
        task(box("a", "Cat", to_name="left"), box("b", "Dog", to_name="right"), **two),
        task(box("c", "Cat", to_name="img", item_index=1), **pages),
    ]
    dataset, problems = read(tasks, tmp_path)
    names = dataset.category_names
    found = [(image.image.file_name, [names[it.category_id] for it in image.objects]) for image in dataset.images]
    assert found == [("L.jpg", ["Cat"]), ("R.jpg", ["Dog"]), ("p2.jpg", ["Cat"])]
    assert len(problems) == 1
    assert "states no width and height" in problems[0]  # the page without regions


def test_a_labeling_configuration_says_which_picture_a_tag_shows(tmp_path: Path) -> None:
    two = {"data": {"left": "L.jpg", "right": "R.jpg"}}
    tasks = [task(box("a", "Cat", to_name="first"), box("b", "Dog", to_name="second"), **two)]
    _, problems = read(tasks, tmp_path)
    assert "wanted the labeling configuration that says which that is (--config FILE)" in problems[0]
    config = '<View><Image name="first" value="$right"/><Image name="second" value="$left"/></View>'
    (tmp_path / "tasks.config.xml").write_text(config)
    dataset, problems = read(tasks, tmp_path)
    assert [image.image.file_name for image in dataset.images] == ["L.jpg", "R.jpg"]
    assert (labels(dataset), problems) == ([("Dog", 25), ("Cat", 25)], [])


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [("all", ["A", "B", "C"]), ("newest", ["B"]), ("ground-truth", ["C"]), ("7", ["A"]), ("ann@x.org", ["B"])],
)
def test_of_several_annotations_those_count_that_were_chosen(choice: str, wanted: list[str], tmp_path: Path) -> None:
    """Two people on one task doubled every object."""
    people = [
        {"id": 1, "completed_by": 7, "updated_at": "2026-01-01", "result": [box("r", "A")]},
        {
            "id": 2,
            "completed_by": {"id": 8, "email": "ann@x.org"},
            "updated_at": "2026-03-01",
            "result": [box("r", "B")],
        },
        {"id": 3, "completed_by": 9, "updated_at": "2026-02-01", "ground_truth": True, "result": [box("r", "C")]},
    ]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task(annotations=people)]))
    notes: list[str] = []
    dataset = read_label_studio(path, ReadOptions(choice=choice, on_note=lambda what, _: notes.append(what)))
    assert [name for name, _ in labels(dataset)] == wanted
    assert bool(notes) == (choice == "all")


def test_json_min_and_a_single_task_are_read(tmp_path: Path) -> None:
    """JSON-MIN is the second entry of the export menu; it ended in "the record is None"."""
    region = BOX | {"rectanglelabels": ["Cat"], "original_width": 10, "original_height": 10}
    small = {"id": 1, "image": "/data/upload/1/a.png", "label": [region], "annotator": 1, "annotation_id": 3}
    dataset, problems = read([small], tmp_path)
    assert (labels(dataset), problems) == ([("Cat", 25)], [])
    assert next(iter(dataset.images)).image.file_name == "a.png"
    dataset, problems = read(task(box("a", "Cat")), tmp_path)
    assert (labels(dataset), problems) == ([("Cat", 25)], [])


def test_drawn_polygons_boxes_and_other_fields_come_back_as_they_were(tmp_path: Path) -> None:
    """Polygons of 45 points came back as staircases of 609."""
    drawn = ((1.5, 1.25, 8.5, 1.0, 8.123457, 7.5), (2.0, 8.0, 4.5, 8.0, 4.5, 9.5))
    size = Size(10, 10)
    rle = mask_to_rle(polygons_to_mask(drawn, size))
    item = ObjectRecord(1, 1, rle, rings=drawn, extras={"occluded": True})
    image = AnnotatedImage(ImageRecord(1, "a.png", size, extras={"weather": "rain"}), (item,))
    dataset = Dataset((Category(1, "Cat"),), [image], 1)
    write_label_studio(dataset, tmp_path / "tasks.json", WriteOptions(tag="polygon"))
    (back,) = read_label_studio(tmp_path / "tasks.json").images
    assert back.objects[0].rings == drawn
    assert back.objects[0].rle == rle
    assert (back.image.extras, back.objects[0].extras) == ({"weather": "rain"}, {"occluded": True})


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    broken = box("bad", "Cat") | {"value": BOX | {"width": "wide"}}
    tasks = [task(broken, box("good", "Cat")), {"id": 6}, 7, task(annotations=[], id=8), task(box("c", "Cat"), id=9)]
    dataset, problems = read(tasks, tmp_path)
    assert labels(dataset) == [("Cat", 25), ("Cat", 25)]
    assert problems[0] == "task 5: region 'bad': width is 'wide', wanted a number"
    assert problems[1].startswith("task 6: data: the record is None")
    assert "is 7, wanted an object" in problems[2]
    assert len(problems) == 3


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds 'images', wanted an array of tasks"):
        read({"images": [1]}, tmp_path)


def test_regions_of_two_people_are_apart_even_if_they_share_an_id(tmp_path: Path) -> None:
    """Accepting one prediction gives both the same id; the second person's correction was dropped."""
    corrected = box("r", "Cat", value=BOX | {"width": 100, "rectanglelabels": ["Cat"]})
    people = [{"result": [box("r", "Cat")]}, {"result": [corrected]}]
    assert labels(read([task(annotations=people)], tmp_path)[0]) == [("Cat", 25), ("Cat", 50)]
