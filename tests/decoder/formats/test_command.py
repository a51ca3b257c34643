"""``clickmask convert`` on real files, as a person runs it."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clickmask.decoder.commands.convert import add_arguments, run
from clickmask.decoder.errors import DatasetError, ShapeError
from clickmask.decoder.formats.coco import read_coco, write_coco
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle
from tests.decoder.formats.samples import content, sample_dataset, write_pictures
from tests.decoder.formats.test_round_trips import KEEP_CONTENT


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    write_pictures(sample_dataset(), tmp_path / "pictures")
    write_coco(sample_dataset(), tmp_path / "in.json")
    return tmp_path / "in.json"


def convert(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.mark.parametrize("name", KEEP_CONTENT)
def test_from_coco_to_every_format_and_back(name: str, coco: Path, tmp_path: Path) -> None:
    there = tmp_path / f"there{FORMATS[name].suffix}"
    pictures = ("--images", tmp_path / "pictures")
    assert convert("--from", "coco", "--to", name, *pictures, coco, there) == 0
    assert convert("--from", name, "--to", "coco", *pictures, there, tmp_path / "back.json") == 0
    assert content(read_coco(tmp_path / "back.json")) == content(sample_dataset())


def test_several_inputs_are_merged_and_the_result_is_told(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    convert("--from", "coco", "--to", "coco", coco, coco, tmp_path / "out.json")
    assert f"{tmp_path / 'out.json'}: 3 images, 10 objects, 3 categories" in capsys.readouterr().out


def test_appending_adds_to_what_is_there(coco: Path, tmp_path: Path) -> None:
    convert("--from", "coco", "--to", "png", coco, tmp_path / "masks")
    (tmp_path / "masks" / "a.png").rename(tmp_path / "masks" / "other.png")
    convert("--from", "png", "--to", "coco", "--append", tmp_path / "masks", coco)
    names = [annotated.image.file_name for annotated in read_coco(coco).images]
    assert names == ["a.png", "day 1/b.png", "day 1/empty.png", "other.png"]


def test_a_split_writes_one_file_per_part(coco: Path, tmp_path: Path) -> None:
    convert("--from", "coco", "--to", "coco", "--split", "train=0.67,val=0.33", coco, tmp_path / "out.json")
    counts = [read_coco(tmp_path / f"out.{name}.json").image_count for name in ("train", "val")]
    assert counts == [2, 1]


def test_what_is_there_is_not_written_over_by_accident(coco: Path) -> None:
    with pytest.raises(DatasetError, match="--append adds to it, --overwrite replaces it"):
        convert("--from", "coco", "--to", "coco", coco, coco)
    assert convert("--from", "coco", "--to", "coco", "--overwrite", coco, coco) == 0


def test_broken_records_are_listed_and_counted(coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco.write_text(coco.read_text().replace('"image_id":11', '"image_id":99'))
    arguments = ("--from", "coco", "--to", "yolo", coco, tmp_path / "yolo")
    assert convert(*arguments) == 3
    out = capsys.readouterr().out
    assert f"left out: {coco}: annotation 200: image_id is 99, which no image has" in out
    assert out.splitlines()[-1] == "left out: 1"
    assert convert(*arguments, "--lenient", "--overwrite") == 0
    with pytest.raises(DatasetError, match="annotation 200: image_id is 99"):
        convert(*arguments, "--strict", "--overwrite")


def test_a_terminal_shows_progress_bars(coco: Path, tmp_path: Path) -> None:
    """Run as a person would, on a pseudo-terminal; elsewhere, as in a log, there are no bars."""
    command = [sys.executable, "-m", "clickmask", "convert", "--from", "coco", "--to", "voc", str(coco)]
    screen, line = pty.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    ran = subprocess.run([*command, str(tmp_path / "a")], stderr=line, stdout=subprocess.PIPE, check=True, text=True)
    os.close(line)
    shown = os.read(screen, 1 << 16).decode()
    os.close(screen)
    assert "reading records" in shown
    assert "writing images: 100%" in shown
    assert "3 images, 5 objects" in ran.stdout
    logged = subprocess.run([*command, str(tmp_path / "b")], capture_output=True, check=True, text=True)
    assert logged.stderr == ""


@pytest.mark.parametrize("wish", [("--min-iou", 3), ("--max-points", 2), ("--style", "painted", "--min-iou", 0.9)])
def test_impossible_wishes_are_told_before_anything_is_written(
    wish: tuple[object, ...], coco: Path, tmp_path: Path
) -> None:
    """Each object was left out for it, and the command ended well."""
    with pytest.raises(ShapeError, match=r"min_iou is 3|max_points is 2|'painted' is exact"):
        convert("--from", "coco", "--to", "yolo", *wish, coco, tmp_path / "yolo")
    assert not (tmp_path / "yolo").exists()


@pytest.mark.parametrize("split", ["train", "train=x", "=0.5", "a b=1"])
def test_a_malformed_split_is_a_usage_error(
    split: str, coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        convert("--from", "coco", "--to", "coco", "--split", split, coco, tmp_path / "out.json")
    assert "is not NAME=SHARE, such as train=0.8" in capsys.readouterr().err


def test_errors_are_one_line_for_a_person(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clickmask", "convert", "--from", "coco", "--to", "voc", "missing.json", "out"]
    ran = subprocess.run(command, capture_output=True, check=False, text=True, cwd=tmp_path)
    assert ran.returncode == 1
    assert ran.stderr == "error: missing.json: cannot be read: No such file or directory\n"


def test_a_format_that_holds_no_pictures_sizes_asks_for_them(coco: Path, tmp_path: Path) -> None:
    convert("--from", "coco", "--to", "yolo", coco, tmp_path / "yolo")
    with pytest.raises(DatasetError, match="train: there is no images, wanted the pictures"):
        FORMATS["yolo"].read(tmp_path / "yolo", ReadOptions())


def test_appending_loses_nothing_of_what_is_there(coco: Path, tmp_path: Path) -> None:
    """What could not be read of OUT was listed as left out, and then written over."""
    out = tmp_path / "out.json"
    out.write_text(coco.read_text().replace('"image_id":11', '"image_id":99'))
    before = out.read_text()
    with pytest.raises(DatasetError, match="annotation 200: image_id is 99"):
        convert("--from", "coco", "--to", "coco", "--append", coco, out)
    assert out.read_text() == before


@pytest.mark.parametrize("kind", ["choices", "relation"])
def test_appending_to_tasks_loses_no_answer_that_is_no_region(coco: Path, tmp_path: Path, kind: str) -> None:
    """They have no place in an object's record, and were gone after OUT had been written anew."""
    out = tmp_path / "tasks.json"
    convert("--from", "coco", "--to", "label-studio", coco, out)
    convert("--from", "coco", "--to", "label-studio", "--append", coco, out)
    tasks = json.loads(out.read_text())
    results = next(task["annotations"][0]["result"] for task in tasks if task["annotations"][0]["result"])
    results.append(results[0] | {"type": kind})
    out.write_text(json.dumps(tasks))
    with pytest.raises(DatasetError, match=rf"task .*: answers that are no region \('{kind}'\) would be lost"):
        convert("--from", "coco", "--to", "label-studio", "--append", coco, out)
    assert json.loads(out.read_text()) == tasks
    assert convert("--from", "label-studio", "--to", "coco", out, tmp_path / "back.json") == 0


