"""Nano's memory reads what it should from where it should, and corrects nothing before it has learned to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clickmask.decoder.modeling.config import DecoderConfig, NanoConfig
from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures
from clickmask.decoder.modeling.nano_memory import NanoMemory, NanoMemoryConfig

SIDE = 16  # of the stride-4 grid
SMALL = NanoMemoryConfig(
    nano=NanoConfig(decoder=DecoderConfig(width=32, heads=2, mlp_width=32, s4_channels=8, s8_channels=8)),
    width=8,
    fine_width=4,
    key_width=4,
    value_width=4,
)


@pytest.fixture
def untrained() -> NanoMemory:
    torch.manual_seed(0)
    return NanoMemory(SMALL).eval().requires_grad_(False)


@pytest.fixture
def memory(untrained: NanoMemory) -> NanoMemory:
    for parameter in untrained.parameters():  # many start at zero, where nothing shows
        parameter.add_(0.05 * torch.randn_like(parameter))
    return untrained


def a_frame(memory: NanoMemory) -> tuple[ImageFeatures, Tensor]:
    fine = HighResolution(s4=torch.randn(1, 4, SIDE, SIDE), s8=torch.randn(1, 8, SIDE // 2, SIDE // 2))
    features = ImageFeatures(torch.randn(1, 32, SIDE // 4, SIDE // 4), fine)
    return features, memory.looks(features, 0.1 * torch.randn(1, 12, SIDE, SIDE))


def some_shares(objects: int) -> Tensor:
    return torch.rand(objects, 1, SIDE, SIDE)


def test_objects_are_found_alike_alone_and_together(memory: NanoMemory) -> None:
    first, now = a_frame(memory), a_frame(memory)
    shares, guess = some_shares(3), some_shares(3)
    together = memory.correct(*now, guess, [memory.remember(*first, shares)], [])
    for row in range(3):
        one = slice(row, row + 1)
        alone = memory.correct(*now, guess[one], [memory.remember(*first, shares[one])], [])
        for ours, theirs in zip(alone, together, strict=True):
            torch.testing.assert_close(ours[0], theirs[row], atol=1e-5, rtol=1e-5)


def test_an_untrained_memory_keeps_the_guess(untrained: NanoMemory) -> None:
    guess = some_shares(2)
    remembered = untrained.remember(*a_frame(untrained), some_shares(2))
    found = untrained.correct(*a_frame(untrained), guess, [remembered], [remembered])
    assert torch.equal(found.logits > 0, guess > 0.5)
    assert bool((found.object_score > 0).all())


def test_the_same_picture_again_gives_the_mask_back(memory: NanoMemory) -> None:
    features, looks = a_frame(memory)
    mask = (some_shares(1) > 0.5).float()
    remembered = memory.remember(features, 100 * looks, mask)
    found = memory.correct(features, remembered.looks, torch.zeros_like(mask), [remembered], [])
    torch.testing.assert_close(found.read_shares, mask.expand(-1, 2, -1, -1), atol=1e-3, rtol=0)


def test_places_are_found_wherever_they_have_moved(memory: NanoMemory) -> None:
    features, looks = a_frame(memory)
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 2:6, 2:6] = 1
    prompted = memory.remember(features, 100 * looks, mask)
    now = torch.roll(100 * looks, (4, 5), (2, 3))
    found = memory.correct(features, now, torch.zeros_like(mask), [prompted], [])
    torch.testing.assert_close(found.read_shares[:, :1], torch.roll(mask, (8, 10), (2, 3)), atol=1e-3, rtol=0)


def test_what_looks_like_nothing_known_is_not_the_object(memory: NanoMemory) -> None:
    features, looks = a_frame(memory)
    remembered = memory.remember(features, looks, torch.ones(1, 1, SIDE, SIDE))
    found = memory.correct(features, looks + 100, some_shares(1), [remembered], [])
    assert float(found.read_shares.max()) < 1e-3
