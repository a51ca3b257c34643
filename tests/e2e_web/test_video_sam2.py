"""The video page with SAM 2's memory of past frames: weights from a file, two objects, stopped, corrected, exported."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser

from clickmask.decoder import Size
from clickmask.decoder.shapes import rle_to_mask
from clickmask.web.browser_rle import runs_to_mask
from tests.decoder.track.small_sam2 import small_model
from tests.e2e_web.desk import Desk
from tests.e2e_web.server import running
from tests.e2e_web.video_desk import WAIT_MS, VideoDesk
from tests.ports import free_port
from tests.web.video_clips import HEIGHT, WIDTH, disc_centre, write_clip

pytestmark = pytest.mark.e2e

FRAMES = 60
SIZE = Size(HEIGHT, WIDTH)


@pytest.fixture
def desk(browser: Browser, tmp_path: Path) -> Iterator[VideoDesk]:
    """The video page of an app whose weights are a file."""
    weights, folder, port = tmp_path / "small.pt", tmp_path / "videos", free_port()
    network = small_model(seed=3).network
    assert isinstance(network, torch.nn.Module)
    official = {re.sub("^(mask_decoder|prompt_encoder)", r"sam_\1", key): x for key, x in network.state_dict().items()}
    torch.save({"model": official}, weights)
    write_clip(folder / "clip.mp4", frames=FRAMES)
    command = [sys.executable, "-m", "tests.e2e_web.small_sam2_app", "--model", str(weights)]
    command += ["--root", str(folder), "--home", str(tmp_path / "home"), "--port", str(port)]
    with running(command, port, tmp_path / "log.txt") as url:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url)
        opened = VideoDesk.of(Desk(page))
        opened.until_ready()
        yield opened
        context.close()
    assert problems == [], "the page raised errors"


def test_objects_are_followed_by_memory_stopped_taken_up_again_and_corrected(desk: VideoDesk, tmp_path: Path) -> None:
    assert desk.find(".cm-model").inner_text() == "small.pt"
    desk.seek(10)
    desk.click(*disc_centre(10))
    desk.until_said()
    desk.press("n")
    assert "new object" in desk.find(".cm-candidates").inner_text()
    desk.drag((90, 20), (150, 100))
    desk.until_said()
    assert desk.letters(1)[10] == desk.letters(2)[10] == "p"

    desk.press("t")
    desk.until("state.run && state.run.done >= 2")
    desk.press("Escape")
    desk.until("!state.run || state.run.stopping")
    desk.until("!state.run")
    desk.until_toast("Stopped")
    stopped = desk.letters()
    assert re.fullmatch(r"\.{10}p[sl]+\.+", stopped)

    desk.press("t")  # goes on where it was
    desk.until(f"state.run && state.run.total === {stopped.count('.')}")
    desk.until("!state.run")
    for thing in (1, 2):
        assert re.fullmatch(r"[sl]{10}p[sl]{49}", desk.letters(thing))

    desk.seek(20)
    desk.press("1")
    desk.click(*disc_centre(20))
    desk.until_said()
    assert re.fullmatch(r"[SL]{10}p[sl]{9}p[SL]{39}", desk.letters())
    desk.track()
    assert re.fullmatch(r"[sl]{10}p[sl]{9}p[sl]{39}", desk.letters())
    desk.press("2")
    desk.press("Delete")
    desk.until("state.shownThings.length === 1 && app.saving === 'saved'")

    desk.seek(20)
    shown = runs_to_mask(desk.masks()["1"], SIZE)
    tracks = json.loads(desk.export("youtube-vis", tmp_path).read_text())
    (annotation,) = tracks["annotations"]
    assert (rle_to_mask(annotation["segmentations"][20]) == shown).all()
