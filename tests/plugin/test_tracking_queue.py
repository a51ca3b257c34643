"""The queue of videos: one at a time, bounded, clicks first, nothing asked twice, nothing kept that nobody wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from typing import Any

import pytest

from clickmask.decoder import Box, Size, VideoError
from clickmask.plugin.errors import BusyError, CancelledError
from clickmask.plugin.priority import ClickPriority
from clickmask.plugin.tracking.clock import Clock
from clickmask.plugin.tracking.follow import Track, TrackKey
from clickmask.plugin.tracking.queue import TrackingQueue
from clickmask.plugin.tracking.video import SetKeyframe
from tests.plugin.waiting import PATIENCE, wait_until

PICTURES = 5
CLOCK = Clock(25.0, tuple(index / 25 for index in range(PICTURES)), PICTURES / 25)

BeforeFrame = Callable[[], None]


def key(video: str, x: float = 0.0) -> TrackKey:
    """What one object of a video is asked by."""
    return TrackKey(video, "nano", 25.0, True, (SetKeyframe(1, (x, 0.0, 10.0, 10.0, 0.0), True),))


class Work:
    """Tracks picture by picture, each when the test says so."""

    def __init__(self) -> None:
        self.ready = threading.Semaphore(0)
        self.started: list[str] = []

    def __call__(self, tracks: Sequence[Track], before_frame: BeforeFrame) -> None:
        self.started.append(tracks[0].key.video)
        for track in tracks:
            track.open(Size(100, 100), CLOCK)
        for picture in range(PICTURES):
            before_frame()
            assert self.ready.acquire(timeout=PATIENCE)
            for track in tracks:
                track.found(picture, Box(picture, 0, picture + 10, 10), 0.5)

    def go(self, pictures: int) -> None:
        """Let so many pictures be tracked."""
        for _ in range(pictures):
            self.ready.release()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def queue(work: Work) -> Iterator[TrackingQueue]:
    made = TrackingQueue(ClickPriority(), most_waiting=2)
    yield made
    work.go(100)
    made.close()


def ask(queue: TrackingQueue, work: Any, *keys: TrackKey, owner: str = "", urgent: bool = True) -> list[Track]:
    """Ask for the objects of one request."""
    wanted = [((owner or str(one), index), one) for index, one in enumerate(keys)]
    return queue.ask(wanted, work, name="test", urgent=urgent)


def test_a_track_grows_and_is_whole_in_the_end(queue: TrackingQueue, work: Work) -> None:
    (track,) = ask(queue, work, key("a"))
    work.go(2)
    wait_until(lambda: track.done() == 2)
    progress = track.progress()
    assert progress is not None
    assert progress.by_frame() == {1: Box(0, 0, 10, 10), 2: Box(1, 0, 11, 10)}
    assert not track.ended.done()
    work.go(3)
    wait([track.ended], PATIENCE)
    assert track.ended.result() is None
    assert (track.done(), track.pictures(), queue.pictures_done()) == (5, 5, 5)


def test_a_repeat_costs_nothing(queue: TrackingQueue, work: Work) -> None:
    work.go(5)
    (first,) = ask(queue, work, key("a"), owner="ann")
    wait([first.ended], PATIENCE)
    (again,) = ask(queue, work, key("a"), owner="bob")
    assert again is first
    assert work.started == ["a"]


def test_only_what_is_new_is_tracked_and_together(queue: TrackingQueue, work: Work) -> None:
    work.go(5)
    (first,) = ask(queue, work, key("a", 0))
    wait([first.ended], PATIENCE)
    tracks = ask(queue, work, key("a", 0), key("a", 20), key("a", 40))
    work.go(5)
    wait([track.ended for track in tracks], PATIENCE)
    assert tracks[0] is first
    assert work.started == ["a", "a"]


def test_a_full_queue_says_so(queue: TrackingQueue, work: Work) -> None:
    ask(queue, work, key("a"))
    wait_until(lambda: queue.running() == 1)
    ask(queue, work, key("b"))
    with pytest.raises(BusyError, match="1 videos wait to be tracked"):
        ask(queue, work, key("c"), urgent=False)  # half of the places are for people who wait
    ask(queue, work, key("c"))
    with pytest.raises(BusyError, match="2 videos wait to be tracked: try again in a few minutes"):
        ask(queue, work, key("d"))
    assert [queue.waiting(), queue.running(), queue.kept()] == [2, 1, 3]
    (known,) = ask(queue, work, key("b"))  # what is known needs no place
    assert not known.ended.done()


def test_a_person_who_waits_goes_first(queue: TrackingQueue, work: Work) -> None:
    ask(queue, work, key("a"))
    wait_until(lambda: queue.running() == 1)
    ask(queue, work, key("batch"), urgent=False)
    (track,) = ask(queue, work, key("page"))
    work.go(10)
    wait([track.ended], PATIENCE)
    assert work.started[:2] == ["a", "page"]


def test_a_changed_box_cancels_what_it_replaces(queue: TrackingQueue, work: Work) -> None:
    (old,) = ask(queue, work, key("a", 0), owner="region 1")
    work.go(1)
    wait_until(lambda: old.done() == 1)
    (waiting,) = ask(queue, work, key("a", 5), owner="region 1")
    (new,) = ask(queue, work, key("a", 9), owner="region 1")
    work.go(9)
    wait([old.ended, waiting.ended, new.ended], PATIENCE)
    for track in (old, waiting):
        assert isinstance(track.ended.exception(), CancelledError)
    assert new.ended.exception() is None
    assert queue.known(old.key) is None


def test_what_somebody_else_wants_goes_on(queue: TrackingQueue, work: Work) -> None:
    (shared,) = ask(queue, work, key("a", 0), owner="ann")
    ask(queue, work, key("a", 0), owner="bob")
    ask(queue, work, key("a", 7), owner="ann")
    work.go(10)
    wait([shared.ended], PATIENCE)
    assert shared.ended.exception() is None


def test_a_failure_is_told_and_tried_again(queue: TrackingQueue, work: Work) -> None:
    def fail(tracks: Sequence[Track], before_frame: BeforeFrame) -> None:
        raise VideoError("the video is broken or cut short")

    (failed,) = ask(queue, fail, key("a"))
    wait([failed.ended], PATIENCE)
    assert isinstance(failed.ended.exception(), VideoError)
    (again,) = ask(queue, work, key("a"))
    work.go(5)
    wait([again.ended], PATIENCE)
    assert again.ended.exception() is None


def test_a_bug_does_not_end_the_queue(queue: TrackingQueue, work: Work, caplog: pytest.LogCaptureFixture) -> None:
    def stumble(tracks: Sequence[Track], before_frame: BeforeFrame) -> None:
        raise ZeroDivisionError

    (failed,) = ask(queue, stumble, key("a"))
    wait([failed.ended], PATIENCE)
    assert "its log tells why: ZeroDivisionError" in str(failed.ended.exception())
    assert "Traceback" in caplog.text
    (after,) = ask(queue, work, key("b"))
    work.go(5)
    wait([after.ended], PATIENCE)
    assert after.ended.exception() is None


def test_old_tracks_are_forgotten_beyond_the_budget(work: Work) -> None:
    queue = TrackingQueue(ClickPriority(), most_waiting=9, kept_pictures=2 * PICTURES)
    work.go(100)
    for video in "abcd":
        (track,) = ask(queue, work, key(video))
        wait([track.ended], PATIENCE)
    wait_until(lambda: queue.kept() == 2)
    assert [video for video in "abcd" if queue.known(key(video))] == ["c", "d"]
    queue.close()


def test_a_track_beyond_the_budget_is_still_given(work: Work) -> None:
    queue = TrackingQueue(ClickPriority(), most_waiting=9, kept_pictures=PICTURES - 1)
    work.go(100)
    (track,) = ask(queue, work, key("a"))
    wait([track.ended], PATIENCE)
    wait_until(lambda: queue.kept() == 0)
    (again,) = ask(queue, work, key("a"))
    wait([again.ended], PATIENCE)
    assert again.done() == PICTURES
    queue.close()


def test_closing_ends_what_runs_and_what_waits(work: Work) -> None:
    queue = TrackingQueue(ClickPriority(), most_waiting=9)
    (running,), (waiting,) = ask(queue, work, key("a")), ask(queue, work, key("b"))
    wait_until(lambda: queue.running() == 1)
    closing = threading.Thread(target=queue.close)
    closing.start()
    work.go(5)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert isinstance(running.ended.exception(), CancelledError)
    assert isinstance(waiting.ended.exception(), CancelledError)


def test_clicks_have_the_right_of_way(work: Work) -> None:
    priority = ClickPriority()
    queue = TrackingQueue(priority, most_waiting=9)
    work.go(100)
    with priority.click():
        (track,) = ask(queue, work, key("a"))
        time.sleep(0.3)
        assert track.done() == 0
    wait([track.ended], PATIENCE)
    queue.close()


def test_a_track_gets_on_however_many_people_click(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickmask.plugin.priority._LONGEST_WAY_SECONDS", 0.05)
    priority = ClickPriority()
    queue = TrackingQueue(priority, most_waiting=9)
    work.go(100)
    with priority.click():
        (track,) = ask(queue, work, key("a"))
        wait([track.ended], PATIENCE)
        assert track.done() == PICTURES
    queue.close()
