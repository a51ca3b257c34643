"""Tracks leave the app as files, for persons and for programs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from clickmask.decoder import DatasetError, PromptError
from clickmask.decoder.formats.registry import find_format
from clickmask.decoder.shapes import rle_to_mask
from tests.web.photos import open_library
from tests.web.video_clips import FRAMES, disc_centre, disc_picture, write_clip
from tests.web.video_page import Page, wait_for


def read_tracks(path: Path, file_format: str) -> dict[int, NDArray[np.bool_]]:
    """Masks of the only object by frame."""
    found = {}
    for annotated in find_format(file_format).read(path, None).images:  # type: ignore[arg-type]
        assert annotated.image.frame is not None
        for record in annotated.objects:
            found[annotated.image.frame] = rle_to_mask(record.rle)
    return found


def test_every_export_holds_the_tracks(page: Page, tmp_path: Path) -> None:
    page.click(1, 0)
    page.track()
    truth = {frame: page.mask(frame) for frame in range(FRAMES)}

    for frame, mask in read_tracks(page.export("youtube-vis"), "youtube-vis").items():
        assert (mask == truth[frame]).all()

    with zipfile.ZipFile(page.export("mots")) as packed:
        packed.extractall(tmp_path / "mots")
    lines = (tmp_path / "mots" / "clip.txt").read_text().splitlines()
    assert len(lines) == FRAMES
    for line in lines:
        number, _, _, height, width, counts = line.split()
        mask = coco_mask.decode({"size": [int(height), int(width)], "counts": counts.encode()})
        assert (mask == truth[int(number)]).all()

    with zipfile.ZipFile(page.export("coco")) as packed:
        packed.extractall(tmp_path / "coco")
    coco = COCO(str(tmp_path / "coco/annotations.json"))
    assert len(coco.imgs) == len(coco.anns) == FRAMES
    for image in coco.imgs.values():
        with Image.open(tmp_path / "coco" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
    tenth = np.asarray(Image.open(tmp_path / "coco/clip/00010.jpg"), int)
    assert np.abs(tenth - disc_picture(10)).mean() < 8

    with zipfile.ZipFile(page.export("yolo")) as packed:
        names = packed.namelist()
    assert sum(name.endswith(".jpg") for name in names) == FRAMES
    assert sum("labels/" in name and name.endswith(".txt") for name in names) == FRAMES

    with zipfile.ZipFile(page.export("label-studio")) as packed:
        (task,) = json.loads(packed.read("tasks.json"))
        assert b"<VideoRectangle" in packed.read("config.xml")
    (region,) = task["annotations"][0]["result"]
    assert region["value"]["framesCount"] == FRAMES
    assert region["value"]["sequence"][0]["frame"] == 1

    with av.open(str(page.export("mp4"))) as container:
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    assert len(pictures) == FRAMES
    x, y = (int(value) for value in disc_centre(10))
    assert np.abs(pictures[10][y, x].astype(int) - disc_picture(10)[y, x]).max() > 30  # tinted


def test_frames_become_photos_with_their_masks(page: Page, tmp_path: Path) -> None:
    page.click(1, 0)
    page.track()
    truth = page.mask(8)
    job = page.service.video_to_photos({"video": page.video, "every": 4})["job"]
    assert wait_for(page.service, job)["state"] == "done"
    folder = Path(page.service.jobs.job(job).message()["result"]["folder"])
    opened = open_library(folder, tmp_path / "home").folder(folder)
    assert [picture.name for picture in opened.pictures()] == [f"clip/{n:05d}.jpg" for n in range(0, FRAMES, 4)]
    third = opened.pictures()[2]
    (item,) = opened.project.objects(third.id)
    assert (rle_to_mask({"size": [120, 160], "counts": item.counts}) == truth).all()


def test_a_program_gets_the_tracks_as_a_file_and_touches_nobodys_work(page: Page) -> None:
    page.click(1, 0)
    prompts = [
        {"object": 5, "name": "disc", "frame": 10, "points": [[*disc_centre(10), 1]]},
        {"object": 5, "name": "disc", "frame": 3, "points": [[*disc_centre(3), 1]]},
    ]
    file = page.service.track_once(Path(page.video), prompts, "youtube-vis")
    tracks = json.loads(file.read_text())
    assert [category["name"] for category in tracks["categories"]] == ["disc"]
    assert all(segmentation for segmentation in tracks["annotations"][0]["segmentations"])
    assert page.lane() == "p" + "." * 19
    with pytest.raises(PromptError, match="there is no prompt"):
        page.service.track_once(Path(page.video), [], "mots")


def test_a_video_of_one_frame_is_answered_without_tracking(page: Page, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "one" / "short.mp4", frames=1)
    file = page.service.track_once(clip, [{"object": 1, "points": [[*disc_centre(0), 1]]}], "youtube-vis")
    assert len(json.loads(file.read_text())["annotations"][0]["segmentations"]) == 1


def test_a_program_is_told_what_is_wrong_before_anything_is_tracked(page: Page) -> None:
    prompt = {"object": 1, "points": [[*disc_centre(0), 1]]}
    with page.service.tracking.turn:  # no step can be made
        with pytest.raises(DatasetError, match="format is 'gif'"):
            page.service.track_once(Path(page.video), [prompt], "gif")
        with pytest.raises(PromptError, match="wanted a number as its object"):
            page.service.track_once(Path(page.video), [{"points": [[5, 5, 1]]}], "mots")
