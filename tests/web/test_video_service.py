from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from decoder import ClickMaskError, DatasetError, Engine, Model, PromptError, Size, VideoError
from decoder.errors import ConflictError
from decoder.formats.registry import find_format
from decoder.shapes import rle_to_mask
from tests.web import video_clips
from tests.web.photos import sample_folder, write_photo
from tests.web.video_clips import FRAMES, disc_centre, disc_mask, disc_picture, iou, write_clip, write_frames
from web import video_pictures
from web.incoming import adopt_labels
from web.jobs import Jobs
from web.library import Library
from web.runs import runs_to_mask
from web.samples import PHOTOS, sample_photo
from web.service import Service
from web.video_library import OPEN_VIDEOS
from web.video_service import VideoService

SIZE = Size(video_clips.HEIGHT, video_clips.WIDTH)


class VideoDesk(VideoService):
    """The service with the other page's look at jobs."""

    def job(self, name: str) -> dict[str, Any]:
        return self.jobs.job(name).message()


class Page:
    """What the video page does, without a browser."""

    def __init__(self, service: VideoDesk, video: Path) -> None:
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
        return Path(self.service.job(job)["result"]["path"])


def wait_for(service: VideoService, job: str) -> dict[str, Any]:
    for _ in range(1200):
        message = service.video_progress({"video": "", "job": job})
        if message["state"] != "running":
            return message
        time.sleep(0.05)
    raise AssertionError(f"job {job} did not end")


@pytest.fixture(scope="session")
def model(engine: Future[Engine]) -> Future[Model]:
    loaded: Future[Model] = Future()
    loaded.set_result(engine.result().model)
    return loaded


@pytest.fixture
def service(tmp_path: Path, model: Future[Model]) -> Iterator[VideoDesk]:
    made = make_service(tmp_path, model)
    yield made
    made.videos.close()


def make_service(place: Path, model: Future[Model]) -> VideoDesk:
    library = Library((place,), place / "home", adopt_labels)
    photo = sample_photo(PHOTOS[0])
    return VideoDesk(model, library, Jobs(), file_url=str, uploaded=Path, photo=photo)


@pytest.fixture
def page(service: VideoDesk, tmp_path: Path) -> Page:
    return Page(service, write_clip(tmp_path / "clip.mp4"))


def test_a_clicked_object_is_followed_to_both_ends(page: Page) -> None:
    answer = page.click(1, 8)
    assert iou(runs_to_mask(answer["runs"], SIZE), disc_mask(8)) > 0.6
    assert page.lane() == "." * 8 + "p" + "." * 11
    done = page.track()
    assert (done["state"], done["done"]) == ("done", 21)  # the prompted frame is passed both ways
    assert page.lane() == "s" * 8 + "p" + "s" * 11
    assert len(done["cells"]) == FRAMES - 1
    assert min(iou(page.mask(frame), disc_mask(frame)) for frame in range(FRAMES)) > 0.6


def test_a_run_can_be_stopped_and_what_was_tracked_stays(page: Page) -> None:
    page.click(1, 0)
    with page.service.tracking.turn:  # no step can be made
        job = page.service.video_track({"video": page.video})["job"]
        assert page.open()["job"] == job
        page.service.jobs.job(job).stop()
    assert wait_for(page.service, job)["state"] == "cancelled"
    assert set(page.lane()[2:]) == {"."}
    assert page.open()["job"] is None
    assert page.track()["state"] == "done"
    assert page.lane() == "p" + "s" * 19


def test_a_new_run_takes_the_place_of_the_one_under_way(page: Page) -> None:
    page.click(1, 0)
    with page.service.tracking.turn:
        first = page.service.video_track({"video": page.video})["job"]
        second = page.service.video_track({"video": page.video})["job"]
    assert wait_for(page.service, first)["state"] == "cancelled"
    assert wait_for(page.service, second)["state"] == "done"


def test_clicks_are_answered_while_another_video_is_tracked(page: Page) -> None:
    with page.service.tracking.turn:
        assert page.click(1, 0)["runs"]


def test_a_correction_outdates_what_follows_until_it_is_tracked_again(page: Page) -> None:
    page.click(1, 0)
    page.track()
    before = page.mask(5)
    page.say(1, 12, box=[20, 20, 60, 60])
    assert page.lane() == "p" + "s" * 11 + "p" + "S" * 7
    assert page.track()["done"] == 8
    assert page.lane() == "p" + "s" * 11 + "p" + "s" * 7
    assert (page.mask(5) == before).all()
    page.say(1, 12)  # nothing any more, as undo does
    assert page.lane() == "p" + "s" * 12 + "S" * 7
    assert iou(page.mask(12), disc_mask(12)) > 0.6  # the track below is still there


