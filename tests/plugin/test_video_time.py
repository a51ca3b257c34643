"""Tracking takes longer than Label Studio waits: partial answers, the queue, and clicks that go first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clickmask.plugin.errors import BusyError
from clickmask.plugin.tracking import answers as video_answers
from clickmask.plugin.tracking.follow import Track, follow
from tests.plugin.clips import CLIP, PICTURES
from tests.plugin.conftest import ready, recorded
from tests.plugin.server import serving
from tests.plugin.studio_server import Studio
from tests.plugin.video_tasks import MakeBackend, answer, asked, drawn, on_frame, overlaps
from tests.plugin.waiting import PATIENCE, wait_until


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
