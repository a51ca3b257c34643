"""MOTS text and YouTube-VIS JSON as others write them, and what the writers do at the edges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.mots.dataset import read_mots, write_mots
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.videos import group_videos
from clickmask.decoder.formats.youtube_vis.dataset import read_youtube_vis, write_youtube_vis
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle
from tests.decoder.formats.samples import content, sample_dataset, sample_video
from tests.decoder.formats.told import read_told

COUNTS = mask_to_rle(np.eye(3, dtype=bool))["counts"]


def mots(folder: Path, *lines: str) -> tuple[Dataset, list[str]]:
    path = folder / "0001.txt"
    path.write_text("\n".join(lines))
    return read_told(read_mots, path)


def test_kitti_lines_cars_pedestrians_and_regions_to_ignore(tmp_path: Path) -> None:
    lines = [f"0 1005 1 3 3 {COUNTS}", f"0 2001 2 3 3 {COUNTS}", f"2 10000 10 3 3 {COUNTS}"]
    dataset, problems = mots(tmp_path, *lines)
    names = dataset.category_names
    rows = [
        (image.image.video, image.image.frame, names[item.category_id], item.track_id, item.is_crowd)
        for image in dataset.images
        for item in image.objects
    ]
    assert rows == [
        ("0001", 0, "car", 1005, False),
        ("0001", 0, "pedestrian", 2001, False),
        ("0001", 2, "ignore", None, True),
    ]
    assert problems == []
    told: list[ClickMaskError] = []
    write_mots(dataset, tmp_path / "again", WriteOptions(on_problem=told.append))
    assert [str(one) for one in told] == [
        "image 0001/000000.png: object 1: is covered wholly by smaller ones, wanted at least one pixel"
    ]
    assert (tmp_path / "again" / "0001.txt").read_text().splitlines()[0] == lines[1]  # the car lies wholly below
    assert (tmp_path / "again" / "0001.txt").read_text().splitlines()[1] == lines[2]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 1001 1 3 3", "line 1: is '0 1001 1 3 3', wanted: frame id class height width counts"),
        ("\n\n0 1001 1 3 3", "line 3: is '0 1001 1 3 3'"),
        (f"-1 1001 1 3 3 {COUNTS}", "line 1: is '-1 1001"),
        (f"0 1001 1 3 4 {COUNTS}", "line 1: "),
        (f"0 5001 5 3 3 {COUNTS}", "line 1: the class is 5, wanted one of 1, 2"),
        ("0 1001 1 0 3 0", "line 1: "),
    ],
)
def test_broken_lines_are_reported(line: str, message: str, tmp_path: Path) -> None:
    dataset, problems = mots(tmp_path, line, f"0 1001 1 3 3 {COUNTS}")
    assert [problem[: len(message)] for problem in problems] == [message]
    assert sum(len(image.objects) for image in dataset.images) == 1


def test_tracks_get_numbers_of_their_class_and_keep_those_that_fit(tmp_path: Path) -> None:
    masks = [np.zeros((2, 5), bool) for _ in range(4)]
    for column, mask in enumerate(masks):
        mask[:, column] = True
    tracks = [4001, 7, None, 10_000]
    objects = tuple(
        ObjectRecord(number, 4, mask_to_rle(mask), track_id=track)
        for number, (mask, track) in enumerate(zip(masks, tracks, strict=True))
    )
    image = AnnotatedImage(ImageRecord(1, "v/0.png", Size(2, 5), "v", 0), objects)
    write_mots(Dataset((Category(4, "bus stop"),), [image], 1), tmp_path)
    written = [int(line.split()[1]) for line in (tmp_path / "v.txt").read_text().splitlines()]
    assert written == [4001, 4002, 4003, 4004]
    assert (tmp_path / "classes.txt").read_text() == "4 bus stop\n"
    assert read_mots(tmp_path).category_names == {4: "bus stop"}


def test_a_category_called_10_does_not_become_a_region_to_ignore(tmp_path: Path) -> None:
    dataset = replace(sample_video(), categories=tuple(replace(c, id=c.id + 2) for c in sample_video().categories))
    images = [
        replace(image, objects=tuple(replace(item, category_id=item.category_id + 2) for item in image.objects))
        for image in dataset.images
    ]
    write_mots(replace(dataset, images=images), tmp_path)  # ids 5, 9 and 10
    assert content(read_mots(tmp_path)) == content(sample_video())


def test_videos_come_together_from_any_order_of_images() -> None:
    dataset = sample_video()
    shuffled = replace(dataset, images=sorted(dataset.images, key=lambda annotated: -annotated.image.id))
    frames = {video.name: [annotated.image.frame for annotated in video.frames] for video in group_videos(shuffled)}
    assert frames == {"left": [0, 1, 2], "right": [0, 1, 2]}


def test_a_still_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    write_youtube_vis(sample_dataset(), tmp_path / "vis.json")
    videos = json.loads((tmp_path / "vis.json").read_text())["videos"]
    assert [video["length"] for video in videos] == [1, 1, 1]
    assert content(read_youtube_vis(tmp_path / "vis.json")) == content(sample_dataset())


def vis(folder: Path, **others: Any) -> tuple[Dataset, list[str]]:
    document = {
        "videos": [{"id": 3, "width": 3, "height": 3, "length": 2, "file_names": ["v/0.jpg", "v/1.jpg"]}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [track(1)],
    } | others
    path = folder / "vis.json"
    path.write_text(json.dumps(document))
    return read_told(read_youtube_vis, path)


def track(number: int, **others: Any) -> dict[str, Any]:
    segmentations = [None, {"size": [3, 3], "counts": COUNTS}]
    return {"id": number, "video_id": 3, "category_id": 1, "iscrowd": 0, "segmentations": segmentations} | others


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (track(8, video_id=9), "annotations 8: video_id is 9, which no video has"),
        (track(8, segmentations=[None]), "annotations 8: the number of segmentations is 1, wanted 2, one per frame"),
        (track(8, segmentations=[None, [[1, 2]]]), "annotations 8: frame 1: polygon has 2 numbers"),
        (track(8, category_id=9), "mask 2: category_id is 9, which no category has"),
        (5, "annotations: the record is 5"),
    ],
)
def test_broken_tracks_are_reported(broken: Any, message: str, tmp_path: Path) -> None:
    dataset, problems = vis(tmp_path, annotations=[track(1), broken])
    assert [problem[: len(message)] for problem in problems] == [message]
    rows = [(image.image.video, image.image.frame, len(image.objects)) for image in dataset.images]
    assert rows == [("v", 0, 0), ("v", 1, 1)]


def test_other_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"images": [1]}')
    with pytest.raises(DatasetError, match="holds no videos"):
        read_youtube_vis(path)


def test_a_video_whose_frames_differ_in_size_is_reported(tmp_path: Path) -> None:
    first, second, *_ = sample_video().images
    odd = replace(second, image=replace(second.image, size=Size(1, 1)), objects=())
    problems: list[ClickMaskError] = []
    options = WriteOptions(on_problem=problems.append)
    write_youtube_vis(replace(sample_video(), images=[first, odd]), tmp_path / "vis.json", options)
    assert [str(problem) for problem in problems] == ["video left has frames of 131x97 and 1x1, wanted one size"]
