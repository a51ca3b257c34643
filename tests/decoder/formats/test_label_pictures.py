"""Label pictures of 16 bit, and MOTS as pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.label_png.dataset import read_label_pictures, write_label_png, write_label_tiff
from clickmask.decoder.formats.mots.pictures import read_mots_png, write_mots_png
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import Category, Dataset
from clickmask.decoder.shapes import rle_area, rle_to_mask
from tests.decoder.formats.samples import content, sample_dataset, sample_video, write_pictures
from tests.decoder.formats.told import read_told


def test_every_object_has_a_number_of_16_bit(tmp_path: Path) -> None:
    write_label_png(sample_dataset(), tmp_path)
    picture = Image.open(tmp_path / "a.png")
    assert picture.mode == "I;16"
    first, *_ = sample_dataset().images
    expected = np.zeros((97, 131), int)
    for number, item in enumerate(first.objects, start=1):
        expected[rle_to_mask(item.rle)] = number
    assert np.array_equal(np.array(picture), expected)
    assert not np.array(Image.open(tmp_path / "day 1" / "empty.png")).any()


def test_tifffile_reads_our_tiff(tmp_path: Path) -> None:
    write_label_tiff(sample_dataset(), tmp_path)
    labels = tifffile.imread(tmp_path / "a.tif")
    assert (str(labels.dtype), labels.shape, int(labels.max())) == ("uint16", (97, 131), 4)


def test_names_are_those_of_the_photos_also_where_a_tool_added_an_ending(tmp_path: Path) -> None:
    photos = write_pictures(sample_dataset(), tmp_path / "photos")
    (photos / "a.png").rename(photos / "a.jpg")
    write_label_png(sample_dataset(), tmp_path / "labels")
    (tmp_path / "labels" / "a.png").rename(tmp_path / "labels" / "a_cp_masks.png")
    dataset = read_label_pictures(tmp_path / "labels", ReadOptions(images=photos))
    names = [annotated.image.file_name for annotated in dataset.images]
    assert names == ["a.jpg", "day 1/b.png", "day 1/empty.png"]
    assert [category.name for category in dataset.categories] == ["object"]
    assert [len(annotated.objects) for annotated in dataset.images] == [4, 1, 0]


def mots(folder: Path, numbers: list[list[int]]) -> Path:
    (folder / "instances" / "0002").mkdir(parents=True)
    Image.fromarray(np.array(numbers, np.uint16)).save(folder / "instances" / "0002" / "000007.png")
    return folder


def rows(dataset: Dataset) -> list[tuple[str, str, int | None, bool, int]]:
    names = dataset.category_names
    return [
        (annotated.image.file_name, names[item.category_id], item.track_id, item.is_crowd, rle_area(item.rle))
        for annotated in dataset.images
        for item in annotated.objects
    ]


def test_kitti_pictures_cars_pedestrians_and_regions_to_ignore(tmp_path: Path) -> None:
    path = mots(tmp_path, [[1005, 1005, 0], [2001, 10000, 10000]])
    dataset, problems = read_told(read_mots_png, path)
    assert rows(dataset) == [
        ("0002/000007.png", "car", 1005, False, 2),
        ("0002/000007.png", "pedestrian", 2001, False, 1),
        ("0002/000007.png", "ignore", None, True, 2),
    ]
    assert problems == []
    write_mots_png(dataset, tmp_path / "again")
    again = np.array(Image.open(tmp_path / "again" / "instances" / "0002" / "000007.png"))
    assert again.tolist() == [[1005, 1005, 0], [2001, 10000, 10000]]


def test_labels_beside_the_pictures_name_the_classes(tmp_path: Path) -> None:
    path = mots(tmp_path, [[1005, 2001, 3001]])
    (path / "instances" / "labels.txt").write_text("bus\ntram\n")
    dataset, problems = read_told(read_mots_png, path)
    assert [row[1] for row in rows(dataset)] == ["bus", "tram"]
    assert [problem.rpartition("000007.png: ")[2] for problem in problems] == [
        "track 3001: the class is 3, wanted one of 1, 2"
    ]


def test_frames_of_an_earlier_export_do_not_stay(tmp_path: Path) -> None:
    write_mots_png(sample_video(), tmp_path)
    short = replace(sample_video(), images=list(sample_video().images)[:1], image_count=1)
    write_mots_png(short, tmp_path)
    assert [path.name for path in sorted((tmp_path / "instances" / "left").iterdir())] == ["000000.png"]


def test_more_classes_than_16_bit_hold_are_refused(tmp_path: Path) -> None:
    many = replace(sample_video(), categories=tuple(Category(number, f"c{number}") for number in range(1, 70)))
    with pytest.raises(DatasetError, match="got 69 categories, MOTS pictures hold at most 63"):
        write_mots_png(many, tmp_path)


def test_objects_that_become_one_are_told(tmp_path: Path) -> None:
    first, *_ = sample_video().images
    crowds = replace(first, objects=tuple(replace(item, is_crowd=True, track_id=None) for item in first.objects))
    lost: list[str] = []
    options = WriteOptions(on_loss=lambda what, _where: lost.append(what))
    write_mots_png(replace(sample_video(), images=[crowds], image_count=1), tmp_path, options)
    assert lost == ["objects of one track, or to be ignored, which become one"]
    assert content(read_mots_png(tmp_path)).keys() == {"left/000000.png"}
