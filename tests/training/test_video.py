"""Clips: what is labelled is what is seen, and it moves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from clickmask.decoder.errors import DatasetError
from training.loop import LoopConfig
from training.material import load_material
from training.pool import open_shards
from training.video import FRAMES, POOL_MIX, SIDE, Clip, Layer, Motion, make_clip
from training.video_frames import look_through
from training.video_memory import MemoryTraining, train_nano_memory
from training.video_pool import ClipPlan, build_clips, open_clips

STILL = Motion(
    start=np.array([100.0, 60.0]),
    velocity=np.zeros(2),
    acceleration=np.zeros(2),
    growth=0.0,
    stretch=0.0,
    spin=0.0,
    bend=np.zeros((4, 4, 2)),
    pace=0.0,
    phase=0.0,
)


@pytest.fixture(scope="module")
def clips(pack: Path, pool: Path) -> list[Clip]:
    rng = np.random.default_rng(0)
    material, shards = load_material(pack), {kind: open_shards(pool, kind) for kind in POOL_MIX}
    return [make_clip(material, shards, rng) for _ in range(4)]


def test_a_clip_has_frames_and_moving_objects(clips: list[Clip]) -> None:
    for clip in clips:
        assert clip.pixels.shape == (FRAMES, SIDE, SIDE, 3)
        assert clip.objects.shape == (FRAMES, SIDE, SIDE)
        assert clip.objects.any()
        assert any((clip.objects[0] != later).any() for later in clip.objects[1:])


def square() -> Layer:
    """Twenty by ten, where it is put."""
    rgba = np.full((10, 20, 4), 255, np.uint8)
    return Layer(rgba, STILL, fade=0.0)


def covered(layer: Layer, frame: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what a layer covers."""
    rows, columns = (layer.at(frame)[1] > 0.5).nonzero()
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_a_still_thing_stays_and_a_moving_one_moves_on() -> None:
    assert covered(square(), 0) == covered(square(), 3) == (90, 55, 110, 65)
    moving = replace(square(), motion=replace(STILL, velocity=np.array([5.0, -2.0])))
    assert covered(moving, 3) == (105, 49, 125, 59)


def test_a_growing_thing_grows_around_its_centre() -> None:
    growing = replace(square(), motion=replace(STILL, growth=np.log(2)))
    assert covered(growing, 1) == (80, 50, 120, 70)


def test_a_quarter_turn_swaps_the_sides() -> None:
    turning = replace(square(), motion=replace(STILL, spin=np.pi / 2))
    assert covered(turning, 1) == (95, 50, 105, 70)


def test_a_bent_thing_starts_unbent() -> None:
    bend = np.random.default_rng(0).normal(0, 0.2, (4, 4, 2))
    bent = replace(square(), motion=replace(STILL, bend=bend, pace=0.7))
    assert covered(bent, 0) == (90, 55, 110, 65)
    assert not np.array_equal(bent.at(0)[1], bent.at(2)[1])


def test_shards_are_made_once_and_alike(pack: Path, pool: Path, tmp_path: Path) -> None:
    plan = ClipPlan(1, seed=5)
    (path,) = build_clips(pack, pool, tmp_path / "a", plan, processes=1)
    written = path.stat().st_mtime_ns
    assert build_clips(pack, pool, tmp_path / "a", plan, processes=1) == [path]
    assert path.stat().st_mtime_ns == written
    (again,) = build_clips(pack, pool, tmp_path / "b", plan, processes=1)
    assert np.array_equal(open_clips(path), open_clips(again))


@pytest.mark.parametrize("seed", range(8))
def test_all_frames_of_a_clip_are_looked_at_alike(seed: int) -> None:
    """A still clip stays still, and its object stays where it is seen."""
    pixels, bits = torch.zeros(3, 3, 64, 64), torch.zeros(3, 64, 64, dtype=torch.uint8)
    pixels[:, :, 20:44, 24:40] = 1.0
    bits[:, 20:44, 24:40] = 5
    seen, objects = look_through(pixels, bits, torch.Generator().manual_seed(seed))
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(objects[0], objects[2])
    assert set(objects.flatten().tolist()) == {0, 5}
    bright = seen.mean(dim=1)
    assert bright[objects == 5].mean() > bright[objects == 0].mean() + 0.3


def test_a_run_writes_weights_curves_and_a_state_to_resume(pack: Path, pool: Path, tmp_path: Path) -> None:
    """With the shipped nano; the weights name it."""
    from clickmask.decoder.checkpoints import load_model
    from clickmask.decoder.track.nano_weights import load_nano_memory

    shards = build_clips(pack, pool, tmp_path / "clips", ClipPlan(1), processes=1)
    training = MemoryTraining(LoopConfig(steps=3, save_every_s=0.5), clips=1, objects=2, judged=1)
    weights = train_nano_memory("nano", shards, shards, tmp_path, training, device=torch.device("cpu"))
    assert load_nano_memory(load_model("nano"), weights) is not None
    assert (tmp_path / "curves.csv").read_text().startswith("minutes,step,images,loss,iou,read_iou")
    assert (tmp_path / "curves.png").stat().st_size > 1000

    longer = replace(training, loop=LoopConfig(steps=5, save_every_s=0.5))
    train_nano_memory("nano", shards, shards, tmp_path, longer, device=torch.device("cpu"))
    assert torch.load(tmp_path / "last.pt")["progress"]["step"] == 5


def test_too_few_shards_are_refused(tmp_path: Path) -> None:
    training = MemoryTraining(LoopConfig(1), processes=2)
    with pytest.raises(DatasetError, match="1 shards of clips and 0 held out, wanted at least 2 and 1"):
        train_nano_memory("nano", [tmp_path / "x.npy"], [], tmp_path, training, device=torch.device("cpu"))