def test_no_part_of_a_split_is_written_where_one_exists(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "out.val.json").write_text("mine")
    with pytest.raises(DatasetError, match=r"out\.val\.json: exists"):
        convert("--from", "coco", "--to", "coco", "--split", "train=0.67,val=0.33", coco, tmp_path / "out.json")
    assert not (tmp_path / "out.train.json").exists()


def test_half_a_surrogate_pair_is_no_name(coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON may hold one, and so may a path that is no UTF-8; it used to end in a traceback."""
    coco.write_text(coco.read_text().replace('"file_name":"a.png"', '"file_name":"\\ud800.png"'))
    assert convert("--from", "coco", "--to", "coco", coco, tmp_path / "out.json") == 3
    assert f"left out: {coco}: image 10: the name '\\ud800.png' is no valid text" in capsys.readouterr().out


def test_masks_that_are_too_grainy_to_simplify_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Looking for fewer points took 23 seconds of work; giving up took none, and was not told."""
    grains = np.random.default_rng(0).random((512, 512)) > 0.5
    item = ObjectRecord(1, 1, mask_to_rle(grains))
    smooth = replace(item, id=2, rle=mask_to_rle(np.pad(np.ones((9, 9), bool), ((0, 503), (0, 503)))))
    image = AnnotatedImage(ImageRecord(1, "a.png", Size(512, 512)), (item, smooth))
    write_coco(Dataset((Category(1, "cat"),), [image], 1), tmp_path / "in.json", WriteOptions(encoding="rle"))
    assert (
        convert("--from", "coco", "--to", "coco", "--min-iou", 0.99, tmp_path / "in.json", tmp_path / "out.json") == 0
    )
    assert "note: 1 masks too grainy to simplify, which keep their exact pixel edges" in capsys.readouterr().out
