"""Videos are found, added, opened and shown."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder import DatasetError, VideoError
from clickmask.decoder.video import Frame, open_video
from clickmask.web.video import frame_pictures as video_pictures
from clickmask.web.video.library import OPEN_VIDEOS
from clickmask.web.video.service import VideoService
from tests.web.photos import write_photo
from tests.web.video_clips import FRAMES, disc_picture, write_clip, write_frames
from tests.web.video_page import Page


def test_frames_are_those_of_the_file_in_any_order(page: Page) -> None:
    def picture(frame: int, **more: Any) -> NDArray[np.uint8]:
        (url,) = page.service.video_frames({"video": page.video, "start": frame, **more})["urls"]
        data = base64.b64decode(url.split(",")[1])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    for frame in (13, 14, 3, 19, 0):
        assert np.abs(picture(frame).astype(int) - disc_picture(frame)).mean() < 6
    assert picture(3, longest=80).shape == (60, 80, 3)
    several = page.service.video_frames({"video": page.video, "start": 15, "count": 60})["urls"]
    assert len(several) == 5


def test_pictures_are_kept_within_a_budget(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    encode = video_pictures._jpeg

    def counted(frame: Frame, longest: int) -> bytes:
        made.append(frame.index)
        return encode(frame, longest)

    monkeypatch.setattr(video_pictures, "_jpeg", counted)
    size = len(video_pictures.FramePictures(open_video(Path(page.video))).read(range(1), 640)[0])
    monkeypatch.setattr(video_pictures, "KEPT_BYTES", 3 * size)
    pictures = video_pictures.FramePictures(open_video(Path(page.video)))
    made.clear()
    pictures.read(range(FRAMES), 640)
    pictures.read(range(FRAMES - 1, FRAMES), 640)
    assert made == list(range(FRAMES))
    pictures.read(range(1), 640)
    assert made[FRAMES:] == [0]


def test_videos_and_folders_of_frames_are_found(videos: VideoService, tmp_path: Path) -> None:
    write_clip(tmp_path / "b" / "walk.mp4", frames=3)
    write_frames(tmp_path / "a" / "run")
    write_clip(tmp_path / ".hidden" / "secret.mp4", frames=3)
    for name in ("cat.jpg", "dog.jpg", "dog2.jpg", "house.jpg"):
        write_photo(tmp_path / "photos" / name)
    answer = videos.video_list({"folder": str(tmp_path)})
    assert [(entry["name"], entry["is_folder"], entry["begun"]) for entry in answer["videos"]] == [
        ("a/run", True, False),
        ("b/walk.mp4", False, False),
    ]
    for entry in answer["videos"]:
        assert videos.video_thumbnail({"video": entry["path"]})["url"].startswith("data:image/jpeg")
    page = Page(videos, tmp_path / "a" / "run")
    page.click(1, 2)
    assert videos.video_list({"folder": str(tmp_path)})["videos"][0]["begun"]
    page.track()
    assert page.lane() == "ssp" + "sss"


def test_an_uploaded_video_is_copied_beside_the_others_if_it_can_be_read(videos: VideoService, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    write_clip(folder / "my clip.mp4", frames=3)
    sent = write_clip(tmp_path / "uploads" / "x" / "blob.mp4", frames=4)
    added = videos.video_add({"folder": str(folder), "path": str(sent), "name": "../my clip.mp4"})["video"]
    assert added == str(folder / "my clip-2.mp4")
    assert videos.video_open({"video": added})["frames"] == 4
    (tmp_path / "uploads" / "note.mp4").write_text("hello")
    with pytest.raises(VideoError, match=r"^notes\.mp4 is not a video"):
        videos.video_add({"folder": str(folder), "path": str(tmp_path / "uploads" / "note.mp4"), "name": "notes.mp4"})


def test_a_sample_clip_can_be_made(videos: VideoService, tmp_path: Path) -> None:
    made = [videos.video_sample({"folder": str(tmp_path)})["video"] for _ in range(2)]
    assert [Path(name).name for name in made] == ["sample-clip.mp4", "sample-clip-2.mp4"]
    opened = videos.video_open({"video": made[0]})
    assert (opened["width"], opened["height"], opened["frames"]) == (480, 320, 60)


def test_any_number_of_videos_can_be_worked_on_in_turns(videos: VideoService, tmp_path: Path) -> None:
    pages = [Page(videos, write_clip(tmp_path / f"{number}.mp4", frames=3)) for number in range(OPEN_VIDEOS + 2)]
    for page in pages:
        page.click(1, 1)
    assert len(videos.videos._open) == OPEN_VIDEOS
    assert [page.lane() for page in pages] == [".p."] * len(pages)


def test_a_replaced_video_is_not_taken_for_the_old_one(page: Page) -> None:
    page.click(1, 0)
    write_clip(Path(page.video), frames=7)
    with pytest.raises(DatasetError, match="with 7 frames, and was 160x120 with 20"):
        page.open()
