"""What the backend's tests share: the recorded requests, pictures, a Label Studio, a backend."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder import Engine
from clickmask.plugin.build import Backend, build_backend
from clickmask.plugin.labels import label_config
from clickmask.plugin.settings import Settings
from tests.plugin.clips import CLIP, write_clip
from tests.plugin.discs import disc_model
from tests.plugin.studio_server import LEGACY, Studio, running_studio
from tests.plugin.waiting import PATIENCE

DATA = Path(__file__).parents[1] / "data" / "label_studio"
RECORDED_IMAGE = "/data/upload/1/40badb0e-cheetah.jpg"

Body = dict[str, Any]


def recorded(name: str) -> Body:
    """A request that the real Label Studio sent."""
    body: Body = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return body


def picture(brightness: int = 120, width: int = 502, height: int = 343) -> bytes:
    """A PNG of one colour."""
    stream = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), brightness, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def studio() -> Iterator[Studio]:
    """A Label Studio that has the recorded task's image."""
    with running_studio() as running:
        running.files[RECORDED_IMAGE] = picture()
        yield running


@pytest.fixture
def make_backend(tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Make backends around the disc network; settings by name."""
    made: list[Backend] = []

    def make(load: Callable[[str], Engine] = lambda _: Engine(disc_model()), **settings: Any) -> Backend:
        made.append(build_backend(Settings(data_dir=tmp_path / "data", **settings), load))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def backend(make_backend: Callable[..., Backend], studio: Studio) -> Backend:
    """A backend to which the recorded project has introduced itself, on the running Label Studio."""
    made = make_backend(model="nano", predict_seconds=3_600)
    made.predictor.setup(setup_body(studio))
    return made


def setup_body(studio: Studio, **changes: Any) -> Body:
    """The recorded /setup, on this Label Studio."""
    return recorded("setup") | {"hostname": studio.url, "access_token": LEGACY} | changes


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A video of two squares."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4").read_bytes()


@pytest.fixture
def video_studio(studio: Studio, clip: bytes) -> Studio:
    """A Label Studio that has the clip."""
    studio.files[CLIP] = clip
    return studio


@pytest.fixture
def video_backend(make_backend: Callable[..., Backend], video_studio: Studio) -> Backend:
    """A backend to which a project of videos has introduced itself; it answers when all is tracked."""
    return ready(make_backend(track_seconds=PATIENCE), video_studio)


def ready(made: Backend, studio: Studio) -> Backend:
    """The backend, when a project of videos has introduced itself to it."""
    made.predictor.setup(setup_body(studio, schema=label_config("video")))
    return made
