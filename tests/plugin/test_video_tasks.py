"""Video tasks from the request to the answer: tracked in time or as far as it got, and every way it can fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from decoder import VideoError
from decoder.prompts import Box
from decoder.track.keyframes import box_iou
from plugin import video_answers
from plugin.build import Backend
from plugin.commands import open_project, prelabel
from plugin.errors import BusyError, FetchError, RefusedError, RequestError, TooLargeError
from plugin.labels import label_config
from plugin.tracking import Track, follow
from tests.plugin.clips import HEIGHT, SIDE, WIDTH, square, write_clip
from tests.plugin.conftest import Body, picture, recorded, setup_body
from tests.plugin.server import serving
from tests.plugin.studio_server import LEGACY, Studio
from tests.plugin.test_video import shown

MakeBackend = Callable[..., Backend]
CLIP = "/data/upload/1/clip.mp4"
PICTURES = 24
PATIENCE = 600  # [s], however busy the machine is


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", PICTURES).read_bytes()


@pytest.fixture
def video_studio(studio: Studio, clip: bytes) -> Studio:
    """A Label Studio that has the clip."""
    studio.files[CLIP] = clip
    return studio


@pytest.fixture
def backend(make_backend: MakeBackend, video_studio: Studio) -> Backend:
    return ready(make_backend(track_seconds=PATIENCE), video_studio)


def ready(made: Backend, studio: Studio) -> Backend:
    """A backend to which the project has introduced itself."""
    made.predictor.setup(setup_body(studio, schema=label_config("video")))
    return made


def drawn(number: int = 0, frame: int = 1, *, name: str = "", label: str = "Animal", **more: Any) -> Body:
    """A box around a square of the clip, drawn on a frame."""
    box = square(number, frame - 1)
    place = {"x": 100 * box.x0 / WIDTH, "y": 100 * box.y0 / HEIGHT}
    place |= {"width": 100 * SIDE / WIDTH, "height": 100 * SIDE / HEIGHT}
    keyframe = {"frame": frame, "enabled": True, "rotation": 0, "time": frame / 25} | place
    value = {"framesCount": PICTURES, "duration": PICTURES / 25, "sequence": [keyframe], "labels": [label]}
    names = {"from_name": "box", "to_name": "video", "type": "videorectangle", "origin": "manual"}
    return {"value": value, "id": name or f"region{number}"} | names | more


def task(number: int = 1, video: str = CLIP, **more: Any) -> Body:
    return {"id": number, "project": 1, "data": {"video": video}, "annotations": [], "predictions": []} | more


def asked(*regions: Body, config: str = "", of: Body | None = None) -> Body:
    """A request as the page sends it when a label is picked for a selected region."""
    body = recorded("click") | {"label_config": config or label_config("video"), "tasks": [of or task()]}
    return body | {"params": {"login": None, "password": None, "context": {"result": list(regions)}}}


def unprompted(*tasks: Body) -> Body:
    body = recorded("task_opened")
    return body | {"label_config": label_config("video"), "tasks": list(tasks)}


def answer(backend: Backend, body: Body) -> Body:
    (result,) = backend.predictor.predict(body).body["results"]
    return dict(result)


def on_frame(region: Body, frame: int) -> Box | None:
    """What the page draws [px]; ``shown`` knows a video of 400x100."""
    box = shown(region, frame)
    if box is None:
        return None
    return Box(box.x0 * WIDTH / 400, box.y0 * HEIGHT / 100, box.x1 * WIDTH / 400, box.y1 * HEIGHT / 100)


def overlaps(region: Body, number: int, frames: Sequence[int]) -> list[float]:
    """How well the track fits the square, frame by frame."""
    found = [(on_frame(region, frame), square(number, frame - 1)) for frame in frames]
    return [0.0 if box is None else box_iou(box, truth) for box, truth in found]


class Gate:
    """Stands in for ``follow`` and lets pictures through when the test says so."""

    def __init__(self) -> None:
        self._open = threading.Semaphore(0)

    def __call__(self, model: Any, video: Any, tracks: Sequence[Track], before_frame: Callable[[], None]) -> None:
        def wait() -> None:
            before_frame()
            assert self._open.acquire(timeout=PATIENCE)

        follow(model, video, tracks, wait)

    def let(self, pictures: int) -> None:
        """Let so many pictures be looked at."""
        self._open.release(pictures)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setattr(video_answers, "follow", made)
    yield made
    made.let(1000)


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_several_objects_are_followed_through_the_whole_video(backend: Backend, video_studio: Studio) -> None:
    found = answer(backend, asked(drawn(0), drawn(1, label="Thing")))
    assert found["tracking"] == {"state": "done", "objects": 2, "pictures": "24/24"}
    assert 0 < found["score"] <= 1
    for number, region in enumerate(found["result"]):
        assert region["id"] == f"region{number}"
        assert min(overlaps(region, number, range(1, PICTURES + 1))) > 0.75
    assert [region["value"]["labels"] for region in found["result"]] == [["Animal"], ["Thing"]]
    assert video_studio.asked(CLIP) == [f"Token {LEGACY}"]


def test_the_request_of_the_real_page_is_answered(make_backend: MakeBackend, studio: Studio, clip: bytes) -> None:
    """Recorded when a person drew a box and picked labels; the video behind it is another one here."""
    body = recorded("video_box")
    studio.files[body["tasks"][0]["data"]["video"]] = clip
    backend = make_backend(track_seconds=PATIENCE)
    backend.predictor.setup(setup_body(studio, project=body["project"], schema=body["label_config"]))
    (region,) = answer(backend, body)["result"]
    (sent,) = body["params"]["context"]["result"]
    assert {name: region[name] for name in ("id", "from_name", "to_name", "type", "origin")} == {
        name: sent[name] for name in ("id", "from_name", "to_name", "type", "origin")
    }
    assert region["value"]["sequence"][0] == sent["value"]["sequence"][0]
    assert (region["value"]["framesCount"], region["value"]["labels"]) == (PICTURES, ["Animal"])


def test_a_box_on_a_later_frame_is_followed_both_ways(backend: Backend, video_studio: Studio) -> None:
    (region,) = answer(backend, asked(drawn(0, frame=12)))["result"]
    assert min(overlaps(region, 0, range(1, PICTURES + 1))) > 0.75
    backend.predictor.setup(setup_body(video_studio, schema=label_config("video"), extra_params={"track": "forward"}))
    (region,) = answer(backend, asked(drawn(0, frame=12)))["result"]
    assert on_frame(region, 11) is None
    assert min(overlaps(region, 0, range(12, PICTURES + 1))) > 0.75


def test_a_second_time_nothing_is_fetched_or_tracked(backend: Backend, video_studio: Studio) -> None:
    first = answer(backend, asked(drawn(0)))
    (again,) = answer(backend, asked(first["result"][0]))["result"]
    assert again == first["result"][0]
    assert backend.metrics.text().decode().count("clickmask_tracks_kept 1.0") == 1
    assert len(video_studio.asked(CLIP)) == 1


def test_a_correction_is_tracked_anew_and_stays(backend: Backend) -> None:
    (region,) = answer(backend, asked(drawn(0)))["result"]
    moved = drawn(0, frame=13)["value"]["sequence"][0] | {"width": 20.0}
    region["value"]["sequence"] = sorted(
        [it for it in region["value"]["sequence"] if it["frame"] != 13] + [moved], key=lambda it: int(it["frame"])
    )
    (corrected,) = answer(backend, asked(region))["result"]
    assert moved in corrected["value"]["sequence"]
    assert min(overlaps(corrected, 0, range(14, PICTURES + 1))) > 0.75
    assert b"clickmask_tracks_kept 2.0" in backend.metrics.text()


def test_an_answer_in_time_tells_how_far_it_is_and_the_next_one_the_rest(
    make_backend: MakeBackend, video_studio: Studio, gate: Gate
) -> None:
    backend = ready(make_backend(track_seconds=0), video_studio)
    (waiting,) = answer(backend, asked(drawn(0)))["result"]
    assert waiting["value"]["sequence"] == drawn(0)["value"]["sequence"]
    assert waiting["meta"]["text"].startswith("ClickMask: waits to be tracked; pick another label")
    gate.let(10)
    wait_until(lambda: answer(backend, asked(waiting))["tracking"]["pictures"] == "10/24")
    part = answer(backend, asked(waiting))
    (region,) = part["result"]
    assert part["tracking"]["state"] == "running"
    assert region["meta"]["text"].startswith("ClickMask: tracked on 10 of 24 pictures; pick another label")
    assert min(overlaps(region, 0, range(1, 11))) > 0.75
    assert on_frame(region, 11) is None
    gate.let(1000)
    wait_until(lambda: answer(backend, asked(region))["tracking"]["state"] == "done")
    (whole,) = answer(backend, asked(region))["result"]
    assert "meta" not in whole
    assert min(overlaps(whole, 0, range(1, PICTURES + 1))) > 0.75
    assert len(video_studio.asked(CLIP)) == 1


def test_the_answer_to_a_box_that_was_moved_meanwhile_is_no_error(
    make_backend: MakeBackend, video_studio: Studio, gate: Gate
) -> None:
    """The page does not look at it, but would show an error."""
    backend = ready(make_backend(track_seconds=PATIENCE), video_studio)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(answer, backend, asked(drawn(0)))
        wait_until(lambda: b"clickmask_tracks_running 1.0" in backend.metrics.text())
        moved = drawn(0)
        moved["value"]["sequence"][0]["x"] += 0.5
        second = pool.submit(answer, backend, asked(moved))
        wait_until(lambda: b"clickmask_tracks_waiting 1.0" in backend.metrics.text())
        gate.let(1000)
        assert first.result()["result"] == [drawn(0)]
        assert second.result()["tracking"]["state"] == "done"


def test_a_full_queue_is_a_clear_answer(make_backend: MakeBackend, video_studio: Studio, gate: Gate) -> None:
    backend = ready(make_backend(track_seconds=0, max_tracks=1), video_studio)
    answer(backend, asked(drawn(0, name="a")))
    wait_until(lambda: b"clickmask_tracks_running 1.0" in backend.metrics.text())
    answer(backend, asked(drawn(1, name="b")))
    with pytest.raises(BusyError, match="1 videos wait to be tracked: try again in a few minutes"):
        backend.predictor.predict(asked(drawn(1, frame=3, name="c")))
    assert b"clickmask_tracks_waiting 1.0" in backend.metrics.text()


def test_clicks_on_images_do_not_wait_for_videos(make_backend: MakeBackend, video_studio: Studio, gate: Gate) -> None:
    """Four people wait for tracks, one thread answers: a click on another project's image is answered at once."""
    backend = ready(make_backend(track_seconds=PATIENCE, workers=1), video_studio)
    click = recorded("click")
    with serving(backend) as client, ThreadPoolExecutor(4) as pool:
        bodies = [asked(drawn(0, frame=frame, name=str(frame))) for frame in (1, 2, 3, 4)]
        waiting = [pool.submit(client.post, "/predict", json=body, timeout=PATIENCE) for body in bodies]
        wait_until(lambda: b"clickmask_tracks_waiting 3.0" in backend.metrics.text())
        assert client.post("/predict", json=click).json()["results"][0]["result"]
        assert not any(future.done() for future in waiting)
        gate.let(1000)
        states = [future.result().json()["results"][0]["tracking"]["state"] for future in waiting]
    assert states == ["done"] * 4


