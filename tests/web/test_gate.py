"""Nothing outside the roots can be read, whatever is asked of the running app."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import ClickMaskError, DatasetError, Engine, ImageError, Model, VideoError
from clickmask.web.gate import Gate, admitted_name
from clickmask.web.photos.samples import PHOTOS, sample_photo
from clickmask.web.photos.service import Service
from clickmask.web.start import Services, file_url
from clickmask.web.video.service import VideoService
from tests.web.inotify import Watch
from tests.web.photos import open_library, write_photo
from tests.web.running_app import Caller, served
from tests.web.video_clips import write_clip, write_frames

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SECRET = "SECRETCLASS"


class Keys(dict[str, Any]):
    """A message that remembers what was read of it."""

    def __init__(self, message: dict[str, Any]) -> None:
        super().__init__(message)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write_photo(folder / "a.png")
    write_clip(folder / "clip.mp4", frames=3)
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Private things, of every kind the app can read."""
    folder = write_frames(tmp_path / "private")
    write_clip(folder / "clip.mp4", frames=3)
    (folder / "notes.txt").write_text(SECRET)
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
        "categories": [{"id": 1, "name": SECRET}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 5, 9, 9], "segmentation": []}],
    }
    (folder / "coco.json").write_text(json.dumps(coco))
    return folder


@pytest.fixture
def caller(tmp_path: Path, root: Path, engine: Future[Engine], model: Future[Model]) -> Iterator[Caller]:
    library = open_library(root, tmp_path / "home")
    photos = Service(engine, library, start_folder=root, model_name="nano", file_url=file_url)
    video = VideoService(model, library, photos.jobs, file_url=file_url, photo=sample_photo(PHOTOS[0]))
    services = Services(photos, video)
    with served(services, tmp_path / "home") as (demo, url):
        calls = Caller(demo, url)
        yield calls
        calls.close()
    services.close()


def ways_out(root: Path, outside: Path) -> list[str]:
    """Texts that name what lies outside."""
    link = root / "link"
    link.symlink_to(outside)
    (root / "link.png").symlink_to(outside / "frame000.png")
    (root / "link.mp4").symlink_to(outside / "clip.mp4")
    files = [outside, outside / "frame000.png", outside / "clip.mp4", outside / "notes.txt", outside / "coco.json"]
    named = [str(file) for file in files]
    around = [f"{root}/../{outside.name}", f"{root}/../{outside.name}/clip.mp4", os.path.relpath(outside)]
    return [*named, *around, str(link), str(link / "coco.json"), str(root / "link.mp4")]


def good_message(root: Path) -> dict[str, Any]:
    """Something every function can use."""
    return {
        "folder": str(root), "path": str(root), "picture": 1, "video": str(root / "clip.mp4"), "object": 1, "frame": 0,
        "points": [[30, 20, True]], "revision": 0, "changes": [], "pictures": [1], "files": [], "categories": [],
        "name": "a.png", "job": "none", "status": "todo", "start": 0, "format": "coco", "runs": "", "rings": [],
    }  # fmt: skip


def test_no_function_of_the_page_opens_what_lies_outside(caller: Caller, root: Path, outside: Path) -> None:
    """Every function, every key that it reads: a new one cannot forget the gate."""
    ways, good = ways_out(root, outside), good_message(root)
    watch = Watch(outside)
    assert len(caller.functions) > 30
    for name, function in caller.functions.items():
        keys = Keys(good)
        function(keys)
        assert not watch.opened()
        for key in keys.read:
            for way in ways:
                for bad in (way, [way], {"path": way}, [{"path": way, "name": "a.png"}]):
                    answer = caller.ask(name, {**good, key: bad})
                    assert (name, key, bad, watch.opened()) == (name, key, bad, [])
                    assert SECRET not in answer
    assert (outside / "notes.txt").read_text()
    assert watch.opened() == [outside / "notes.txt"]  # the watch sees what is opened
    watch.close()


def test_no_endpoint_for_programs_opens_what_lies_outside(caller: Caller, root: Path, outside: Path) -> None:
    watch = Watch(outside)
    tried = 0
    prompts = [{"object": 1, "name": "x", "frame": 0, "points": [[30, 20, 1]]}]
    usual = {"folder": str(root), "prompts": prompts, "video": str(root / "clip.mp4"), "picture": "a.png"}
    for name, endpoint in caller.endpoints.items():
        parameters = endpoint["parameters"]
        good = [usual.get(one["parameter_name"], one.get("parameter_default") or "") for one in parameters]
        for place, _ in enumerate(parameters):
            for way in ways_out_once(root, outside):
                for bad in (way, {"path": way}, {"path": way, "meta": {"_type": "gradio.FileData"}}):
                    answer = caller.call(name, [*good[:place], bad, *good[place + 1 :]])
                    assert (name, place, bad, watch.opened()) == (name, place, bad, [])
                    assert SECRET not in answer
                    tried += 1
    assert tried > 300
    watch.close()


def ways_out_once(root: Path, outside: Path) -> list[str]:
    if not (root / "link").exists():
        ways_out(root, outside)
    return [str(outside), str(outside / "clip.mp4"), str(outside / "coco.json"), str(root / "link.mp4"),
            f"{root}/../{outside.name}", str(outside / "notes.txt")]  # fmt: skip


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    (tmp_path / "root").mkdir(exist_ok=True)
    (tmp_path / "up").mkdir()
    return Gate.of(tmp_path / "root", uploads=tmp_path / "up")


@pytest.mark.parametrize("named", ["/etc", "root/../..", "a\0b", "\udcff", "", None, 7, {"path": "/etc"}, ["/etc"]])
def test_what_is_no_folder_below_a_root_is_refused_with_a_sentence(gate: Gate, named: object) -> None:
    with pytest.raises(DatasetError):
        gate.folder(named)
    with pytest.raises(ClickMaskError):
        gate.video(named)
    with pytest.raises(DatasetError):
        gate.upload(named)


def test_a_link_out_of_the_roots_is_refused_and_one_inside_is_followed(gate: Gate, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_photo(tmp_path / "private.png")
    write_photo(root / "deep/a.png")
    (root / "out.png").symlink_to(tmp_path / "private.png")
    (root / "in.png").symlink_to(root / "deep/a.png")
    with pytest.raises(ImageError, match=r"out\.png leads out of the folders"):
        gate.picture(root, "out.png")
    with pytest.raises(ImageError, match="leads out"):
        gate.picture(root, "../private.png")
    assert gate.picture(root, "in.png").exists()
    with pytest.raises(VideoError, match="is gone"):
        gate.video(root / "nothing.mp4")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("v.html", "wanted .mp4"),
        (".clickmask", "wanted .mp4"),
        ("", "a file without a name"),
        ("a\nb.mp4", r"a\?b.mp4 is not added: wanted a name without control"),
        (".hidden.mp4", "does not begin with a dot"),
        ("x" * 300 + ".mp4", "at most 200 bytes"),
    ],
)
def test_names_that_files_may_not_get(named: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        admitted_name(named, {".mp4"})


def test_only_the_last_part_of_a_name_counts() -> None:
    assert admitted_name("../../C:\\clips\\My Clip.MP4", {".mp4"}) == "My Clip.MP4"
