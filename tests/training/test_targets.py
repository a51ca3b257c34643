"""Targets are regions of the labels, and prompts on nothing have nothing to find."""

from __future__ import annotations

import torch

from training.scene import NOTHING, WHOLE
from training.targets import choose_targets, same_regions


def _labels() -> torch.Tensor:
    labels = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    labels[0, WHOLE] = NOTHING
    labels[0, WHOLE, 10:30, 10:30] = 7
    labels[1, 0, :20, :20] = 3
    labels[1, WHOLE, :40, :40] = 9
    return labels


def test_every_target_is_one_of_the_labelled_regions() -> None:
    labels = _labels()
    targets = choose_targets(labels, 40, torch.Generator().manual_seed(0))
    assert bool(targets.valid.all())
    for row in range(80):
        expected = labels[row // 40, targets.level[row]] == targets.label[row]
        assert torch.equal(targets.regions[row], expected)
    assert set(targets.label[40:].tolist()) == {3, 9}


def test_prompts_on_nothing_are_rare_and_have_empty_masks() -> None:
    targets = choose_targets(_labels(), 400, torch.Generator().manual_seed(0))
    empty = ~targets.present
    assert 0.05 < float(empty[:400].float().mean()) < 0.15
    assert not bool(empty[400:].any())  # the second view has no place known to be empty
    assert not bool(targets.masks[empty].any())
    assert bool(targets.regions[empty].any())


def test_a_view_without_regions_gives_no_valid_target() -> None:
    targets = choose_targets(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), 3, torch.Generator())
    assert not bool(targets.valid.any())


def test_a_target_is_found_again_in_another_view() -> None:
    labels = _labels()
    targets = choose_targets(labels, 1, torch.Generator().manual_seed(1))
    moved = labels.roll(5, dims=-1)
    again = same_regions(moved, targets)
    assert torch.equal(again.regions, targets.regions.roll(5, dims=-1))
