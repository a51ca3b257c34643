"""A person follows objects through a video: click, track, stop, correct, track again, come back, export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from gradio_client import Client, handle_file

from clickmask.decoder import Size
from clickmask.decoder.shapes import rle_to_mask
from clickmask.web.browser_rle import runs_to_mask
from tests.e2e_web.conftest import OpenDesk
from tests.e2e_web.video_desk import VideoDesk
from tests.web.video_clips import HEIGHT, WIDTH, disc_centre, disc_mask, iou, write_clip

pytestmark = pytest.mark.e2e

FRAMES = 60
SIZE = Size(HEIGHT, WIDTH)
OpenVideoDesk = Callable[..., VideoDesk]


@pytest.fixture
def clip(folder: Path) -> Path:
    return write_clip(folder / "clip.mp4", frames=FRAMES)


@pytest.fixture
def open_video(open_desk: OpenDesk) -> OpenVideoDesk:
    def open_page(**how: int | bool) -> VideoDesk:
        return VideoDesk.of(open_desk(**how))

    return open_page


def test_an_object_is_clicked_tracked_stopped_corrected_found_again_and_exported(
    open_video: OpenVideoDesk, clip: Path, tmp_path: Path
) -> None:
    desk = open_video()
    desk.until_ready()
    desk.click(*disc_centre(0))
    desk.until("state.objects.length === 1")
    assert iou(runs_to_mask(desk.masks()["1"], SIZE), disc_mask(0)) > 0.6
    assert desk.overlay_pixel(*disc_centre(0))[3] > 0
    desk.until_said()

    desk.press("t")
    desk.until("state.run && state.run.done >= 2")  # masks appear as they come
    desk.press("Escape")
    desk.until("!state.run")
    desk.until_toast("Stopped")
    stopped = desk.letters()
    assert stopped[:2] == "ps"
    assert stopped[-1] == "."

    desk.track()
    desk.until_toast("frames tracked")
    assert re.fullmatch(r"p[sl]{59}", desk.letters())
    desk.seek(9)
    assert iou(runs_to_mask(desk.masks()["1"], SIZE), disc_mask(9)) > 0.6

    desk.seek(12)
    x, y = disc_centre(12)
    desk.drag((x - 20, y - 20), (x + 20, y + 20))
    desk.until_said()
    assert re.fullmatch(r"p[sl]{11}p[SL]{47}", desk.letters())
    assert "outdated" in desk.find(".cm-candidates").inner_text()
    desk.track()
    assert re.fullmatch(r"p[sl]{11}p[sl]{47}", desk.letters())

    desk.seek(12)
    desk.press("n")
    desk.click(140, 100)
    desk.until("state.objects.length === 2")
    desk.until_said()
    desk.press("r")
    desk.page.fill(".cm-video .cm-dialog input", "floor")
    desk.press("Enter")
    desk.until("state.thing(2).name === 'floor'")
    desk.press("Control+z")
    desk.until("state.thing(2).name === 'object'")
    desk.press("Control+Shift+z")
    desk.until("state.thing(2).name === 'floor'")

    before = (desk.letters(1), desk.letters(2), desk.masks(), desk.get("[...state.prompts.get(1).keys()]"))
    desk.page.reload()
    desk.until_ready()
    assert desk.get("[state.frame, state.selected, state.video.name]") == [12, 2, clip.name]
    after = (desk.letters(1), desk.letters(2), desk.masks(), desk.get("[...state.prompts.get(1).keys()]"))
    assert after == before
    desk.press("Control+z")  # the history is there too
    desk.until("state.thing(2).name === 'object'")
    desk.press("Control+z")
    desk.until("!state.thing(2)")

    tracks = json.loads(desk.export("youtube-vis", tmp_path).read_text())
    (annotation,) = tracks["annotations"]
    assert tracks["videos"][0]["length"] == FRAMES
    mask = rle_to_mask(annotation["segmentations"][12])
    assert (mask == runs_to_mask(before[2]["1"], SIZE)).all()
    with av.open(str(desk.export("mp4", tmp_path))) as container:
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    assert len(pictures) == FRAMES
    assert (pictures[12].shape[1], pictures[12].shape[0]) == (WIDTH, HEIGHT)


def test_undo_redo_clear_and_negative_clicks(open_video: OpenVideoDesk, clip: Path) -> None:
    desk = open_video()
    desk.until_ready()
    x, y = disc_centre(0)
    desk.click(x, y)
    desk.until_said()
    one = desk.masks()["1"]
    desk.click(x + 60, y, button="right")
    desk.until("state.draft.points.length === 2")
    desk.until_said()
    assert desk.get("state.draft.points.map((point) => point[2])") == [True, False]
    desk.press("Control+z")
    desk.until("state.draft.points.length === 1")
    desk.until_said()
    assert desk.masks()["1"] == one
    desk.press("Escape")  # clears this frame
    desk.until("state.draft.points.length === 0 && state.objects.length === 0")
    desk.until_said()
    desk.press("Control+z")
    desk.until("state.objects.length === 1")
    desk.until_said()
    assert desk.masks()["1"] == one
    desk.press("Control+z")
    desk.until("state.shownThings.length === 0")
    desk.press("Control+Shift+z")
    desk.until("state.shownThings.length === 1 && state.objects.length === 1")
    desk.press("Delete")
    desk.until("state.shownThings.length === 0")


def test_a_video_is_played_frame_by_frame_and_scrubbed(open_video: OpenVideoDesk, folder: Path) -> None:
    write_clip(folder / "short.mp4", frames=12)
    desk = open_video()
    desk.until_ready()
    desk.page.evaluate(
        "() => { const { player } = document.querySelector('.cm-video').clickmask; window.seen = [];"
        " const shown = player.shown; player.shown = (frame) => { window.seen.push(frame); shown(frame); }; }"
    )
    desk.press(" ")
    desk.until("!app.player.playing && state.frame === 11")
    assert desk.page.evaluate("() => window.seen") == list(range(1, 12))
    for key, frame in (("ArrowLeft", 10), ("a", 9), ("d", 10), ("Home", 0), ("Shift+ArrowRight", 10), ("End", 11)):
        desk.press(key)
        desk.until(f"state.frame === {frame} && app.player.isShown")
    desk.seek(4)
    assert "5 / 12" in desk.find(".cm-place").inner_text()


def test_what_goes_wrong_is_told_and_an_empty_folder_offers_a_way_on(
    open_video: OpenVideoDesk, folder: Path, tmp_path: Path
) -> None:
    desk = open_video()
    desk.find(".cm-begin").get_by_role("button", name="Make a sample clip").click()
    desk.until("state.video && state.video.name === 'sample-clip.mp4' && app.player.isShown")
    desk.press("t")  # nothing to follow: the buttons say so, and the key does
    desk.until_toast("no object to follow yet")

    def choose(file: Path) -> None:
        with desk.page.expect_file_chooser() as chooser:
            desk.find("[data-do='film']").first.click()
        chooser.value.set_files(str(file))

    (tmp_path / "broken.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42 and nothing else")
    choose(tmp_path / "broken.mp4")
    desk.until_toast("broken.mp4 is not a video that can be read")
    choose(write_clip(tmp_path / "my clip.mp4", frames=5))
    desk.until("state.video && state.video.name === 'my clip.mp4' && app.player.isShown")
    (folder / "my clip.mp4").unlink()
    desk.click(*disc_centre(0))
    desk.until_toast("my clip.mp4 is gone")
    desk.find(".cm-videos .cm-item").filter(has_text="sample-clip").click()
    desk.until("state.video && state.video.name === 'sample-clip.mp4' && app.player.isShown")
    desk.click(240, 150)
    desk.until("state.objects.length === 1")


def test_two_tabs_on_one_video_do_not_overwrite_each_other(open_video: OpenVideoDesk, clip: Path) -> None:
    one, other = open_video(), open_video()
    one.until_ready()
    other.until_ready()
    one.click(*disc_centre(0))
    one.until_said()
    other.click(140, 100)
    other.until_toast("changed in another tab")
    other.until("state.objects.length === 1")
    assert other.masks() == one.masks()


def test_photos_are_labeled_while_a_video_is_tracked(open_desk: OpenDesk, clip: Path) -> None:
    photos = open_desk()
    desk = VideoDesk.of(photos)
    desk.until_ready()
    desk.click(*disc_centre(0))
    desk.until_said()
    desk.press("t")
    desk.until("state.run")
    desk.page.get_by_role("tab", name="Photos").click()
    photos.click(250, 160)
    photos.until_mask()
    photos.accept()
    desk = VideoDesk.of(photos)
    desk.until("!state.run")
    assert "." not in desk.letters()
    assert photos.get("state.objects.length") == 1


@pytest.mark.parametrize(("width", "height"), [(390, 780), (1024, 700), (2560, 1300)])
def test_every_control_is_inside_the_window(open_video: OpenVideoDesk, clip: Path, width: int, height: int) -> None:
    desk = open_video(width=width, height=height, touch=width < 500)
    desk.until_ready()
    desk.click(*disc_centre(0))
    desk.until("state.objects.length === 1")
    shown = [".cm-modes", ".cm-export", ".cm-steps", ".cm-track", ".cm-timeline", ".cm-foot", ".cm-candidates button"]
    for selector in shown:
        box = desk.find(selector).bounding_box()
        assert box is not None, selector
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= width, selector
        assert box["y"] + box["height"] <= height, selector
    stage = desk.find(".cm-stage").bounding_box()
    assert stage is not None
    assert stage["height"] > 0.4 * height
    desk.press("Control+Shift+z")
    desk.until_toast("Nothing to redo")
    toasts, zoom = desk.find(".cm-toasts").bounding_box(), desk.find(".cm-zoom").bounding_box()
    assert toasts is not None
    assert zoom is None or toasts["x"] + toasts["width"] <= zoom["x"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_program_sends_a_video_and_prompts_and_gets_the_tracks(url: str, clip: Path) -> None:
    client = Client(url, verbose=False)
    (found,) = client.predict(str(clip.parent), api_name="/list_videos")
    assert found == {"video": str(clip), "name": "clip.mp4", "is_folder": False, "begun": False}
    x, y = disc_centre(5)
    prompts = [{"object": 1, "name": "disc", "frame": 5, "points": [[x, y, 1]]}]
    for video, api_name in ((str(clip), "/track_video"), (handle_file(str(clip)), "/track_uploaded_video")):
        file = client.predict(video, prompts, api_name=api_name)
        tracks = json.loads(Path(file).read_text())
        (annotation,) = tracks["annotations"]
        assert iou(np.asarray(rle_to_mask(annotation["segmentations"][5])), disc_mask(5)) > 0.6
    with pytest.raises(Exception, match="outside the folders this server may open"):
        client.predict("/etc/passwd", prompts, api_name="/track_video")
