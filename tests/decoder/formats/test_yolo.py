"""YOLO datasets as others write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.yolo.dataset import read_yolo, write_yolo
from clickmask.decoder.formats.yolo.join_rings import join_rings
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import polygons_to_mask, rle_area
from tests.decoder.formats.samples import content, sample_dataset, write_pictures


def layout(root: Path, yaml: str, labels: dict[str, str]) -> Path:
    """A dataset of 20x10 pictures with these label files; names like "train/a"."""
    root.joinpath("data.yaml").write_text(yaml)
    for name, text in labels.items():
        picture, label = root / "images" / f"{name}.jpg", root / "labels" / f"{name}.txt"
        picture.parent.mkdir(parents=True, exist_ok=True)
        label.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10)).save(picture)
        label.write_text(text)
    return root


def areas(dataset: Dataset) -> dict[str, list[tuple[str, int]]]:
    names = dataset.category_names
    return {
        annotated.image.file_name: [(names[item.category_id], rle_area(item.rle)) for item in annotated.objects]
        for annotated in dataset.images
    }


LEFT_HALF = "0 0 0 0.5 0 0.5 1 0 1"


def test_splits_and_named_classes(tmp_path: Path) -> None:
    yaml = "path: .\ntrain: images/train\nval: [images/val]\nnames: {0: cat, 1: dog}"
    layout(tmp_path, yaml, {"train/a": LEFT_HALF, "val/b": "1 0.5 0.5 0.5 1\n\n"})
    assert areas(read_yolo(tmp_path)) == {"train/a.jpg": [("cat", 100)], "val/b.jpg": [("dog", 100)]}


def test_a_text_file_that_lists_pictures(tmp_path: Path) -> None:
    layout(tmp_path, "train: list.txt\nnames: [cat]", {"a": LEFT_HALF, "b": LEFT_HALF})
    (tmp_path / "list.txt").write_text("./images/b.jpg\n")
    assert areas(read_yolo(tmp_path / "data.yaml")) == {"b.jpg": [("cat", 100)]}


def test_classes_of_one_name_stay_apart(tmp_path: Path) -> None:
    layout(tmp_path, "train: images\nnames: [cat, cat]", {"a": "1" + LEFT_HALF[1:]})
    dataset = read_yolo(tmp_path)
    assert [item.category_id for annotated in dataset.images for item in annotated.objects] == [2]
    write_yolo(dataset, tmp_path / "again")
    assert (tmp_path / "again" / "labels" / "a.txt").read_text().startswith("1 ")


def test_broken_lines_are_reported_with_file_and_number(tmp_path: Path) -> None:
    lines = [LEFT_HALF, "7 0 0 1 0 1 1", "cat 0 0 1 0 1 1", "0 0 0 1", "0 0 0 2 0 1 1", "0 0 x 1 0 1 1"]
    layout(tmp_path, "train: images\nnames: [cat]", {"a": "\n".join(lines)})
    problems: list[ClickMaskError] = []
    dataset = read_yolo(tmp_path, ReadOptions(on_problem=problems.append))
    assert areas(dataset) == {"a.jpg": [("cat", 100)]}
    told = [str(problem) for problem in problems]
    assert [text.split(": ")[1] for text in told] == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    assert "the class is '7', wanted one of the 1 that are named" in told[0]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: [cat]", "names no pictures"),
        ("train: images", "names is None, wanted class names"),
        ("train: missing\nnames: [cat]", "train: there is no missing, wanted the pictures"),
        ("train: {a: b}\nnames: [cat]", "train is .*, wanted a folder"),
        ("- just a list", "wanted an object"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_broken_data_yaml_is_explained(yaml: str, message: str, tmp_path: Path) -> None:
    layout(tmp_path, yaml, {"a": LEFT_HALF})
    with pytest.raises(DatasetError, match=message):
        read_yolo(tmp_path)


def test_pictures_that_would_share_a_label_file_are_reported(tmp_path: Path) -> None:
    dataset = sample_dataset()
    first, second, _ = dataset.images
    twin = replace(second, image=replace(second.image, file_name="a.jpg"))
    problems: list[ClickMaskError] = []
    write_yolo(replace(dataset, images=[first, twin]), tmp_path, WriteOptions(on_problem=problems.append))
    assert [str(problem).split(" share")[0] for problem in problems] == ["image a.jpg and image a.png"]


def test_the_written_dataset_is_whole_with_its_pictures(tmp_path: Path) -> None:
    pictures = write_pictures(sample_dataset(), tmp_path / "pictures")
    write_yolo(sample_dataset(), tmp_path / "yolo", WriteOptions(images=pictures))
    assert content(read_yolo(tmp_path / "yolo")) == content(sample_dataset())
    assert (tmp_path / "yolo" / "labels" / "day 1" / "empty.txt").read_text() == ""


def test_joining_lines_cover_nothing() -> None:
    """Many random squares as one ring are the squares."""
    random = np.random.default_rng(0)
    size = Size(200, 300)
    corners = np.array([[0, 0], [5, 0], [5, 5], [0, 5]], float)
    places = [(x, y) for x in range(0, 290, 10) for y in range(0, 190, 10)]
    rings = [corners + places[place] for place in random.permutation(len(places))]
    expected = polygons_to_mask([ring.ravel().tolist() for ring in rings], size)
    assert np.array_equal(polygons_to_mask([join_rings(rings).ravel().tolist()], size), expected)
    assert expected.sum() == 25 * len(places)
