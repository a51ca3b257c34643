"""What a person says about objects on frames, and how pages share it."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import DatasetError, Model, PromptError
from clickmask.web.browser_rle import runs_to_mask
from clickmask.web.errors import ConflictError
from tests.decoder.track.small_sam2 import small_model
from tests.web.video_clips import FRAMES, disc_centre, write_clip
from tests.web.video_page import SIZE, Page, make_service


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


def test_where_the_model_sees_nothing_a_person_pointed_all_the_same(tmp_path: Path) -> None:
    """The timeline once said that the person had said that it is not there."""
    blind: Future[Model] = Future()
    blind.set_result(small_model(seen=-4.0))
    page = Page(make_service(tmp_path, blind), write_clip(tmp_path / "clip.mp4"))
    assert page.click(1, 0)["runs"] is None
    page.say(1, 3, absent=True)
    assert page.lane()[:5] == "p..n."


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


def test_a_page_that_is_ahead_of_the_file_is_refused_too(page: Page) -> None:
    """The project file was put back from a copy: what the page believes to be there is not."""
    page.click(1, 0)
    page.revision += 3
    with pytest.raises(ConflictError, match="changed elsewhere: got revision 4, it is at 1"):
        page.click(1, 5)


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
