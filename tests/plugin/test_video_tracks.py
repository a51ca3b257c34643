"""A box on a video becomes a track: where it is on every frame, what a person set stays, nothing is done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from clickmask.decoder import Box
from clickmask.decoder.shapes import box_iou
from clickmask.plugin.build import Backend
from clickmask.plugin.labels import label_config
from tests.plugin.clips import CLIP, PICTURES, square, write_clip
from tests.plugin.conftest import ready, recorded, setup_body
from tests.plugin.studio_server import LEGACY, Studio
from tests.plugin.video_tasks import MakeBackend, answer, asked, drawn, on_frame, overlaps, task
from tests.plugin.waiting import PATIENCE


def test_several_objects_are_followed_through_the_whole_video(video_backend: Backend, video_studio: Studio) -> None:
    found = answer(video_backend, asked(drawn(0), drawn(1, label="Thing")))
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


def test_a_box_on_a_later_frame_is_followed_both_ways(video_backend: Backend, video_studio: Studio) -> None:
    (region,) = answer(video_backend, asked(drawn(0, frame=12)))["result"]
    assert min(overlaps(region, 0, range(1, PICTURES + 1))) > 0.75
    video_backend.predictor.setup(
        setup_body(video_studio, schema=label_config("video"), extra_params={"track": "forward"})
    )
    (region,) = answer(video_backend, asked(drawn(0, frame=12)))["result"]
    assert on_frame(region, 11) is None
    assert min(overlaps(region, 0, range(12, PICTURES + 1))) > 0.75


def test_a_second_time_nothing_is_fetched_or_tracked(video_backend: Backend, video_studio: Studio) -> None:
    first = answer(video_backend, asked(drawn(0)))
    (again,) = answer(video_backend, asked(first["result"][0]))["result"]
    assert again == first["result"][0]
    assert video_backend.metrics.text().decode().count("clickmask_tracks_kept 1.0") == 1
    assert len(video_studio.asked(CLIP)) == 1


def test_a_correction_is_tracked_anew_and_stays(video_backend: Backend) -> None:
    (region,) = answer(video_backend, asked(drawn(0)))["result"]
    moved = drawn(0, frame=13)["value"]["sequence"][0] | {"width": 20.0}
    region["value"]["sequence"] = sorted(
        [it for it in region["value"]["sequence"] if it["frame"] != 13] + [moved], key=lambda it: int(it["frame"])
    )
    (corrected,) = answer(video_backend, asked(region))["result"]
    assert moved in corrected["value"]["sequence"]
    assert min(overlaps(corrected, 0, range(14, PICTURES + 1))) > 0.75
    assert b"clickmask_tracks_kept 2.0" in video_backend.metrics.text()


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


def test_an_empty_context_is_an_empty_answer(video_backend: Backend) -> None:
    """Submitting and deleting the last region send one."""
    assert answer(video_backend, asked())["result"] == []