def test_the_time_limit_holds_over_http_and_the_log_tells(
    make_backend: MakeBackend, video_studio: Studio, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with serving(ready(make_backend(track_seconds=1), video_studio)) as client:
        start = time.monotonic()
        body = client.post("/predict", json=asked(drawn(0))).json()
        assert time.monotonic() - start > 0.9
        assert body["results"][0]["tracking"]["state"] == "running"
        gate.let(1000)

        def state() -> str:
            return str(client.post("/predict", json=asked(drawn(0))).json()["results"][0]["tracking"]["state"])

        wait_until(lambda: state() == "done")
    assert "state=running objects=1" in caplog.text
    assert "tracking task 1 done; 24 pictures in" in caplog.text


def test_frames_are_counted_by_time(make_backend: MakeBackend, video_studio: Studio, tmp_path: Path) -> None:
    """A config that says 10 frames per second over a video of 25, and pictures that come unevenly."""
    backend = ready(make_backend(track_seconds=PATIENCE), video_studio)
    config = label_config("video").replace('frameRate="25"', 'frameRate="10"')
    (region,) = answer(backend, asked(drawn(0), config=config))["result"]
    assert region["value"]["framesCount"] == 10
    assert region["value"]["sequence"][-1]["time"] == pytest.approx(1.0)
    truths = [(frame, square(0, int((frame - 1) / 10 * 25 + 1e-6))) for frame in range(1, 11)]
    assert min(box_iou(on_frame(region, frame) or Box(0, 0, 1, 1), truth) for frame, truth in truths) > 0.75

    times = [0, 1, 5, 6, 7, 15, 16, 20]
    video_studio.files["/data/upload/1/vary.mp4"] = write_clip(tmp_path / "v.mp4", 8, times=times).read_bytes()
    (region,) = answer(backend, asked(drawn(0), of=task(video="/data/upload/1/vary.mp4")))["result"]
    pictures = {1: 0, 2: 1, 5: 1, 6: 2, 15: 4, 16: 5, 20: 6, 21: 7}
    for frame, index in pictures.items():
        assert box_iou(on_frame(region, frame) or Box(0, 0, 1, 1), square(0, index)) > 0.75


def test_a_lost_object_is_switched_off(make_backend: MakeBackend, video_studio: Studio, tmp_path: Path) -> None:
    backend = ready(make_backend(track_seconds=PATIENCE), video_studio)
    hidden = range(10, 24)
    video_studio.files["/data/upload/1/h.mp4"] = write_clip(tmp_path / "h.mp4", hidden=hidden).read_bytes()
    (region,) = answer(backend, asked(drawn(0), of=task(video="/data/upload/1/h.mp4")))["result"]
    assert min(overlaps(region, 0, range(1, 11))) > 0.75
    assert not any(on_frame(region, frame) for frame in range(12, PICTURES + 1))


def test_an_empty_context_is_an_empty_answer(backend: Backend) -> None:
    """Submitting and deleting the last region send one."""
    assert answer(backend, asked())["result"] == []


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (picture(), VideoError, "wanted a video: MP4, MOV, WebM, MKV, Ogg or AVI"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", VideoError, "got a file that begins with '#EXTM3U"),
        (b"\0\0\0\x20ftypisom" + bytes(300), VideoError, "the video is not a video that can be read|holds no pictures"),
        (None, FetchError, "cannot be fetched: got status 404"),
    ],
    ids=["picture", "playlist", "broken", "missing"],
)
def test_what_is_no_video_is_told(
    content: bytes | None, error: type[Exception], message: str, backend: Backend, video_studio: Studio
) -> None:
    if content is not None:
        video_studio.files["/data/upload/1/bad.mp4"] = content
    for _ in range(2):  # a failure is not kept
        with pytest.raises(error, match=message):
            backend.predictor.predict(asked(drawn(0), of=task(video="/data/upload/1/bad.mp4")))


