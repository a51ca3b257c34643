"""Learning in a process of its own: what goes in, what comes back, and what happens if it dies."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clickmask.__main__ import main
from clickmask.decoder.errors import LearningError
from clickmask.decoder.learning import job as room
from clickmask.decoder.learning.job import AcceptedObject, LearningJob, LearningProcess, is_due, read_job
from clickmask.decoder.learning.versions import Versions
from clickmask.decoder.shapes import mask_to_rle
from tests.decoder.learning.objects import outcome

SQUARE = np.zeros((40, 60), np.bool_)
SQUARE[10:20, 10:30] = True


def a_job(folder: Path, count: int = 3) -> LearningJob:
    objects = tuple(
        AcceptedObject(f"o{number}", "p", folder / "p.png", mask_to_rle(SQUARE), ((12.0, 12.5),))
        for number in range(count)
    )
    return LearningJob(folder / "learned", "flowers", objects, "nano", store=folder / "embeddings")


def a_program(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Run this in place of the program that learns."""
    (folder / "stand_in_program.py").write_text(code)
    monkeypatch.setattr(room, "PROGRAM", "stand_in_program")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_job_is_the_same_after_its_file(tmp_path: Path) -> None:
    assert read_job(a_job(tmp_path).as_json()) == a_job(tmp_path)


def test_the_real_process_says_why_it_learned_nothing(tmp_path: Path) -> None:
    with pytest.raises(LearningError, match="3 accepted objects teach too little, wanted at least 10"):
        LearningProcess(a_job(tmp_path)).outcome(lambda _: None)


def test_progress_and_outcome_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["not json", '{"done": 0.5}', json.dumps({"outcome": outcome().as_json()})]
    a_program(monkeypatch, tmp_path, "\n".join(f"print({line!r})" for line in lines))
    told: list[float] = []
    assert LearningProcess(a_job(tmp_path)).outcome(told.append) == outcome()
    assert told == [0.5]


def test_a_process_that_dies_in_the_middle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(monkeypatch, tmp_path, "import sys; print('{\"done\": 0.5}'); sys.exit('out of memory')")
    with pytest.raises(LearningError, match="broken off, everything stays as it was: out of memory"):
        LearningProcess(a_job(tmp_path)).outcome(lambda _: None)


def test_one_that_is_cancelled_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(monkeypatch, tmp_path, "import time; print('{\"done\": 0.1}', flush=True); time.sleep(60)")
    process = LearningProcess(a_job(tmp_path))
    with pytest.raises(LearningError, match="broken off"):
        process.outcome(lambda _: process.cancel())


def test_one_that_cannot_be_started_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with pytest.raises(LearningError, match="cannot be started"):
        LearningProcess(a_job(tmp_path))


def test_it_is_due_at_10_20_40_80() -> None:
    tried, tries = 0, []
    for accepted in range(200):
        if is_due(accepted, tried):
            tried = accepted
            tries.append(accepted)
    assert tries == [10, 20, 40, 80, 160]


def test_the_command_lists_rolls_back_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "flowers"
    assert main(["learn", "--project", str(folder), "--list"]) == 0
    assert "nothing was learned yet" in capsys.readouterr().out
    Versions(folder, "flowers").keep(outcome(after=5.0), None)
    assert main(["learn", "--project", str(folder), "--list"]) == 0
    assert "Nothing gained from 10 objects" in capsys.readouterr().out
    assert main(["learn", "--project", str(folder), "--roll-back"]) == 1
    assert "nothing to roll back" in capsys.readouterr().err
    assert main(["learn", "--project", str(folder)]) == 1
    assert "LABELS is missing" in capsys.readouterr().err


def test_the_command_reads_coco_and_hands_it_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "p.png")
    square = {"segmentation": mask_to_rle(SQUARE), "area": 200, "bbox": [10, 10, 20, 10]}
    numbers = [(1, {}), (2, {}), (3, {"iscrowd": 1})]
    labels = {
        "images": [{"id": 1, "file_name": "p.png", "width": 60, "height": 40}],
        "categories": [{"id": 1, "name": "flower"}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1, **square, **more} for n, more in numbers],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    used = json.dumps({"outcome": {**outcome().as_json(), "version": 1}})
    code = f"import sys; open({str(tmp_path / 'job')!r}, 'w').write(open(sys.argv[1]).read()); print({used!r})"
    a_program(monkeypatch, tmp_path, code)
    assert main(["learn", str(tmp_path / "labels.json"), "--project", str(tmp_path / "flowers")]) == 0
    assert "Learned from 10 objects: 3.0 clicks instead of 4.0" in capsys.readouterr().out
    handed_on = read_job((tmp_path / "job").read_text())
    assert [one.key for one in handed_on.objects] == ["p.png 1", "p.png 2"]
    assert handed_on.objects[0].file == tmp_path / "p.png"
