"""Nano's memory reads what it should from where it should."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from decoder.modeling.config import DecoderConfig, NanoConfig
from decoder.modeling.mask_decoder import HighResolution
from decoder.modeling.nano_memory import Looks, NanoMemory, NanoMemoryConfig, Remembered
from decoder.modeling.sam2 import ImageFeatures

SIDE = 16  # of the stride-4 grid
SMALL = NanoMemoryConfig(
    nano=NanoConfig(decoder=DecoderConfig(width=32, heads=2, mlp_width=32, s4_channels=8, s8_channels=8)),
    width=8,
    fine_width=4,
    key_width=4,
    fine_key_width=4,
    value_width=4,
)


@pytest.fixture
def memory() -> NanoMemory:
    torch.manual_seed(0)
    network = NanoMemory(SMALL).eval().requires_grad_(False)
    for parameter in network.parameters():  # many start at zero, where nothing shows
        parameter.add_(0.05 * torch.randn_like(parameter))
    return network


def a_frame(memory: NanoMemory) -> tuple[ImageFeatures, Looks]:
    fine = HighResolution(s4=torch.randn(1, 4, SIDE, SIDE), s8=torch.randn(1, 8, SIDE // 2, SIDE // 2))
    features = ImageFeatures(torch.randn(1, 32, SIDE // 4, SIDE // 4), fine)
    return features, memory.looks(features, 0.1 * torch.randn(1, 12, SIDE, SIDE))


def test_places_around_are_asked_within_the_radius_and_the_picture(memory: NanoMemory) -> None:
    """The read-out in tiles is the plain one: every offset by itself, nothing from outside."""
    _, looks = a_frame(memory)
    frames = [Remembered(a_frame(memory)[1], torch.rand(2, 1, SIDE, SIDE), torch.zeros(2, 4, 8, 8)) for _ in range(2)]
    torch.testing.assert_close(memory._read_around(looks, frames, 2), plain_read_around(memory, looks, frames))


def plain_read_around(memory: NanoMemory, looks: Looks, frames: list[Remembered]) -> Tensor:
    radius, distances, shares = SMALL.radius, [], []
    for frame in frames:
        there = F.pad(frame.looks.fine, (radius,) * 4, value=1e3)
        share = F.pad(frame.shares, (radius,) * 4)
        for row in range(2 * radius + 1):
            for column in range(2 * radius + 1):
                window = (..., slice(row, row + SIDE), slice(column, column + SIDE))
                distances.append((looks.fine[0] - there[0][window]).square().sum(dim=0))
                shares.append(share[:, 0][window])
    distances.append(memory.unlike[2].expand(SIDE, SIDE))
    weights = (-torch.stack(distances)).softmax(dim=0)[:-1]
    return (weights * torch.stack(shares, dim=1)).sum(dim=1, keepdim=True)


def test_objects_are_found_alike_alone_and_together(memory: NanoMemory) -> None:
    first, now = a_frame(memory), a_frame(memory)
    shares = torch.rand(3, 1, SIDE, SIDE)
    together = memory.find(*now, [memory.remember(*first, shares)], [])
    for row in range(3):
        alone = memory.find(*now, [memory.remember(*first, shares[row : row + 1])], [])
        for ours, theirs in zip(alone, together, strict=True):
            torch.testing.assert_close(ours[0], theirs[row], atol=1e-5, rtol=1e-5)


def test_the_same_picture_again_gives_the_mask_back(memory: NanoMemory) -> None:
    features, looks = a_frame(memory)
    mask = (torch.rand(1, 1, SIDE, SIDE) > 0.5).float()
    remembered = memory.remember(features, Looks(100 * looks.coarse, 100 * looks.fine), mask)
    found = memory.find(features, remembered.looks, [remembered], [])
    torch.testing.assert_close(found.fine_shares, mask.expand(-1, 2, -1, -1), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.coarse_shares, mask.expand(-1, 2, -1, -1), atol=1e-3, rtol=0)


def test_prompted_frames_are_moved_to_where_the_object_was_last_seen(memory: NanoMemory) -> None:
    """By ten cells, far more than the radius; only the colours are looked at."""
    features, looks = a_frame(memory)
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 2:6, 1:5] = 1
    sharp = Looks(looks.coarse, 100 * looks.fine)
    prompted = memory.remember(features, sharp, mask)
    now = Looks(sharp.coarse, torch.roll(sharp.fine, (8, 10), (2, 3)))
    latest = memory.remember(features, now, torch.roll(mask, (8, 10), (2, 3)))
    found = memory.find(features, now, [prompted], [latest])
    torch.testing.assert_close(found.fine_shares[:, 1:], latest.shares, atol=1e-3, rtol=0)


def test_what_looks_like_nothing_known_is_not_the_object(memory: NanoMemory) -> None:
    features, looks = a_frame(memory)
    remembered = memory.remember(features, looks, torch.ones(1, 1, SIDE, SIDE))
    other = Looks(looks.coarse + 100, looks.fine + 100)
    found = memory.find(features, other, [remembered], [])
    assert float(found.fine_shares.max()) < 1e-3
    assert float(found.coarse_shares.max()) < 1e-3
