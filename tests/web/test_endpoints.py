"""What programs get from the endpoints, without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from clickmask.web.video.endpoints import add_video_endpoints
from clickmask.web.video.service import VideoService
from tests.web.video_clips import write_clip

ListVideos = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def list_videos(videos: VideoService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ListVideos:
    """The function that Gradio offers by this name; the app was started with ``started``."""
    offered: dict[str, Any] = {}
    monkeypatch.setattr(gr, "api", lambda function, *, api_name, **_: offered.update({api_name: function}))
    add_video_endpoints(videos, tmp_path / "started")
    function: ListVideos = offered["list_videos"]
    return function


def test_without_a_folder_the_videos_are_those_of_the_folder_the_app_was_started_with(
    list_videos: ListVideos, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "started" / "inside" / "clip.mp4", frames=3)
    write_clip(tmp_path / "other" / "clip.mp4", frames=3)
    assert list_videos("") == [{"video": str(clip), "name": "inside/clip.mp4", "is_folder": False, "begun": False}]
    assert list_videos(str(tmp_path / "started")) == list_videos("")


def test_a_folder_that_is_not_there_or_may_not_be_opened_is_told(list_videos: ListVideos, tmp_path: Path) -> None:
    with pytest.raises(gr.Error, match="nowhere is not a folder"):
        list_videos(str(tmp_path / "nowhere"))
    with pytest.raises(gr.Error, match="started is not a folder"):
        list_videos("")
    with pytest.raises(gr.Error, match="outside the folders this server may open"):
        list_videos("/etc")
