"""Runs of the tracker: followed, stopped, taken up again, corrected."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import Model, PromptError
from clickmask.web.browser_rle import runs_to_mask
from clickmask.web.jobs import CancelledError
from clickmask.web.video.tracking import plan
from tests.decoder.track.small_sam2 import small_model
from tests.web.video_clips import FRAMES, disc_mask, iou, write_clip
from tests.web.video_page import SIZE, Page, make_service, wait_for


def test_a_clicked_object_is_followed_to_both_ends(page: Page) -> None:
    answer = page.click(1, 8)
    assert iou(runs_to_mask(answer["runs"], SIZE), disc_mask(8)) > 0.6
    assert page.lane() == "." * 8 + "p" + "." * 11
    done = page.track()
    assert (done["state"], done["done"]) == ("done", 19)
    assert page.lane() == "s" * 8 + "p" + "s" * 11
    assert len(done["cells"]) == FRAMES - 1
    assert min(iou(page.mask(frame), disc_mask(frame)) for frame in range(FRAMES)) > 0.6


def test_one_way_is_tracked_from_the_frame_on(page: Page) -> None:
    page.click(1, 10)
    page.track("backward", 10)
    assert page.lane() == "s" * 10 + "p" + "." * 9
    page.track("forward", 12)
    assert page.lane() == "s" * 10 + "p" + "s" * 9


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
    assert page.track()["done"] == 7
    assert page.lane() == "p" + "s" * 11 + "p" + "s" * 7
    assert (page.mask(5) == before).all()
    page.say(1, 12)  # nothing any more, as undo does
    assert page.lane() == "p" + "s" * 12 + "S" * 7
    assert iou(page.mask(12), disc_mask(12)) > 0.6  # the track below is still there


def test_a_correction_is_carried_back_when_nothing_else_is_left_to_do(page: Page) -> None:
    """On the last frame it once was told that all is tracked, and the frames before stayed wrong."""
    page.click(1, 0)
    page.track()
    before = page.mask(15)
    page.say(1, 19, box=[20, 20, 60, 60])
    assert page.track("both", 19)["done"] == 18
    assert (page.mask(15) != before).any()
    with pytest.raises(PromptError, match=r"everything is tracked already: .*\[ and \]"):
        page.track("both", 19)


def test_a_vanished_file_is_told_by_the_run(page: Page) -> None:
    page.click(1, 0)
    with page.service.tracking.turn:
        job = page.service.video_track({"video": page.video})["job"]
        Path(page.video).unlink()
    message = wait_for(page.service, job)
    assert message["state"] == "failed"
    assert "clip.mp4" in message["error"]


def stop_after(page: Page, frames: int) -> None:
    """Begin a run and stop it when so many frames are done."""

    def report(done: int, _total: int, **_found: Any) -> None:
        if done == frames:
            raise CancelledError

    opened = page.service.videos.open(page.video)
    with pytest.raises(CancelledError):
        page.service.tracking.run(opened, plan(opened, "both", 0), report)


@pytest.fixture(params=["nano", "a SAM 2"])
def any_page(request: pytest.FixtureRequest, tmp_path: Path, model: Future[Model]) -> Iterator[Page]:
    """A page of a model without and of one with a memory of past frames."""
    if request.param == "a SAM 2":
        model = Future()
        model.set_result(small_model(seed=3))  # its masks are not empty
    service = make_service(tmp_path, model)
    yield Page(service, write_clip(tmp_path / "clip.mp4"))
    service.videos.close()


def test_a_stopped_run_goes_on_where_it_was_and_finds_what_one_run_finds(any_page: Page, tmp_path: Path) -> None:
    """It once began again at the last prompt, which takes minutes where a frame takes seconds."""
    page = any_page
    at_once = Page(page.service, write_clip(tmp_path / "other" / "clip.mp4"))
    for one in (page, at_once):
        one.click(1, 5)
        one.say(2, 8, box=[60, 20, 110, 90])
    assert at_once.track()["state"] == "done"

    stop_after(page, 6)  # on the way forward, of 14 frames
    assert page.lane(2)[8:] == "psss" + "." * 8
    stop_after(page, 2)
    stop_after(page, 10)  # on the way back, of 8
    assert page.lane(2)[:8] == "." * 4 + "ssss"
    assert page.track()["done"] == 4
    for thing in (1, 2):
        assert page.lane(thing) == at_once.lane(thing)
        for frame in range(FRAMES):
            assert (page.mask(frame, thing) == at_once.mask(frame, thing)).all()


def test_a_correction_before_the_place_where_a_run_was_stopped_is_followed_from_there(any_page: Page) -> None:
    any_page.click(1, 0)
    stop_after(any_page, 9)
    any_page.click(1, 4)
    assert any_page.track()["done"] == FRAMES - 5
    assert set(any_page.lane()) <= set("psl")
