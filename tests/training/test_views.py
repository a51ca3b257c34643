"""Views show what their maps say, labels moving with the pixels."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder.modeling.config import IMAGE_NET_MEAN, IMAGE_NET_STD
from training.views import DEVIATION, MEAN, normalise, random_colours, random_windows, render


@pytest.fixture
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, 256, (2, 4, 4, 6), generator=generator, dtype=torch.uint8)
    return coarse.repeat_interleave(16, dim=1).repeat_interleave(16, dim=2)  # (2, 64, 64, 6)


def test_the_identity_map_shows_the_image_itself(images: torch.Tensor) -> None:
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]).expand(2, -1, -1)
    views = render(images, identity, 64)
    assert torch.equal(views.labels, images[..., 3:].permute(0, 3, 1, 2))
    assert torch.allclose(views.pixels, normalise(images[..., :3].permute(0, 3, 1, 2) / 255), atol=1e-5)


def test_a_mirrored_map_mirrors_both(images: torch.Tensor) -> None:
    mirror = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]).expand(2, -1, -1)
    views = render(images, mirror, 64)
    assert torch.equal(views.labels, images[..., 3:].permute(0, 3, 1, 2).flip(-1))


def test_random_windows_stay_inside_the_image() -> None:
    maps = random_windows(500, torch.Generator().manual_seed(0))
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]).T
    assert float((maps @ corners).abs().max()) <= 1 + 1e-5


def test_colours_change_pixels_but_keep_their_range(images: torch.Tensor) -> None:
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]).expand(2, -1, -1)
    plain = render(images, identity, 64).pixels
    coloured = render(images, identity, 64, colour=random_colours(2, torch.Generator().manual_seed(0))).pixels
    assert not torch.allclose(plain, coloured, atol=0.05)
    low, high = normalise(torch.zeros(1, 3, 1, 1)), normalise(torch.ones(1, 3, 1, 1))
    assert bool(((coloured >= low - 1e-5) & (coloured <= high + 1e-5)).all())


def test_training_and_use_normalise_alike() -> None:
    assert (MEAN, DEVIATION) == (IMAGE_NET_MEAN, IMAGE_NET_STD)
