"""The command line, run as a person runs it: a photo and clicks in, COCO and an overlay out."""

from __future__ import annotations

import errno
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from clickmask.__main__ import main
from clickmask.decoder import MODELS


def decoder(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``clickmask``."""
    command = [sys.executable, "-m", "clickmask", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A bright disc on a dark ground."""
    y, x = np.mgrid[:240, :320]
    disc = (x - 100) ** 2 + (y - 120) ** 2 < 60**2
    pixels = np.where(disc[..., None], (230, 190, 60), (30, 50, 90)).astype(np.uint8)
    path = tmp_path / "disc.png"
    Image.fromarray(pixels).save(path)
    return path


def test_a_click_becomes_a_coco_file_and_an_overlay(photo: Path, tmp_path: Path) -> None:
    result = decoder(
        "segment", photo, "--point", "100,120", "--point", "300,20,neg",
        "--category", "disc", "--out", "coco.json", "--overlay", "overlay.png", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "<- chosen" in result.stdout
    coco = COCO(tmp_path / "coco.json")
    annotation = coco.loadAnns(coco.getAnnIds())[0]
    mask = coco.annToMask(annotation).astype(bool)
    y, x = np.mgrid[:240, :320]
    disc = (x - 100) ** 2 + (y - 120) ** 2 < 60**2
    assert (mask & disc).sum() / (mask | disc).sum() > 0.8
    assert annotation["area"] == mask.sum()
    assert coco.loadCats(annotation["category_id"])[0]["name"] == "disc"
    with Image.open(tmp_path / "overlay.png") as overlay:
        assert overlay.size == (320, 240)


@pytest.mark.parametrize("rule", ["iou", "stability"])
def test_the_other_rules_and_a_box(photo: Path, tmp_path: Path, rule: str) -> None:
    result = decoder("segment", photo, "--box", "40,60,160,180", "--rule", rule, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(json.loads((tmp_path / "disc.coco.json").read_text())["annotations"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.jpg", "--point", "1,1"], "gone.jpg does not exist"),
        (["disc.png"], "the prompt is empty"),
        (["disc.png", "--point", "900,10"], "point (900.0, 10.0) is outside the 320x240 image"),
        (["disc.png", "--point", "a,b"], "wanted X,Y or X,Y,neg"),
        (["disc.png", "--point", "1,2,maybe"], "wanted X,Y or X,Y,neg"),
        (["disc.png", "--box", "1,2,3"], "wanted X0,Y0,X1,Y1"),
        (["disc.png", "--point", "1,1", "--model", "sam9"], "model 'sam9' is unknown"),
        (["disc.png", "--point", "100,120", "--out", "disc.png/coco.json"], "coco.json: cannot be written"),
        (["disc.png", "--point", "100,120", "--out", "."], ".: cannot be written"),
        (["disc.png", "--point", "100,120", "--overlay", "overlay.xyz"], "overlay.xyz cannot be written"),
    ],
)
def test_mistakes_get_one_clear_line(photo: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = decoder("segment", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_models_are_listed_with_their_weights(tmp_path: Path) -> None:
    result = decoder("models", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in MODELS)
    assert "nano.safetensors" in result.stdout


def test_an_unknown_command_lists_the_known_ones(tmp_path: Path) -> None:
    result = decoder("paint", cwd=tmp_path)
    assert result.returncode == 2
    assert "segment" in result.stderr


def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "records.json")

    monkeypatch.setattr("clickmask.decoder.commands.models.run", full)
    assert main(["models"]) == 1
    assert capsys.readouterr().err == "error: records.json: No space left on device\n"


def test_a_package_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def draw(arguments: object) -> int:
        return int(importlib.import_module("no_such_package").__version__)

    monkeypatch.setattr("clickmask.decoder.commands.models.run", draw)
    assert main(["models"]) == 1
    told = "error: models needs the package no_such_package, see the extras in pyproject.toml\n"
    assert capsys.readouterr().err == told
