"""What is pasted is an object of the neighbour, seen and labelled at one place; the rest of the picture stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.pasting import MOST_PASTED, PASTED, paste_objects
from training.sampler import Sampler
from training.scene import GROUP, LEVELS, PART, WHOLE

SIDE = 96


def _disc_on_white() -> Tensor:
    """A red disc, labelled 1 on all levels: (SIDE, SIDE, 3 + LEVELS)."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    inside = (y - 40) ** 2 + (x - 50) ** 2 < 20**2
    image = torch.full((SIDE, SIDE, 3 + LEVELS), 255, dtype=torch.uint8)
    image[..., 3:] = 0
    image[inside] = torch.tensor([255, 0, 0, 1, 1, 1], dtype=torch.uint8)
    return image


def _plain(colour: int) -> Tensor:
    image = torch.zeros(SIDE, SIDE, 3 + LEVELS, dtype=torch.uint8)
    image[..., :3] = colour
    image[..., 3:] = 7
    return image


@pytest.fixture(params=range(12))
def generator(request: pytest.FixtureRequest) -> torch.Generator:
    """Different draws, the same every time."""
    return torch.Generator().manual_seed(request.param)


def test_the_neighbours_object_is_seen_where_it_is_labelled(generator: torch.Generator) -> None:
    images = torch.stack([_disc_on_white(), _plain(128)])
    pasted = paste_objects(images, 1, generator)[1]
    there = pasted[..., 3 + WHOLE] == PASTED
    assert 0.1 < float(there.sum()) / (3.14 * 20**2) < 1.9  # scaled, and it may reach out of the picture
    assert not pasted[there][:, [3 + PART, 3 + GROUP]].any()
    assert bool((pasted[~there][:, 3:] == 7).all())
    red, green = pasted[there][:, 0].float().mean(), pasted[there][:, 1].float().mean()
    assert red > green + 40
    grey = pasted[~there][:, :3].float()
    assert grey.median() == 128
    assert float((grey > 131).any(dim=1).float().mean()) < 0.05  # the fringe of the disc; shadows only darken


def test_a_neighbour_without_objects_changes_nothing(generator: torch.Generator) -> None:
    empty = torch.zeros(2, SIDE, SIDE, 3 + LEVELS, dtype=torch.uint8)
    empty[..., :3] = torch.randint(0, 256, (2, SIDE, SIDE, 3), generator=generator)
    assert torch.equal(paste_objects(empty, 2, generator), empty)


def test_each_of_several_is_an_object_of_its_own(generator: torch.Generator) -> None:
    images = torch.stack([_plain(128), _disc_on_white(), _disc_on_white(), _disc_on_white()])
    pasted = paste_objects(images, MOST_PASTED, generator)[0]
    names = set(pasted[..., 3 + WHOLE].flatten().tolist()) - {7}
    assert len(names) > 1
    assert names <= set(range(PASTED, PASTED + MOST_PASTED))


def test_the_given_images_are_left_alone(pool: Path, generator: torch.Generator) -> None:
    images = Sampler(pool, generator, torch.device("cpu")).draw(4)
    before = images.clone()
    pasted = paste_objects(images, 1, generator)
    assert torch.equal(images, before)
    assert pasted.shape == images.shape
    assert pasted.dtype == torch.uint8
    assert not torch.equal(pasted, images)


def test_a_sampler_takes_up_new_shards_and_keeps_those_it_has(
    pool: Path, tmp_path: Path, generator: torch.Generator
) -> None:
    for path in pool.glob("*_0000.npy"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    sampler = Sampler(tmp_path, generator, torch.device("cpu"))
    assert len(sampler) == 6
    (tmp_path / "leaves_0001.npy").write_bytes((pool / "leaves_0000.npy").read_bytes())
    sampler.look_again()
    assert len(sampler) == 8
