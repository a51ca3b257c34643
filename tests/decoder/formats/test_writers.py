"""What every format's writer does with names that clash, and with a folder that has been written before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.shapes import mask_to_rle
from tests.decoder.formats.samples import SIZE, content, sample_dataset, sample_video, write_pictures
from tests.decoder.formats.test_round_trips import KEEP_CONTENT


def frames_of_one_name() -> Dataset:
    """The first frame of two videos, both called 0.png."""
    images = [
        replace(annotated, image=replace(annotated.image, file_name="0.png"))
        for annotated in sample_video().images
        if annotated.image.frame == 0
    ]
    return replace(sample_video(), images=images, image_count=2)


@pytest.mark.parametrize("name", ["labelme", "png", "voc", "yolo"])
def test_an_image_is_not_written_over_another_of_its_name(name: str, tmp_path: Path) -> None:
    """LabelMe and VOC kept the last one only, and said nothing."""
    problems: list[ClickMaskError] = []
    pictures = write_pictures(frames_of_one_name(), tmp_path / "pictures")
    options = WriteOptions(images=pictures, on_problem=problems.append)
    FORMATS[name].write(frames_of_one_name(), tmp_path / "out", options)
    assert [str(problem).split(" share")[0] for problem in problems] == ["image 0.png and image 0.png"]
    back = FORMATS[name].read(tmp_path / "out", ReadOptions(images=pictures))
    first = next(iter(frames_of_one_name().images))
    assert [len(annotated.objects) for annotated in back.images] == [len(first.objects)]


@pytest.mark.parametrize("name", KEEP_CONTENT)
def test_what_is_written_again_is_not_mixed_with_what_was_there(name: str, tmp_path: Path) -> None:
    """PNG masks of the first time, whose numbers the second did not have, were read as objects too."""
    dataset = sample_dataset()
    renumbered = [
        replace(annotated, objects=tuple(replace(item, id=item.id + 1_000) for item in annotated.objects[:-1]))
        for annotated in dataset.images
    ]
    fewer = replace(dataset, images=renumbered)
    pictures = write_pictures(dataset, tmp_path / "pictures")
    target = tmp_path / f"out{FORMATS[name].suffix}"
    for once in (dataset, fewer):
        FORMATS[name].write(once, target, WriteOptions(images=pictures))
    assert content(FORMATS[name].read(target, ReadOptions(images=pictures))) == content(fewer)


@pytest.mark.parametrize("name", ["coco", "label-studio", "labelme", "yolo"])
def test_an_object_that_cannot_be_written_costs_no_other(name: str, tmp_path: Path) -> None:
    """COCO stopped there without saying at which object; LabelMe and YOLO left out the whole image."""
    problems: list[ClickMaskError] = []
    dataset = sample_dataset()
    pictures = write_pictures(dataset, tmp_path / "pictures")
    limits = WriteOptions(min_iou=0.99, max_points=4, tag="polygon", images=pictures, on_problem=problems.append)
    target = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(dataset, target, limits)
    failed = [str(problem).split(": min_iou and max_points do not go together")[0] for problem in problems]
    ragged = ["image a.png: object 100", "image a.png: object 101", "image a.png: object 103"]
    assert failed == [*ragged, "image day 1/b.png: object 200"]
    back = FORMATS[name].read(target, ReadOptions(images=pictures))
    assert {annotated.image.file_name: len(annotated.objects) for annotated in back.images} == {
        "a.png": 1,
        "day 1/b.png": 0,
        "day 1/empty.png": 0,
    }


def test_a_task_none_of_whose_objects_could_be_written_does_not_count_as_done(tmp_path: Path) -> None:
    first, *_ = sample_dataset().images
    nothing = replace(first.objects[0], rle=mask_to_rle(np.zeros((SIZE.height, SIZE.width), bool)))
    images = [replace(first, objects=(nothing,))]
    FORMATS["label-studio"].write(
        replace(sample_dataset(), images=images), tmp_path / "out.json", WriteOptions(tag="polygon")
    )
    (task,) = json.loads((tmp_path / "out.json").read_text())
    assert task.keys() == {"id", "data"}
