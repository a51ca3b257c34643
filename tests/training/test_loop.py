"""The loop's learning rates, average and clock are what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.loop import LoopConfig, Trainer, rate_at


def _network() -> nn.Module:
    return nn.ModuleDict({"fast": nn.Linear(2, 2), "slow": nn.Linear(2, 2)})


def _trainer(averaging: float = LoopConfig.averaging) -> Trainer:
    torch.manual_seed(0)
    config = LoopConfig(minutes=10, rate=1e-2, shares=(("slow", 0.25),), averaging=averaging)
    return Trainer(_network(), _network(), config)


def _loss(trainer: Trainer) -> Tensor:
    network = trainer.network
    assert isinstance(network, nn.ModuleDict)
    x = torch.ones(1, 2)
    return torch.stack([(network[name](x) - 3).square().sum() for name in ("fast", "slow")]).sum()


def test_the_rate_rises_then_falls_to_the_end() -> None:
    rates = [rate_at(share / 100) for share in range(101)]
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert rates[50:] == sorted(rates[50:], reverse=True)
    assert rates[100] == pytest.approx(0.01)


def test_slow_parts_take_smaller_steps() -> None:
    trainer = _trainer()
    trainer.progress.seconds = 60
    before = {name: p.detach().clone() for name, p in trainer.network.named_parameters()}
    trainer.step(lambda: _loss(trainer))
    moved = {name: float((p.detach() - before[name]).abs().mean()) for name, p in trainer.network.named_parameters()}
    assert moved["slow.bias"] == pytest.approx(0.25 * moved["fast.bias"], rel=0.05)


def test_parts_with_no_share_stay_as_they_are() -> None:
    torch.manual_seed(0)
    shares = (("", 0.5), ("slow", 0.0), ("slow.bias", 1.0))
    trainer = Trainer(_network(), _network(), LoopConfig(minutes=10, rate=1e-2, shares=shares))
    trainer.progress.seconds = 60
    before = {name: p.detach().clone() for name, p in trainer.network.named_parameters()}
    trainer.step(lambda: _loss(trainer))
    moved = {name: float((p.detach() - before[name]).abs().mean()) for name, p in trainer.network.named_parameters()}
    assert moved["slow.weight"] == 0
    assert moved["fast.bias"] == pytest.approx(0.5 * moved["slow.bias"], rel=0.05)


def test_the_average_follows_the_weights() -> None:
    trainer = _trainer(averaging=0.9)
    trainer.progress.seconds = 60
    for _ in range(200):
        trainer.step(lambda: _loss(trainer))
    for mean, value in zip(trainer.average.parameters(), trainer.network.parameters(), strict=True):
        assert torch.allclose(mean, value, atol=0.05)
        assert not torch.equal(mean, value)


def test_a_bad_batch_changes_nothing() -> None:
    trainer = _trainer()
    before = [p.detach().clone() for p in trainer.network.parameters()]
    trainer.step(lambda: _loss(trainer) * float("nan"))
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.network.parameters(), strict=True))


def test_a_resumed_trainer_goes_on_exactly(tmp_path: Path) -> None:
    trainer, copy = _trainer(), _trainer()
    for _ in range(3):
        trainer.step(lambda: _loss(trainer))
    trainer.save(tmp_path / "last.pt")
    copy.resume(tmp_path / "last.pt")
    assert copy.progress == trainer.progress
    trainer.progress.seconds = copy.progress.seconds = 100.0
    trainer.step(lambda: _loss(trainer))
    copy.step(lambda: _loss(copy))
    for a, b in zip(trainer.network.parameters(), copy.network.parameters(), strict=True):
        assert torch.equal(a, b)
