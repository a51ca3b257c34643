"""The service on the sample photos, with the model in the box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import Engine, Model, load_model
from clickmask.web.photos.service import Service
from clickmask.web.video.service import VideoService
from tests.web.photos import open_library, sample_folder
from tests.web.video_clips import write_clip
from tests.web.video_page import Page, make_service

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def engine() -> Future[Engine]:
    loaded: Future[Engine] = Future()
    loaded.set_result(Engine(load_model("nano")))
    return loaded


@pytest.fixture
def service(tmp_path: Path, engine: Future[Engine]) -> Iterator[Service]:
    folder = sample_folder(tmp_path)
    library = open_library(folder, tmp_path / "home")
    yield Service(engine, library, start_folder=folder, model_name="nano", file_url=str)
    library.close()


@pytest.fixture(scope="session")
def model(engine: Future[Engine]) -> Future[Model]:
    loaded: Future[Model] = Future()
    loaded.set_result(engine.result().model)
    return loaded


@pytest.fixture
def videos(tmp_path: Path, model: Future[Model]) -> Iterator[VideoService]:
    made = make_service(tmp_path, model)
    yield made
    made.videos.close()


@pytest.fixture
def page(videos: VideoService, tmp_path: Path) -> Page:
    return Page(videos, write_clip(tmp_path / "clip.mp4"))
