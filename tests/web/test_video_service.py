"""What the video page asks for and cannot have, and what it shares with the page of photos."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import ClickMaskError, DatasetError, Engine, Model, PromptError, VideoError
from clickmask.web.photos.samples import PHOTOS, sample_photo
from clickmask.web.photos.service import Service
from clickmask.web.video.service import VideoService
from tests.web.photos import open_library, sample_folder
from tests.web.video_clips import FRAMES, write_clip
from tests.web.video_page import Page, wait_for


def test_what_cannot_be_done_is_told(page: Page, tmp_path: Path) -> None:
    service, video = page.service, page.video
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    (tmp_path / "empty").mkdir()
    here: dict[str, Any] = {"video": video, "revision": 0, "object": 1, "frame": 0}
    wrong: list[tuple[Any, dict[str, Any], type[ClickMaskError], str]] = [
        (service.video_open, {"video": str(tmp_path / "broken.mp4")}, VideoError, "not a video"),
        (service.video_open, {"video": str(tmp_path / "gone.mp4")}, VideoError, "gone.mp4 is gone"),
        (service.video_open, {"video": str(tmp_path / "empty")}, VideoError, "holds no picture"),
        (service.video_open, {"video": "/etc/passwd"}, DatasetError, "outside the folders"),
        (service.video_thumbnail, {"video": "/etc/passwd"}, DatasetError, "outside the folders"),
        (service.video_frames, {"video": video, "start": FRAMES}, VideoError, "got a video of 20"),
        (service.video_frames, {"video": video, "start": 0, "count": 1000}, VideoError, "at most 64"),
        (service.video_track, {"video": video}, PromptError, "no object to follow yet"),
        (service.video_export, {"video": video}, VideoError, "nothing to export yet"),
        (service.video_prompt, {**here, "points": [[9999, 5, True]]}, PromptError, "outside the 160x120 image"),
        (service.video_prompt, {**here, "points": [["a", 5, True]]}, PromptError, "malformed"),
        (service.video_prompt, {**here, "box": [5, 5, 5]}, PromptError, "malformed"),
        (service.video_prompt, {**here, "frame": FRAMES, "absent": True}, VideoError, "frame 20 does not exist"),
    ]
    for function, message, error, text in wrong:
        with pytest.raises(error, match=text):
            function(message)
    assert page.open()["revision"] == 0  # nothing of it was kept
    page.click(1, 0)
    page.track()
    with pytest.raises(PromptError, match="everything is tracked already"):
        service.video_track({"video": video})
    with pytest.raises(PromptError, match="the way is 'sideways'"):
        service.video_track({"video": video, "way": "sideways"})
    with pytest.raises(DatasetError, match="format is 'gif'"):
        service.video_export({"video": video, "format": "gif"})


def test_both_pages_share_folder_and_jobs(tmp_path: Path, engine: Future[Engine], model: Future[Model]) -> None:
    """A photo is labeled while a video in the same folder waits in the middle of a run."""
    folder = sample_folder(tmp_path)
    library = open_library(folder, tmp_path / "home")
    photos = Service(engine, library, start_folder=folder, model_name="nano", file_url=str)
    video = VideoService(model, library, photos.jobs, file_url=str, photo=sample_photo(PHOTOS[0]))
    page = Page(video, write_clip(folder / "clip.mp4"))
    page.click(1, 0)
    with video.tracking.turn:
        job = video.video_track({"video": page.video})["job"]
        opened = photos.open_folder({"folder": str(folder)})
        assert len(opened["pictures"]) == len(PHOTOS)  # the clip is no picture
        here = {"folder": str(folder), "picture": opened["pictures"][0]["id"]}
        assert photos.segment({**here, "points": [[120, 120, True]]})["runs"]
        assert photos.job({"job": job})["state"] == "running"
        photos.stop_job({"job": job})
    assert wait_for(video, job)["state"] == "cancelled"
    library.close()
    video.videos.close()
