"""Frames of files and folders: the right picture at the right number, in any order."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from clickmask.decoder.errors import VideoError
from clickmask.decoder.prompts import Size
from clickmask.decoder.track.overlay import write_overlay
from clickmask.decoder.video.video_file import FileVideo, FolderVideo, open_video

FRAMES, STEP = 70, 3


def write_video(path: Path, times: list[int]) -> Path:
    """Frames whose brightness tells their number; key frames are rare and B-frames come in between."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"g": "40", "bf": "2", "crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 30)
        for index, time in enumerate(times):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), STEP * index, np.uint8), format="rgb24")
            picture.pts, picture.time_base = time, Fraction(1, 30)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> FileVideo:
    return FileVideo.open(write_video(tmp_path_factory.mktemp("video") / "a.mp4", list(range(FRAMES))))


def numbers(video: FileVideo, indices: range) -> list[tuple[int, int]]:
    """The numbers the frames carry, and those their pictures tell."""
    return [(frame.index, round(float(frame.image.mean()) / STEP)) for frame in video.frames(indices)]


def test_a_video_filmed_lying_is_shown_upright(tmp_path: Path) -> None:
    """As a browser shows it, or boxes drawn there would lie elsewhere."""
    path = tmp_path / "phone.mp4"
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :16] = 255  # the left edge, which a quarter turn counterclockwise brings to the bottom
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    video = FileVideo.open(path)
    assert video.size == Size(64, 48)
    frame = next(video.frames(range(1)))
    assert frame.image[52:].mean() > 200
    assert frame.image[:44].mean() < 50


def test_what_the_file_says(video: FileVideo) -> None:
    assert (video.frame_count, video.size, video.rate) == (FRAMES, Size(48, 64), 30.0)


@pytest.mark.parametrize(
    "indices",
    [range(FRAMES), range(37, 45), range(FRAMES - 1, -1, -1), range(50, 3, -1), range(66, 200), range(0)],
    ids=str,
)
def test_the_right_pictures_in_the_right_order(video: FileVideo, indices: range) -> None:
    wanted = [index for index in indices if index < FRAMES]
    assert numbers(video, indices) == [(index, index) for index in wanted]


@pytest.mark.parametrize("index", [0, 39, 40, 41, FRAMES - 1])
def test_single_frames_around_key_frames(video: FileVideo, index: int) -> None:
    assert numbers(video, range(index, index + 1)) == [(index, index)]


def test_uneven_times_do_not_shift_the_numbers(tmp_path: Path) -> None:
    times = [0, 1, 2, 7, 8, 20, 21, 22, 40, 41]
    video = FileVideo.open(write_video(tmp_path / "uneven.mp4", times))
    assert numbers(video, range(3, 9)) == [(index, index) for index in range(3, 9)]


def test_a_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for index in range(12):
        Image.new("RGB", (6, 4), (index, 0, 0)).save(tmp_path / f"frame{index}.png")
    video = open_video(tmp_path)
    assert isinstance(video, FolderVideo)
    assert [int(frame.image[0, 0, 0]) for frame in video.frames(range(11, 8, -1))] == [11, 10, 9]


def test_a_folder_of_different_sizes(tmp_path: Path) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / "0.png")
    Image.new("RGB", (7, 4)).save(tmp_path / "1.png")
    with pytest.raises(VideoError, match="frame 1 is 7x4, wanted 6x4 like the first"):
        list(open_video(tmp_path).frames(range(2)))


def test_what_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="does not exist"):
        open_video(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(VideoError, match="is not a video that can be read"):
        open_video(tmp_path / "text.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="holds no picture"):
        open_video(tmp_path / "empty")


def test_a_file_cut_short_still_gives_its_beginning(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", list(range(FRAMES)))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    video = FileVideo.open(cut)
    assert 0 < video.frame_count < FRAMES
    assert numbers(video, range(5)) == [(index, index) for index in range(5)]


def test_when_each_frame_is_shown(tmp_path: Path) -> None:
    """The rate of a phone's video varies; the first frame may come late."""
    video = FileVideo.open(write_video(tmp_path / "vary.mp4", [3, 4, 6, 9, 18]))
    assert video.seconds == pytest.approx([0, 1 / 30, 3 / 30, 6 / 30, 15 / 30], abs=1e-3)


def test_a_superscript_is_no_number(tmp_path: Path) -> None:
    """It counts as a digit, but is none that ``int`` can read."""
    for name in ("10", "1²", "9"):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    assert [path.stem for path in FolderVideo.open(tmp_path).paths] == ["1²", "9", "10"]


def test_without_pyav_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An overlay of a folder of frames, whose tracking needs no PyAV, used to end in a traceback."""
    monkeypatch.setitem(sys.modules, "av", None)
    Image.new("RGB", (4, 4)).save(tmp_path / "0.png")
    (tmp_path / "a.mp4").touch()
    with pytest.raises(VideoError, match=r"a\.mp4 needs PyAV: install it with pip install av"):
        open_video(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match=r"b\.mp4 needs PyAV: install it with pip install av"):
        write_overlay(FolderVideo.open(tmp_path), {0: {}}, tmp_path / "b.mp4")
