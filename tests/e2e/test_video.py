"""A person tracks objects in a video of Label Studio: boxes by hand, tracks by label, and the truth to compare."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from clickmask.decoder import Box
from clickmask.decoder.shapes import box_iou
from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.clip import FRAMES, HEIGHT, PIECES, WIDTH, Piece
from clickmask.plugin.studio.command import open_project, sample_files
from tests.e2e.annotator import Annotator
from tests.e2e.recorder import Recorder, recording
from tests.e2e.test_recorded_requests import DATA, form_of
from tests.plugin.test_video import shown

pytestmark = pytest.mark.e2e

PATIENCE_MS = 120_000
TRIES = 30  # a busy machine may not track in the time that one request has
LATER = 31  # the frame the second object is drawn on


class VideoPage:
    """The labeling page of a video, as a person uses it."""

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator
        self._page: Page = annotator.page
        self._page.set_default_timeout(PATIENCE_MS)

    def draw_box(self, label: str, piece: Piece, frame: int) -> None:
        """Draw a box around a piece on the frame that is shown."""
        self._page.keyboard.press("Escape")
        self._label(label)
        left, top = self._corner()
        box = piece.box(frame - 1)
        self._page.mouse.move(left + box.x0 - 2, top + box.y0 - 2)
        self._page.mouse.down()
        self._page.mouse.move(left + box.x1 + 2, top + box.y1 + 2, steps=8)
        self._page.mouse.up()

    def track(self, region: int, other: str, label: str) -> dict[str, Any]:
        """Select a region, pick another label and the right one again; return the answer to the latter."""
        self._page.keyboard.press("Escape")  # a click on a selected region would let go of it
        self._page.locator(".lsf-outliner-item").nth(region).click()
        self._label(other)
        with self._page.expect_response(
            lambda it: "interactive-annotating" in it.url and f'["{label}"]' in (it.request.post_data or "")
        ) as waiting:
            self._label(label)
        answer: dict[str, Any] = waiting.value.json()
        assert not answer.get("errors"), answer
        return dict(answer["data"])

    def go_to(self, frame: int) -> None:
        """Type a frame's number."""
        self._page.locator(".lsf-frames-control").click()
        box = self._page.locator(".lsf-frames-control input")
        box.fill(str(frame))
        box.press("Enter")
        shown = self._page.locator(".lsf-frames-control", has_text=re.compile(rf"^\s*{frame}\s*of"))
        shown.wait_for()
        self._page.wait_for_function("!document.querySelector('video').seeking")

    def wait_for_keyframes(self, at_least: int) -> None:
        """Wait until the timeline shows so many keyframes."""
        self._page.locator(".lsf-keypoints__point").nth(at_least - 1).wait_for(state="attached")

    def _label(self, label: str) -> None:
        self._page.locator(".lsf-label", has_text=label).click()

    def _corner(self) -> tuple[float, float]:
        """Where the video's top-left pixel is on the page; it is shown in its own size."""
        box = self._page.locator(".konvajs-content").first.bounding_box()
        assert box is not None, "the video is not shown"
        return box["x"] + (box["width"] - WIDTH) / 2, box["y"] + (box["height"] - HEIGHT) / 2


@pytest.fixture
def recorder(backend_url: str) -> Iterator[Recorder]:
    with recording(backend_url) as started:
        yield started


def overlaps(region: dict[str, Any], piece: Piece) -> list[float]:
    """How well a track fits the truth, frame by frame."""
    found = [(shown(region, frame), piece.box(frame - 1)) for frame in range(1, FRAMES + 1)]
    return [0.0 if box is None else box_iou(_in_pixels(box), truth) for box, truth in found]


def vertical_overlap(region: dict[str, Any], piece: Piece, late: int) -> float:
    """How well the heights of a track fit what is true some frames later, summed over the frames.

    The pieces go steadily to one side, so a side edge that is missed everywhere looks like another frame's; they swing
    up and down, so their heights do not.
    """
    total = 0.0
    for frame in range(1, FRAMES + 1):
        box, truth = shown(region, frame), piece.box(frame - 1 + late)
        if box is not None:
            found = _in_pixels(box)
            shared = min(found.y1, truth.y1) - max(found.y0, truth.y0)
            total += max(0.0, shared) / (max(found.y1, truth.y1) - min(found.y0, truth.y0))
    return total


def _in_pixels(box: Box) -> Box:
    """``shown`` knows a video of 400x100."""
    return Box(box.x0 * WIDTH / 400, box.y0 * HEIGHT / 100, box.x1 * WIDTH / 400, box.y1 * HEIGHT / 100)


def test_boxes_become_tracks(annotator: Annotator, client: StudioClient, recorder: Recorder, tmp_path: Path) -> None:
    files = sample_files("video", tmp_path)
    project = open_project(client, f"video {time.time_ns()}", label_config("video"), files, recorder.url)
    task = client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]["id"]
    annotator.open_task(project, task)
    annotator.page.wait_for_selector(f"text=of {FRAMES}")
    page = VideoPage(annotator)

    page.draw_box("Animal", PIECES[0], frame=1)
    annotator.see("video-1-drawn")
    page.wait_for_keyframes(1)
    answer = page.track(0, other="Building", label="Animal")
    first_request = recorder.last("/predict")
    for drawn in first_request["params"]["context"]["result"]:
        drawn.pop("meta", None)  # the answer for the other label may have left a note that it is not finished
    for _ in range(TRIES):
        if answer["tracking"]["state"] == "done":
            break
        answer = page.track(0, other="Building", label="Animal")
    (region,) = answer["result"]
    annotator.see("video-2-tracked")
    page.wait_for_keyframes(4)

    page.go_to(LATER)
    page.draw_box("Thing", PIECES[1], frame=LATER)
    annotator.see("video-3-second")
    for _ in range(TRIES):
        answer = page.track(1, other="Building", label="Thing")
        if answer["tracking"]["state"] == "done":
            break
    annotator.see("video-4-both")

    saved = client.call("GET", f"/api/annotations/{annotator.submit()}")["result"]
    annotator.see("video-5-submitted")
    tracks = {it["value"]["labels"][0]: it for it in saved}
    assert tracks["Animal"]["value"]["sequence"] == region["value"]["sequence"], "the page saves what it was sent"
    for label, piece in (("Animal", PIECES[0]), ("Thing", PIECES[1])):
        fits = overlaps(tracks[label], piece)
        assert min(fits) > 0.5
        assert sum(fits) / len(fits) > 0.75
        assert max((-1, 0, 1), key=lambda late: vertical_overlap(tracks[label], piece, late)) == 0, "no frame off"

    path = DATA / "video_box.json"
    if os.environ.get("CLICKMASK_RECORD") == "1":
        path.write_text(json.dumps(first_request, indent=2) + "\n")
    recorded = json.loads(path.read_text())
    assert first_request.keys() == recorded.keys()
    # Not the task: the page saves a draft by itself, before it asks or after.
    assert form_of(first_request["params"]) == form_of(recorded["params"])
