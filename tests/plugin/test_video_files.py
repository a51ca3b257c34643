"""Video files: what is no video is told, limits and addresses hold, and the disk is kept within its budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder import VideoError
from clickmask.plugin.build import Backend
from clickmask.plugin.errors import FetchError, RefusedError, RequestError, TooLargeError
from clickmask.plugin.tracking import answers as video_answers
from clickmask.plugin.tracking.follow import Track, follow
from tests.plugin.clips import CLIP
from tests.plugin.conftest import picture, ready
from tests.plugin.studio_server import Studio
from tests.plugin.video_tasks import MakeBackend, answer, asked, drawn, task
from tests.plugin.waiting import PATIENCE


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (picture(), VideoError, "wanted MP4, MOV, WebM, MKV, AVI"),
        (
            b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
            VideoError,
            "the video is not a video that can be read, wanted MP4",
        ),
        (b"\0\0\0\x20ftypisom" + bytes(300), VideoError, "the video is not a video that can be read|holds no pictures"),
        (None, FetchError, "cannot be fetched: got status 404"),
    ],
    ids=["picture", "playlist", "broken", "missing"],
)
def test_what_is_no_video_is_told(
    content: bytes | None, error: type[Exception], message: str, video_backend: Backend, video_studio: Studio
) -> None:
    if content is not None:
        video_studio.files["/data/upload/1/bad.mp4"] = content
    for _ in range(2):  # a failure is not kept
        with pytest.raises(error, match=message):
            video_backend.predictor.predict(asked(drawn(0), of=task(video="/data/upload/1/bad.mp4")))


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
