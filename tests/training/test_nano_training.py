"""Training runs, learns, writes what it should, and goes on where it stopped."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.modeling.config import DecoderConfig, LiteConfig, LiteStage, NanoConfig
from clickmask.decoder.modeling.nano import Nano
from training.interactive import interactive_loss, plain_start
from training.loop import LoopConfig, Trainer
from training.nano import NanoTraining, export_weights, start_from, train_nano
from training.parallel import average_step, run_parallel
from training.sampler import Sampler
from training.targets import choose_targets
from training.views import render
from training.zoom import zoom_start

TINY = NanoConfig(
    image_side=64,
    stem=8,
    widths=(8, 16, 16),
    depths=(1, 1, 1),
    lite=LiteConfig(
        (
            LiteStage(8, 1, 3, 1, 1),
            LiteStage(8, 1, 3, 2),
            LiteStage(8, 1, 5, 2),
            LiteStage(16, 2, 3, 2, 2),
            LiteStage(16, 1, 5, 2),
        ),
        stem=8,
    ),
    lite_lateral=16,
    context=16,
    decoder=DecoderConfig(width=32, heads=2, mlp_width=32, s4_channels=8, s8_channels=8),
)


def _training(steps: int) -> NanoTraining:
    return NanoTraining(LoopConfig(steps=steps, save_every_s=0.5), network=TINY, images=2, prompts=2, zoom_from=0.2)


def test_a_run_writes_weights_curves_and_a_state_to_resume(pool: Path, tmp_path: Path) -> None:
    weights = train_nano(pool, tmp_path, _training(20), device=torch.device("cpu"))
    Nano(TINY).load_state_dict(load_file(weights))
    rows = list(csv.DictReader((tmp_path / "curves.csv").read_text().splitlines()))
    assert int(rows[-1]["images"]) == 2 * int(rows[-1]["step"]) > 0
    assert (tmp_path / "curves.png").stat().st_size > 1000
    assert torch.load(tmp_path / "last.pt")["progress"]["step"] == 20

    train_nano(pool, tmp_path, _training(25), device=torch.device("cpu"))
    assert torch.load(tmp_path / "last.pt")["progress"]["step"] == 25


def test_a_run_goes_on_from_weights(pool: Path, tmp_path: Path) -> None:
    first = train_nano(pool, tmp_path / "first", _training(10), device=torch.device("cpu"))
    still = replace(_training(3), start=first, loop=LoopConfig(steps=3, rate=0.0))  # steps that change nothing
    second = train_nano(pool, tmp_path / "second", still, device=torch.device("cpu"))
    before, after = load_file(first), load_file(second)
    assert all(torch.equal(before[key], after[key]) for key, _ in Nano(TINY).named_parameters())


def test_weights_of_another_network_are_no_start(pool: Path, tmp_path: Path) -> None:
    decoder = DecoderConfig(width=64, heads=2, mlp_width=64, s4_channels=16, s8_channels=16)
    export_weights(Nano(replace(TINY, decoder=decoder, widths=(16, 24, 24))), tmp_path / "other.safetensors")
    other = replace(_training(10), start=tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match=r"cannot start from .*other\.safetensors"):
        train_nano(pool, tmp_path, other, device=torch.device("cpu"))


def test_what_the_weights_lack_begins_anew(tmp_path: Path) -> None:
    export_weights(Nano(replace(TINY, context=32)), tmp_path / "wider.safetensors")
    network = Nano(TINY)
    missing = start_from(network, tmp_path / "wider.safetensors")
    assert {name.split(".")[1] for name in missing} == {"to_context", "context", "descents"}
    given = load_file(tmp_path / "wider.safetensors")
    assert torch.equal(network.state_dict()["trunk.stem.0.weight"], given["trunk.stem.0.weight"].float())


def test_a_run_from_weights_leaves_the_statistics_of_norms(pool: Path, tmp_path: Path) -> None:
    first = train_nano(pool, tmp_path / "first", _training(10), device=torch.device("cpu"))
    further = replace(_training(3), start=first)
    second = train_nano(pool, tmp_path / "second", further, device=torch.device("cpu"))
    before, after = load_file(first), load_file(second)
    assert all(torch.equal(before[key], after[key]) for key in before if "running" in key)
    assert not torch.equal(before["trunk.stem.0.weight"], after["trunk.stem.0.weight"])


def test_the_lite_trunk_waits_for_its_turn(pool: Path, tmp_path: Path) -> None:
    training = replace(_training(5), lite_from=1.1)
    torch.manual_seed(training.seed)
    before = Nano(TINY).state_dict()
    after = load_file(train_nano(pool, tmp_path, training, device=torch.device("cpu")))
    lite = [key for key, value in before.items() if key.startswith("trunk.lite.") and value.is_floating_point()]
    assert all(torch.allclose(before[key], after[key].float(), atol=1e-3) for key in lite)


def test_a_broken_state_is_named(pool: Path, tmp_path: Path) -> None:
    torch.save({"network": {}}, tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match=r"cannot go on from .*last\.pt"):
        train_nano(pool, tmp_path, _training(10), device=torch.device("cpu"))


def test_the_network_learns_one_view_by_heart(pool: Path) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    network, average = Nano(TINY), Nano(TINY)
    trainer = Trainer(network, average, LoopConfig(minutes=100, rate=4e-3))
    images = Sampler(pool, generator, torch.device("cpu")).draw(1)
    views = render(images, torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), 64)
    reports = []

    def loss() -> torch.Tensor:
        start = plain_start(views, choose_targets(views.labels, 4, generator), generator)
        value, report = interactive_loss(network, start, generator)
        reports.append(report)
        return value

    trainer.progress.seconds = 300  # past the warm-up
    for _ in range(300):
        trainer.step(loss)
    early, late = (sum(report.corrected_iou for report in part) for part in (reports[:10], reports[-10:]))
    assert late > early + 2, f"{early} to {late}"  # of at most 10


def test_a_zoom_start_carries_the_first_prompt_and_its_answer(pool: Path) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    images = Sampler(pool, generator, torch.device("cpu")).draw(3)
    maps = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]).expand(3, -1, -1)
    colour = torch.tensor([1.0, 0.0]).expand(3, 3, 2)
    full = render(images, maps, 64, colour=colour)
    start = zoom_start(Nano(TINY).eval(), images, maps, full, 2, colour, generator)
    assert start.views.pixels.shape == (3, 3, 64, 64)
    assert start.prompts.points.shape[0] == len(start.targets.present) == 6
    assert start.logits is not None
    assert bool((start.logits[::2] != 0).any())
    assert not bool((start.logits[1::2] != 0).any())


def _average_of_ranks(folder: Path, rank: int) -> None:
    parameter = nn.Parameter(torch.zeros(3))
    parameter.grad = torch.full((3,), float(rank))
    seconds = average_step([parameter], seconds=10.0 * rank)
    torch.save((parameter.grad, seconds), folder / f"{rank}.pt")


def test_two_processes_agree_on_gradients_and_time(tmp_path: Path) -> None:
    run_parallel(partial(_average_of_ranks, tmp_path), processes=2)
    for rank in range(2):
        gradient, seconds = torch.load(tmp_path / f"{rank}.pt")
        assert gradient.tolist() == [0.5, 0.5, 0.5]
        assert seconds == 5.0
