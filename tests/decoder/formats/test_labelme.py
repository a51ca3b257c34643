"""LabelMe files as LabelMe writes them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.labelme.dataset import read_labelme
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.shapes import rle_area, rle_to_mask
from tests.decoder.formats.told import read_told


def shape(kind: str, points: Any, **others: Any) -> dict[str, Any]:
    return {"label": "cat", "points": points, "group_id": None, "shape_type": kind, "flags": {}} | others


def read(folder: Path, *shapes: Any, **others: Any) -> tuple[Dataset, list[str]]:
    content: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "a.jpg",
        "imageData": None,
    }
    path = folder / "a.json"
    path.write_text(json.dumps(content | {"imageHeight": 40, "imageWidth": 60} | others))
    return read_told(read_labelme, path)


def areas(dataset: Dataset) -> list[tuple[str, int]]:
    names = dataset.category_names
    return [(names[item.category_id], rle_area(item.rle)) for image in dataset.images for item in image.objects]


SQUARE = [[10, 10], [20, 10], [20, 20], [10, 20]]


def test_polygons_and_rectangles_drawn_from_any_corner(tmp_path: Path) -> None:
    dataset, problems = read(tmp_path, shape("polygon", SQUARE), shape("rectangle", [[20.0, 20.0], [10.0, 10.0]]))
    assert (areas(dataset), problems) == ([("cat", 100), ("cat", 100)], [])


def test_a_circle_goes_through_its_second_point(tmp_path: Path) -> None:
    dataset, _ = read(tmp_path, shape("circle", [[30, 20], [30, 32]]))
    assert areas(dataset)[0][1] == pytest.approx(np.pi * 12**2, rel=0.01)


def test_a_mask_lies_where_its_box_says(tmp_path: Path) -> None:
    part = np.random.default_rng(0).random((7, 5)) > 0.5
    file = io.BytesIO()
    Image.fromarray(part).save(file, "PNG")
    dataset, problems = read(
        tmp_path, shape("mask", [[50, 30], [54, 36]], mask=base64.b64encode(file.getvalue()).decode())
    )
    assert problems == []
    (annotated,) = dataset.images
    mask = rle_to_mask(annotated.objects[0].rle)
    assert np.array_equal(mask[30:37, 50:55], part)
    assert mask.sum() == part.sum()


def test_shapes_of_one_group_and_label_are_one_object(tmp_path: Path) -> None:
    other = [[x + 30, y] for x, y in SQUARE]
    dataset, _ = read(
        tmp_path,
        shape("polygon", SQUARE, group_id=1),
        shape("polygon", other, group_id=1),
        shape("polygon", other, group_id=1, label="dog"),
    )
    assert areas(dataset) == [("cat", 200), ("dog", 100)]


def test_points_and_lines_have_no_area_and_are_reported(tmp_path: Path) -> None:
    dataset, problems = read(
        tmp_path, shape("point", [[1, 1]]), shape("polygon", SQUARE), shape("polygon", [[1, 1]]), "x", shape("mask", [])
    )
    assert areas(dataset) == [("cat", 100)]
    assert sorted(problem.split(":")[0] for problem in problems) == [
        "shape 0",
        "shape 2",
        "shape 3 is 'x', wanted an object",
        "shape 4",
    ]
    assert any("shape_type is 'point', which has no area" in problem for problem in problems)


def test_a_file_without_a_size_is_reported(tmp_path: Path) -> None:
    _, problems = read(tmp_path, imageHeight=None)
    assert problems == ["imageHeight is None, wanted a whole number from 1 to 131072"]


@pytest.mark.parametrize(
    ("image_path", "name"),
    [("a.jpg", "a.jpg"), ("..\\pics\\b.jpg", "b.jpg"), ("/home/me/c.jpg", "c.jpg"), ("sub/d.jpg", "sub/d.jpg")],
)
def test_pictures_are_named_from_the_files_place(image_path: str, name: str, tmp_path: Path) -> None:
    dataset, _ = read(tmp_path, imagePath=image_path)
    assert [annotated.image.file_name for annotated in dataset.images] == [name]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such file or folder"):
        read_labelme(tmp_path / "missing")
