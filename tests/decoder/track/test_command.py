"""``track`` and ``evaluate-video`` as a person runs them, with the model in the box."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder.commands.evaluate_video import Score, read_sequences
from clickmask.decoder.shapes import mask_iou, rle_to_mask

FRAMES, SIDE = 8, 96


def truth(frame: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[30:60, 10 + 3 * frame : 40 + 3 * frame] = True
    return mask


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red square that moves to the right over noise, with its true masks."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "frames").mkdir()
    (folder / "masks").mkdir()
    noise = np.random.default_rng(0).integers(60, 110, (SIDE, SIDE, 3), dtype=np.uint8)
    for frame in range(FRAMES):
        picture = noise.copy()
        picture[truth(frame)] = (220, 40, 30)
        Image.fromarray(picture).save(folder / "frames" / f"{frame:05d}.png")
        Image.fromarray(truth(frame)).save(folder / "masks" / f"{frame:05d}.png")
    row = {"sequence": "square", "images": "frames", "masks": "masks"}
    (folder / "index.json").write_text(json.dumps([row]))
    return folder


def test_track_writes_tracks_and_an_overlay(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, overlay = tmp_path / "tracks.json", tmp_path / "overlay.mp4"
    arguments = [str(data_set / "frames"), "--box", "19,30,49,60", "--frame", "3", "--out", str(out)]
    assert main(["track", *arguments, "--overlay", str(overlay)]) == 0
    assert "object 1: seen on 8 of 8 frames" in capsys.readouterr().out
    (track,) = json.loads(out.read_text())["annotations"]
    overlaps = [mask_iou(rle_to_mask(rle), truth(t)) for t, rle in enumerate(track["segmentations"])]
    assert min(overlaps) > 0.7
    with av.open(str(overlay)) as container:
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
    assert len(pictures) == FRAMES
    centre = pictures[5][45, 40]
    assert centre[2] > 100  # red, tinted blue


def test_every_object_has_its_own_track(data_set: Path, tmp_path: Path) -> None:
    arguments = [str(data_set / "frames"), "--box", "10,30,40,60", "--point", "70,80", "--out", str(tmp_path / "mots")]
    assert main(["track", *arguments, "--format", "mots"]) == 0
    (file,) = [path for path in (tmp_path / "mots").glob("*.txt") if path.stem != "classes"]
    assert {line.split()[1] for line in file.read_text().splitlines()} == {"1001", "1002"}  # class 1, objects 1 and 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to follow: wanted --box X0,Y0,X1,Y1 or --point X,Y"),
        (["--box", "1,2,3"], "--box is '1,2,3', wanted X0,Y0,X1,Y1"),
        (["--box", "1,2,30,40", "--frame", "99"], "frame 99 does not exist, wanted 0 to 7"),
        (["--box", "1,2,9,9", "--lost-after", "0"], "objects are to be given up after 0 frames, wanted at least 1"),
    ],
    ids=["nothing", "malformed", "too far", "given up at once"],
)
def test_mistakes_are_told_in_one_line(
    data_set: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["track", str(data_set / "frames"), *arguments]) == 1
    assert capsys.readouterr().err == f"error: {message}\n"


@pytest.mark.parametrize("file_format", ["mots", "coco"])
def test_an_output_that_cannot_be_written_is_refused_before_tracking(
    file_format: str, data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was told after all frames were tracked, and the tracks were lost."""
    (tmp_path / "mots").touch()
    (tmp_path / "coco").mkdir()
    arguments = ["--box", "19,30,49,60", "--out", str(tmp_path / file_format), "--format", file_format]
    assert main(["track", str(data_set / "frames"), *arguments]) == 1
    told = capsys.readouterr()
    wanted = "is a file, wanted a folder for mots" if file_format == "mots" else "is a folder, wanted a file for coco"
    assert (told.out, told.err) == ("", f"error: {tmp_path / file_format} {wanted}\n")


def test_what_was_tracked_before_a_broken_frame_is_written(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = tmp_path / "take.2"
    shutil.copytree(data_set / "frames", frames)
    (frames / "00005.png").write_bytes(b"not a picture")
    out = tmp_path / "new" / "tracks.json"
    arguments = ["--box", "10,30,40,60", "--format", "coco", "--out", str(out)]
    assert main(["track", str(frames), *arguments]) == 1
    told = capsys.readouterr()
    assert "object 1: seen on 5 of 5 frames" in told.out
    assert "stopped early: " in told.err
    assert [image["video"] for image in json.loads(out.read_text())["images"]] == ["take.2"] * 5


def test_frames_in_a_folder_keep_their_names(data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data_set / "frames")
    out = tmp_path / "tracks.json"
    assert main(["track", ".", "--box", "10,30,40,60", "--format", "coco", "--out", str(out)]) == 0
    written = [image["file_name"] for image in json.loads(out.read_text())["images"]]
    assert written == [f"frames/{frame:05d}.png" for frame in range(FRAMES)]


def test_frames_and_masks_are_paired_by_their_numbers(tmp_path: Path) -> None:
    """Frames were in the order of their numbers, masks in that of their letters: 10 came before 9."""
    for folder in ("frames", "masks"):
        (tmp_path / folder).mkdir()
        for frame in (9, 10):
            Image.new("L", (4, 4), frame).save(tmp_path / folder / f"{frame}.png")
    (tmp_path / "index.json").write_text(json.dumps([{"sequence": "a", "images": "frames", "masks": "masks"}]))
    (sequence,) = read_sequences(tmp_path)
    assert [path.name for path in sequence.masks] == [path.name for path in sequence.video.paths] == ["9.png", "10.png"]


def test_evaluate_video_prints_scores_and_floors(data_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate-video", str(data_set), "--start", "mask", "--floors"]) == 0
    means, course = capsys.readouterr().out.split("\n\n")
    rows = {line.split("|")[1].strip(): line.split("|")[-2] for line in means.splitlines()}
    j = {name: float(cell.split("/")[0]) for name, cell in list(rows.items())[2:]}
    assert j["nano from a mask"] > 0.8
    # Every frame but the first and the last: the square has gone 3 to 18 of its 30 pixels.
    assert j["repeat the first mask"] == pytest.approx(
        np.mean([(30 - 3 * t) / (30 + 3 * t) for t in range(1, 7)]), abs=1e-3
    )
    last = course.splitlines()[-1].split("|")
    assert last[1].strip() == "move it by optical flow"
    assert last[-2].strip() == "never"
    repeated = next(line for line in course.splitlines() if "repeat" in line).split("|")
    assert float(repeated[3]) == 1.0
    assert float(repeated[4]) > float(repeated[7])


def test_a_track_is_lost_where_it_never_comes_back() -> None:
    def score(*js: float) -> Score:
        return Score("video", "method", 0.0, 0.0, js)

    assert score(1.0, 0.1, 0.5, 0.1, 0.0).lost_from == 3
    assert score(1.0, 0.1, 0.5).lost_from is None
    assert score(0.0, 0.1).lost_from == 0


def test_a_data_set_that_lacks_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate-video", str(tmp_path)]) == 1
    assert "index.json cannot be read" in capsys.readouterr().err
