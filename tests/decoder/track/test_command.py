"""``track`` and ``evaluate-video`` as a person runs them, with the model in the box."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from decoder.__main__ import main
from decoder.shapes import mask_iou, rle_to_mask
from decoder.track.evaluate_command import Score

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
    ],
    ids=["nothing", "malformed", "too far"],
)
def test_mistakes_are_told_in_one_line(
    data_set: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["track", str(data_set / "frames"), *arguments]) == 1
    assert capsys.readouterr().err == f"error: {message}\n"


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