def test_clicks_on_a_tracked_frame_correct_the_mask_that_is_there(page: Page) -> None:
    page.click(1, 0)
    page.track()
    tracked = page.mask(10)
    less = page.say(1, 10, points=[[disc_centre(10)[0] + 10, 60.5, False]])  # taking away needs something there
    assert 0 < runs_to_mask(less["runs"], SIZE).sum() != tracked.sum()
    with pytest.raises(PromptError, match="nothing to take away"):
        page.say(2, 10, points=[[5, 5, False]])


def test_the_same_is_answered_the_same_whatever_was_asked_before(page: Page) -> None:
    first = page.click(1, 3)["runs"]
    page.say(1, 3, points=[[*disc_centre(3), True], [5, 5, False]])
    assert page.click(1, 3)["runs"] == first


def test_an_object_said_to_be_gone_is_not_on_that_frame(page: Page) -> None:
    page.click(1, 0)
    page.say(1, 10, absent=True)
    page.track()
    assert page.lane()[10] == "n"
    assert not page.mask(10).any()


def test_one_way_is_tracked_from_the_frame_on(page: Page) -> None:
    page.click(1, 10)
    page.track("backward", 10)
    assert page.lane() == "s" * 10 + "p" + "." * 9
    page.track("forward", 12)
    assert page.lane() == "s" * 10 + "p" + "s" * 9


def test_objects_are_renamed_removed_and_brought_back_with_their_tracks(page: Page) -> None:
    page.click(1, 0)
    page.click(2, 4)
    page.track()

    def change(**fields: Any) -> dict[str, Any]:
        message = {"video": page.video, "revision": page.revision, "object": 2, "name": "ball", **fields}
        answer = page.service.video_object(message)
        page.revision = answer["revision"]
        return answer

    assert [item["name"] for item in change()["objects"]] == ["object", "ball"]
    assert list(change(removed=True)["lanes"]) == ["1"]
    assert "2" not in page.service.video_masks({"video": page.video, "start": 9})["masks"]["9"]
    assert change()["lanes"]["2"]["letters"] == "s" * 4 + "p" + "s" * 15
    with pytest.raises(DatasetError, match="the name is empty"):
        change(name=" ")
    colours = {item["color"] for item in page.open()["objects"]}
    assert len(colours) == 2


def test_two_pages_on_one_video_never_overwrite_each_other(page: Page) -> None:
    other = Page(page.service, Path(page.video))
    page.click(1, 0)
    with pytest.raises(ConflictError, match="changed elsewhere"):
        other.click(1, 5)
    other.revision = page.revision
    other.click(2, 5)
    assert set(page.open()["prompts"]) == {"1", "2"}


def test_two_videos_do_not_mix(page: Page, tmp_path: Path) -> None:
    other = Page(page.service, write_clip(tmp_path / "other" / "clip.mp4", colour=(40, 60, 220)))
    page.click(1, 0)
    assert other.open()["objects"] == []
    other.click(1, 3)
    page.track()
    assert other.lane() == "...p" + "." * 16


def test_a_restarted_server_knows_everything(page: Page, tmp_path: Path, model: Future[Model]) -> None:
    page.click(1, 0)
    page.say(2, 4, box=[10, 30, 70, 90])
    page.track()
    before = page.open()
    masks = page.service.video_masks({"video": page.video, "start": 0, "count": FRAMES})
    page.service.videos.close()
    again = Page(make_service(tmp_path, model), Path(page.video))
    assert again.open() == before
    assert again.service.video_masks({"video": page.video, "start": 0, "count": FRAMES}) == masks
    changes = again.service.video_history({"video": page.video})["changes"]
    assert [(change["object"], change["frame"], change["is_new"]) for change in changes] == [(1, 0, True), (2, 4, True)]
    again.say(1, 10, points=[[*disc_centre(10), True]])
    assert again.track()["state"] == "done"
    assert "S" not in again.lane()


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
    monkeypatch.setattr(video_pictures, "KEPT_BYTES", 20_000)
    page.service.video_frames({"video": page.video, "start": 0, "count": FRAMES})
    pictures = page.service.videos.open(page.video).pictures
    assert 0 < sum(map(len, pictures._kept.values())) == pictures._bytes <= 20_000


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

    coco = COCO(str(page.export("coco")))
    assert len(coco.imgs) == len(coco.anns) == FRAMES
    assert {image["file_name"] for image in coco.imgs.values()} >= {"clip/00000.jpg", "clip/00019.jpg"}

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