def test_a_video_that_is_cut_short_is_tracked_as_far_as_it_goes(
    make_backend: MakeBackend, video_studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(model: Any, video: Any, tracks: Sequence[Track], before_frame: Callable[[], None]) -> None:
        follow(model, video, tracks, before_frame)
        raise VideoError("the video is broken or cut short")

    monkeypatch.setattr(video_answers, "follow", breaks)
    backend = ready(make_backend(track_seconds=PATIENCE), video_studio)
    found = answer(backend, asked(drawn(0)))
    assert found["tracking"]["state"] == "stopped"
    note = "ClickMask: tracked on 24 of 24 pictures, then: the video is broken or cut short"
    assert found["result"][0]["meta"]["text"] == note


def test_limits_and_addresses_hold_for_videos_too(make_backend: MakeBackend, video_studio: Studio) -> None:
    backend = ready(make_backend(track_seconds=PATIENCE, max_video_mb=1), video_studio)
    video_studio.files["/data/upload/1/big.mp4"] = bytes(1_100_000)
    with pytest.raises(TooLargeError, match="is larger than 1 MB"):
        backend.predictor.predict(asked(drawn(0), of=task(video="/data/upload/1/big.mp4")))
    with pytest.raises(RefusedError, match="is refused"):
        backend.predictor.predict(asked(drawn(0), of=task(video="file:///etc/passwd")))
    with pytest.raises(RefusedError, match="is not a public address"):
        backend.predictor.predict(asked(drawn(0), of=task(video="http://127.0.0.1:9/clip.mp4")))
    with pytest.raises(RequestError, match="region region0 is on 'other', wanted a video: video"):
        backend.predictor.predict(asked(drawn(0) | {"to_name": "other"}))
    with pytest.raises(RequestError, match="has no video"):
        backend.predictor.predict(asked(drawn(0), of={"id": 1, "data": {}}))
    with pytest.raises(RequestError, match="got 101 boxes to track, wanted at most 100"):
        backend.predictor.predict(asked(*[drawn(0, frame=1, name=str(number)) for number in range(101)]))


@pytest.mark.parametrize("cache_mb", [0, 1])
def test_files_are_kept_within_their_budget_and_none_is_left_behind(
    cache_mb: int, make_backend: MakeBackend, video_studio: Studio, tmp_path: Path
) -> None:
    backend = ready(make_backend(track_seconds=PATIENCE, video_cache_mb=cache_mb), video_studio)
    for frame in (1, 2):
        answer(backend, asked(drawn(0, frame=frame)))
    assert len(list((tmp_path / "data" / "videos").iterdir())) == cache_mb
    assert len(video_studio.asked(CLIP)) == 2 - cache_mb


def annotated(number: int, *regions: Body, **more: Any) -> Body:
    """A task with boxes that somebody drew."""
    return task(number, annotations=[{"id": number, "result": list(regions)}], **more)


def test_opening_a_task_begins_nothing_and_shows_what_is_known(backend: Backend) -> None:
    opened = unprompted(annotated(1, drawn(0)))
    assert backend.predictor.predict(opened).body == {"results": []}
    assert b"clickmask_tracks_kept 0.0" in backend.metrics.text()
    track = answer(backend, asked(drawn(0)))["result"]
    ((prediction,),) = [backend.predictor.predict(opened).body["results"]]
    assert prediction["result"] == track


def test_several_tasks_are_tracked(backend: Backend) -> None:
    """Boxes of annotations, of drafts, none at all, and those of a track that is there already."""
    draft = task(2, drafts=[{"id": 1, "result": [drawn(1)]}])
    tracked = annotated(4, *answer(backend, asked(drawn(0, frame=5)))["result"])
    results = backend.predictor.predict(unprompted(annotated(1, drawn(0)), draft, task(3), tracked)).body["results"]
    assert [len(result and result["result"]) for result in results] == [1, 1, 0, 0]
    assert min(overlaps(results[1]["result"][0], 1, range(1, PICTURES + 1))) > 0.75


def test_prelabel_tracks_a_project(make_backend: MakeBackend, video_studio: Studio) -> None:
    video_studio.label_config = label_config("video")
    backend = make_backend(label_studio_url=video_studio.url, label_studio_api_key=LEGACY)
    video_studio.tasks = [annotated(1, drawn(0)), task(2), annotated(3, drawn(0), data={"video": "/data/upload/1/no"})]
    prelabel(backend, *open_project(backend, 1, ""))
    (prediction,) = video_studio.predictions
    assert (prediction["task"], prediction["model_version"]) == (1, "clickmask-nano")
    assert min(overlaps(prediction["result"][0], 0, range(1, PICTURES + 1))) > 0.75
