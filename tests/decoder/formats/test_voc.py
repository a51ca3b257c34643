"""Pascal VOC masks as others write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.voc.dataset import read_voc, write_voc
from clickmask.decoder.formats.voc.palette import voc_palette
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle, rle_area


def save(path: Path, labels: NDArray[np.uint8], mode: str = "P") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels)
    picture.putpalette(voc_palette().tobytes())
    picture.convert(mode).save(path)


def found(dataset: Dataset) -> list[tuple[str, str, int]]:
    names = dataset.category_names
    return [
        (annotated.image.file_name, names[item.category_id], rle_area(item.rle))
        for annotated in dataset.images
        for item in annotated.objects
    ]


CLASSES = np.array([[12, 12, 255, 0], [12, 255, 15, 15]], np.uint8)
OBJECTS = np.array([[1, 1, 255, 0], [1, 255, 2, 3]], np.uint8)


@pytest.mark.parametrize("mode", ["P", "RGB"])
def test_vocs_own_classes_are_known_and_borders_are_void(mode: str, tmp_path: Path) -> None:
    save(tmp_path / "SegmentationClass" / "2007_000032.png", CLASSES, mode)
    save(tmp_path / "SegmentationObject" / "2007_000032.png", OBJECTS, mode)
    name = "2007_000032.jpg"
    assert sorted(found(read_voc(tmp_path))) == [(name, "dog", 3), (name, "person", 1), (name, "person", 1)]


def test_without_object_masks_a_class_is_an_object(tmp_path: Path) -> None:
    save(tmp_path / "SegmentationClass" / "a.png", CLASSES)
    assert found(read_voc(tmp_path)) == [("a.jpg", "dog", 3), ("a.jpg", "person", 2)]


def test_a_labelmap_names_other_classes_and_colours(tmp_path: Path) -> None:
    (tmp_path / "SegmentationClass").mkdir()
    colors = np.array([[[10, 20, 30], [0, 0, 0]], [[0, 9, 0], [0, 9, 0]]], np.uint8)
    Image.fromarray(colors).save(tmp_path / "SegmentationClass" / "a.png")
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nleaf:0,9,0::\nbug:10,20,30::\n"
    )
    assert sorted(found(read_voc(tmp_path))) == [("a.jpg", "bug", 1), ("a.jpg", "leaf", 2)]


def test_the_pictures_own_suffix_is_found(tmp_path: Path) -> None:
    save(tmp_path / "SegmentationClass" / "a.png", CLASSES)
    save(tmp_path / "JPEGImages" / "a.webp", CLASSES, "RGB")
    assert {name for name, _, _ in found(read_voc(tmp_path))} == {"a.webp"}


def test_broken_pictures_are_reported_and_the_rest_is_kept(tmp_path: Path) -> None:
    save(tmp_path / "SegmentationClass" / "a.png", np.full((2, 2), 77, np.uint8))
    (tmp_path / "SegmentationClass" / "b.png").write_bytes(b"no picture")
    save(tmp_path / "SegmentationClass" / "c.png", CLASSES)
    save(tmp_path / "SegmentationObject" / "c.png", OBJECTS[:1])
    save(tmp_path / "SegmentationClass" / "d.png", CLASSES)
    problems: list[ClickMaskError] = []
    dataset = read_voc(tmp_path, ReadOptions(on_problem=problems.append))
    assert {name for name, _, _ in found(dataset)} == {"d.jpg"}
    told = [str(problem) for problem in problems]
    assert "has the label 77, wanted one of the 20 classes" in told[0]
    assert "not a picture that can be read" in told[1]
    assert "is not as large as" in told[2]


@pytest.mark.parametrize("line", ["cat:1,2::", "cat:1,2,300::", ":1,2,3::", "cat:a,b,c::"])
def test_a_malformed_labelmap_is_explained(line: str, tmp_path: Path) -> None:
    (tmp_path / "SegmentationClass").mkdir()
    (tmp_path / "labelmap.txt").write_text(line)
    with pytest.raises(DatasetError, match=r"line 1 is .* wanted name:red,green,blue::"):
        read_voc(tmp_path)


def test_what_voc_cannot_hold_is_refused(tmp_path: Path) -> None:
    rle = [mask_to_rle(np.arange(256).reshape(16, 16) == number) for number in range(255)]
    objects = tuple(ObjectRecord(number, 1, rle[number]) for number in range(255))
    crowded = Dataset((Category(1, "a"),), [AnnotatedImage(ImageRecord(1, "a.jpg", Size(16, 16)), objects)], 1)
    problems: list[ClickMaskError] = []
    write_voc(crowded, tmp_path / "one", WriteOptions(on_problem=problems.append))
    assert [str(problem) for problem in problems] == ["image a.jpg has 255 objects, VOC holds 254"]
    many = replace(crowded, categories=tuple(Category(number, str(number)) for number in range(255)), images=[])
    with pytest.raises(DatasetError, match="got 255 categories, a VOC mask holds at most 254"):
        write_voc(many, tmp_path / "two")
    with pytest.raises(DatasetError, match="has a colon or a line break"):
        write_voc(replace(crowded, categories=(Category(1, "a:b"),)), tmp_path / "three")


def test_a_picture_that_could_not_be_written_is_not_listed(tmp_path: Path) -> None:
    rle = [mask_to_rle(np.arange(256).reshape(16, 16) == number) for number in range(255)]
    images = [
        AnnotatedImage(
            ImageRecord(number, f"{number}.jpg", Size(16, 16)),
            tuple(ObjectRecord(1_000 * number + index, 1, rle[index]) for index in range(count)),
        )
        for number, count in ((1, 255), (2, 1))
    ]
    problems: list[ClickMaskError] = []
    write_voc(Dataset((Category(1, "a"),), images, 2), tmp_path, WriteOptions(on_problem=problems.append))
    assert [str(problem) for problem in problems] == ["image 1.jpg has 255 objects, VOC holds 254"]
    assert (tmp_path / "ImageSets" / "Segmentation" / "default.txt").read_text() == "2\n"
