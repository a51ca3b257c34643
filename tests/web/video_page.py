"""What the video page does, without a browser."""

from __future__ import annotations

import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import Model, Size
from clickmask.web.browser_rle import runs_to_mask
from clickmask.web.jobs import Jobs
from clickmask.web.photos.samples import PHOTOS, sample_photo
from clickmask.web.video.service import VideoService
from tests.web.photos import open_library
from tests.web.video_clips import FRAMES, HEIGHT, WIDTH, disc_centre

SIZE = Size(HEIGHT, WIDTH)
PATIENCE = 600  # [s], however busy the machine is


class Page:
    """One open page, at one video."""

    def __init__(self, service: VideoService, video: Path) -> None:
        self.service = service
        self.video = str(video)
        self.revision = self.open()["revision"]

    def open(self) -> dict[str, Any]:
        return self.service.video_open({"video": self.video})

    def say(self, thing: int, frame: int, **said: Any) -> dict[str, Any]:
        message = {"video": self.video, "revision": self.revision, "object": thing, "frame": frame, **said}
        answer = self.service.video_prompt(message)
        self.revision = answer["revision"]
        return answer

    def click(self, thing: int, frame: int) -> dict[str, Any]:
        return self.say(thing, frame, points=[[*disc_centre(frame), True]])

    def track(self, way: str = "both", frame: int = 0) -> dict[str, Any]:
        job = self.service.video_track({"video": self.video, "way": way, "frame": frame})["job"]
        return wait_for(self.service, job)

    def lane(self, thing: int = 1) -> str:
        work = self.service.video_work({"video": self.video})
        letters: str = work["lanes"][str(thing)]["letters"]
        return letters

    def mask(self, frame: int, thing: int = 1) -> NDArray[np.bool_]:
        masks = self.service.video_masks({"video": self.video, "start": frame})["masks"][str(frame)]
        return runs_to_mask(masks[str(thing)], SIZE) if str(thing) in masks else np.zeros((120, 160), np.bool_)

    def export(self, file_format: str) -> Path:
        job = self.service.video_export({"video": self.video, "format": file_format})["job"]
        message = wait_for(self.service, job)
        assert message["state"] == "done", message
        assert message["done"] == message["total"] == FRAMES
        return Path(self.service.jobs.job(job).message()["result"]["path"])


def wait_for(service: VideoService, job: str) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        message = service.video_progress({"video": "", "job": job})
        if message["state"] != "running":
            return message
        time.sleep(0.05)
    raise AssertionError(f"job {job} did not end within {PATIENCE} s")


def make_service(place: Path, model: Future[Model]) -> VideoService:
    library = open_library(place, place / "home")
    photo = sample_photo(PHOTOS[0])
    return VideoService(model, library, Jobs(), file_url=str, photo=photo)
