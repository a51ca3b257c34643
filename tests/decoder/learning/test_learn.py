"""The gate, and bad input: no harm, clear words, the last good version stays."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from clickmask.decoder import Engine, ImageError, ImageSource, Model
from clickmask.decoder.errors import LearningError
from clickmask.decoder.learning import learn as room
from clickmask.decoder.learning.adapter import Adapter, blank_tensors
from clickmask.decoder.learning.examples import Example
from clickmask.decoder.learning.fit import FitSettings
from clickmask.decoder.learning.gate import general_iou, mean_clicks
from clickmask.decoder.learning.learn import learn
from clickmask.decoder.learning.versions import Versions
from tests.decoder.learning.objects import accepted_objects, outcome

SETTINGS = FitSettings(steps=1, batch=1, remembered=1, pictures=1, windows=1)


@pytest.fixture(scope="module")
def engine(nano: Model) -> Engine:
    return Engine(nano)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float]]:
    """Clicks and general IoU without (first) and with what was learned, in place of measuring them; no fitting."""
    figures = {"clicks": (4.0, 3.0), "general": (0.9, 0.9)}

    def figure(name: str, engine: Engine) -> float:
        return figures[name][0 if engine.model.adapter in (None, "flowers-1") else 1]

    monkeypatch.setattr(room, "mean_clicks", lambda engine, _: figure("clicks", engine))
    monkeypatch.setattr(room, "general_iou", lambda engine: figure("general", engine))
    monkeypatch.setattr(room, "fit", lambda engine, *_: blank_tensors(engine.model, torch.Generator().manual_seed(0)))
    return figures


def run(engine: Engine, versions: Versions, examples: list[Example]) -> str:
    return learn(engine, examples, versions, SETTINGS, lambda _: None).sentence


def test_what_helps_is_used(engine: Engine, tmp_path: Path, quick: dict[str, tuple[float, float]]) -> None:
    versions = Versions(tmp_path / "flowers", "flowers")
    assert versions.engine(engine) is engine
    assert run(engine, versions, accepted_objects(12)) == "Learned from 12 objects: 3.0 clicks instead of 4.0"
    assert versions.engine(engine).model.version == "nano+flowers-1"
    quick["clicks"] = (3.0, 2.5)
    assert run(engine, versions, accepted_objects(24)) == "Learned from 24 objects: 2.5 clicks instead of 3.0"
    assert versions.state().current == 2


def test_what_gains_nothing_is_not_used(engine: Engine, tmp_path: Path, quick: dict[str, tuple[float, float]]) -> None:
    """Contradictory labels, or one class of one picture: those held back do not get better."""
    versions = Versions(tmp_path, "flowers")
    run(engine, versions, accepted_objects(12))
    quick["clicks"] = (3.0, 2.95)
    assert "Nothing gained from 12 objects" in run(engine, versions, accepted_objects(12))
    assert versions.state().current == 1


def test_what_forgets_is_not_used(engine: Engine, tmp_path: Path, quick: dict[str, tuple[float, float]]) -> None:
    quick["general"] = (0.9, 0.85)
    told = run(engine, Versions(tmp_path, "flowers"), accepted_objects(12))
    assert told.startswith("Not used: what 12 objects taught takes 3.0 clicks instead of 4.0")
    assert Versions(tmp_path, "flowers").adapter() is None


def test_of_what_forgets_a_part_is_used(
    engine: Engine, tmp_path: Path, quick: dict[str, tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([0.9, 0.88, 0.895])  # without, with all and with a part of it
    monkeypatch.setattr(room, "general_iou", lambda _: next(found))
    monkeypatch.setattr(room, "fit", lambda *_: {"mask_decoder.mask_tokens.weight.shift": torch.ones(4, 128)})
    versions = Versions(tmp_path, "flowers")
    assert run(engine, versions, accepted_objects(12)).startswith("Learned from 12 objects")
    adapter = versions.adapter()
    assert adapter is not None
    assert float(adapter.tensors["mask_decoder.mask_tokens.weight.shift"].max()) == pytest.approx(0.7)


def test_three_objects_are_too_few(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(LearningError, match="3 accepted objects teach too little, wanted at least 10"):
        run(engine, Versions(tmp_path, "flowers"), accepted_objects(3))


def test_objects_that_cannot_be_read_are_left_out_and_told(
    engine: Engine, tmp_path: Path, quick: dict[str, tuple[float, float]]
) -> None:
    def broken() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        raise ImageError("gone.png does not exist")

    objects = accepted_objects(14)
    objects[3] = replace(objects[3], image=ImageSource("gone", broken))
    objects[5] = replace(objects[5], load_mask=lambda: np.zeros((256, 256), np.bool_))
    objects[6] = replace(objects[6], load_mask=lambda: np.ones((9, 9), np.bool_))
    told = run(engine, Versions(tmp_path, "flowers"), objects)
    assert told.startswith("Learned from 11 objects (3 more could not be read)")


def test_of_50000_objects_some_are_learned_from(
    engine: Engine, tmp_path: Path, quick: dict[str, tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    few = accepted_objects(20)

    def counted(_: Engine, examples: list[Example], *__: object) -> dict[str, torch.Tensor]:
        seen.append(len(examples))
        return {}

    monkeypatch.setattr(room, "fit", counted)
    many = [replace(few[number % 20], key=str(number)) for number in range(50_000)]
    run(engine, Versions(tmp_path, "flowers"), many)
    assert seen == [room.MOST_LEARNED]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_project_that_may_not_be_written_is_told_before_any_work(engine: Engine, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LearningError, match="cannot keep what is learned"):
        run(engine, Versions(tmp_path / "flowers", "flowers"), accepted_objects(12))


def test_a_file_where_the_folder_should_be_is_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "flowers").write_text("in the way")
    with pytest.raises(LearningError, match="cannot keep what is learned"):
        run(engine, Versions(tmp_path / "flowers", "flowers"), accepted_objects(12))


def test_a_full_disk_leaves_the_version_in_use(nano: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = Versions(tmp_path, "flowers")
    learned = Adapter("flowers", nano.fingerprint, blank_tensors(nano, torch.Generator().manual_seed(0)))
    versions.keep(outcome(), learned)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(LearningError, match="No space left"):
        versions.keep(outcome(), learned)
    monkeypatch.undo()
    assert versions.state().current == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.safetensors", "learning.json"]


def test_versions_are_kept_and_rolled_back_one_by_one(nano: Model, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "flowers")
    learned = Adapter("flowers", nano.fingerprint, blank_tensors(nano, torch.Generator().manual_seed(0)))
    assert [versions.keep(outcome(), learned).version, versions.keep(outcome(), None).version] == [1, 0]
    assert versions.keep(outcome(), learned).version == 2
    found = versions.adapter()
    assert found is not None
    assert (found.name, found.base) == ("flowers-2", nano.fingerprint)
    assert [versions.roll_back(), versions.roll_back()] == [1, 0]
    assert versions.adapter() is None
    with pytest.raises(LearningError, match="nothing to roll back"):
        versions.roll_back()
    assert versions.keep(outcome(), learned).version == 3
    assert len(versions.state().outcomes) == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"current": 1, "outcomes": [{}]}', '{"current": "x"}'])
def test_a_broken_list_means_that_nothing_is_in_use(tmp_path: Path, content: str) -> None:
    (tmp_path / "learning.json").write_text(content)
    assert Versions(tmp_path, "flowers").state().current == 0


def test_a_version_whose_file_is_gone_or_broken(nano: Model, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "flowers")
    learned = Adapter("flowers", nano.fingerprint, blank_tensors(nano, torch.Generator().manual_seed(0)))
    versions.keep(outcome(), learned)
    (tmp_path / "1.safetensors").write_bytes(b"cut short")
    with pytest.raises(LearningError, match="cannot be read as an adapter"):
        versions.adapter()
    (tmp_path / "1.safetensors").unlink()
    assert versions.adapter() is None


def test_a_version_learned_on_another_model_is_not_used(engine: Engine, tiny: Model, tmp_path: Path) -> None:
    versions = Versions(tmp_path, "flowers")
    learned = Adapter("flowers", tiny.fingerprint, blank_tensors(tiny, torch.Generator().manual_seed(0)))
    versions.keep(outcome(), learned)
    assert versions.engine(engine) is engine


def test_clicks_are_counted_as_an_engine_answers(engine: Engine) -> None:
    clicks = mean_clicks(engine, accepted_objects(2))
    assert 1 <= clicks <= 10


def test_general_pictures_are_answered_the_same_every_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clickmask.decoder.learning.gate.GENERAL_PICTURES", 2)
    found = general_iou(engine)
    assert 0.5 < found <= 1
    assert general_iou(engine) == found
