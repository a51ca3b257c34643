"""Flawed masks are what a corrector meets, and the click on each is where it is wrong."""

from __future__ import annotations

import torch

from clickmask.decoder.learning.losses import true_iou
from clickmask.decoder.modeling.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT
from training.flaws import flawed_masks, flawed_start
from training.targets import Targets
from training.views import Views

SIDE = 64


def _discs(count: int) -> torch.Tensor:
    down, across = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    return ((down - 32) ** 2 + (across - 30) ** 2 < 15**2).expand(count, -1, -1)


def _targets(masks: torch.Tensor) -> Targets:
    some = torch.ones(len(masks), dtype=torch.long)
    return Targets(masks, some.bool(), some.bool(), some, some)


def test_flaws_are_neither_small_nor_the_end_of_the_object() -> None:
    torch.manual_seed(0)
    truth = _discs(400)
    flawed = flawed_masks(truth)
    assert flawed.shape == (400, SIDE // 2, SIDE // 2)
    ious = true_iou(flawed[:, None].float() - 0.5, truth[:, ::2, ::2].float())[:, 0]
    assert 0.6 < float(ious.mean()) < 0.95
    assert float((ious < 0.4).float().mean()) < 0.02


def test_a_click_lies_on_what_is_wrong_and_is_said_as_the_product_says_it() -> None:
    torch.manual_seed(0)
    truth = _discs(200)
    pixels, labels = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)
    start = flawed_start(Views(pixels, labels), _targets(truth), 32)
    assert start.logits is not None
    assert start.logits.shape == (200, 1, 32, 32)
    assert float(start.logits.abs().max()) == 8
    adds = start.prompts.labels[:, 1] == POSITIVE
    assert 0.2 < float(adds.float().mean()) < 0.8
    assert bool((start.prompts.labels[~adds] == torch.tensor([TOP_LEFT, BOTTOM_RIGHT, NEGATIVE])).all())
    clicks = torch.where(adds[:, None], start.prompts.points[:, 1], start.prompts.points[:, 2])
    column, row = (clicks * SIDE).long().unbind(dim=1)
    on_object = truth[torch.arange(200), row, column]
    assert float((on_object == adds).float().mean()) > 0.9  # cells of half the resolution straddle the edge


def test_what_is_not_there_is_not_corrected() -> None:
    masks = torch.cat([_discs(1), torch.zeros(1, SIDE, SIDE, dtype=torch.bool)])
    pixels, labels = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, 3, SIDE, SIDE, dtype=torch.uint8)
    start = flawed_start(Views(pixels, labels), _targets(masks), 16)
    assert start.targets.valid.tolist() == [True, False]