def test_a_vanished_file_is_told_by_the_run(page: Page) -> None:
    page.click(1, 0)
    with page.service.tracking.turn:
        job = page.service.video_track({"video": page.video})["job"]
        Path(page.video).unlink()
    message = wait_for(page.service, job)
    assert message["state"] == "failed"
    assert "clip.mp4" in message["error"]


def test_a_replaced_video_is_not_taken_for_the_old_one(page: Page) -> None:
    page.click(1, 0)
    write_clip(Path(page.video), frames=7)
    with pytest.raises(DatasetError, match="with 7 frames, and was 160x120 with 20"):
        page.open()


def test_videos_and_folders_of_frames_are_found(service: VideoDesk, tmp_path: Path) -> None:
    write_clip(tmp_path / "b" / "walk.mp4", frames=3)
    write_frames(tmp_path / "a" / "run")
    write_clip(tmp_path / ".hidden" / "secret.mp4", frames=3)
    for name in ("cat.jpg", "dog.jpg", "dog2.jpg", "house.jpg"):
        write_photo(tmp_path / "photos" / name)
    answer = service.video_list({"folder": str(tmp_path)})
    assert [(entry["name"], entry["is_folder"], entry["begun"]) for entry in answer["videos"]] == [
        ("a/run", True, False),
        ("b/walk.mp4", False, False),
    ]
    for entry in answer["videos"]:
        assert service.video_thumbnail({"video": entry["path"]})["url"].startswith("data:image/jpeg")
    page = Page(service, tmp_path / "a" / "run")
    page.click(1, 2)
    assert service.video_list({"folder": str(tmp_path)})["videos"][0]["begun"]
    page.track()
    assert page.lane() == "ssp" + "sss"


def test_an_uploaded_video_is_copied_beside_the_others_if_it_can_be_read(service: VideoDesk, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    write_clip(folder / "my clip.mp4", frames=3)
    sent = write_clip(tmp_path / "uploads" / "x" / "blob.mp4", frames=4)
    added = service.video_add({"folder": str(folder), "path": str(sent), "name": "../my clip.mp4"})["video"]
    assert added == str(folder / "my clip-2.mp4")
    assert service.video_open({"video": added})["frames"] == 4
    (tmp_path / "uploads" / "note.mp4").write_text("hello")
    with pytest.raises(VideoError, match=r"^notes\.mp4 is not a video"):
        service.video_add({"folder": str(folder), "path": str(tmp_path / "uploads" / "note.mp4"), "name": "notes.mp4"})


def test_any_number_of_videos_can_be_worked_on_in_turns(service: VideoDesk, tmp_path: Path) -> None:
    pages = [Page(service, write_clip(tmp_path / f"{number}.mp4", frames=3)) for number in range(OPEN_VIDEOS + 2)]
    for page in pages:
        page.click(1, 1)
    assert len(service.videos._open) == OPEN_VIDEOS
    assert [page.lane() for page in pages] == [".p."] * len(pages)


def test_a_sample_clip_can_be_made(service: VideoDesk, tmp_path: Path) -> None:
    made = [service.video_sample({"folder": str(tmp_path)})["video"] for _ in range(2)]
    assert [Path(name).name for name in made] == ["sample-clip.mp4", "sample-clip-2.mp4"]
    opened = service.video_open({"video": made[0]})
    assert (opened["width"], opened["height"], opened["frames"]) == (480, 320, 60)


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


def test_both_pages_share_folder_and_jobs(tmp_path: Path, engine: Future[Engine], model: Future[Model]) -> None:
    """A photo is labeled while a video in the same folder waits in the middle of a run."""
    folder = sample_folder(tmp_path)
    library = Library((folder,), tmp_path / "home", adopt_labels)
    photos = Service(engine, library, start_folder=folder, model_name="nano", file_url=str, uploads=tmp_path)
    video = VideoDesk(
        model, library, photos.jobs, file_url=str, uploaded=photos.uploaded, photo=sample_photo(PHOTOS[0])
    )
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
