"""Nano answers as every network of the table does, and its own parts do what they say."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.nano import Nano, draw_prompt
from training.interactive import repeat_features

SIDE = 32


@pytest.fixture(scope="module")
def network() -> Nano:
    torch.manual_seed(0)
    return Nano(NanoConfig()).eval()


@torch.no_grad()
def test_shapes_are_those_of_the_contract(network: Nano) -> None:
    features = network.encode(torch.rand(1, 3, 256, 256))
    output = network.decode(features, torch.rand(3, 2, 2), torch.tensor([[1, 0], [2, 3], [1, -1]]), None)
    assert output.logits.shape == (3, 4, 64, 64)
    assert output.predicted_iou.shape == (3, 4)
    assert output.object_score.shape == (3, 1)
    assert output.tokens.shape == (3, 4, 128)


@torch.no_grad()
def test_prompts_on_one_image_do_not_disturb_each_other(network: Nano) -> None:
    torch.manual_seed(1)
    features = network.encode(torch.rand(1, 3, 256, 256))
    points, labels = torch.rand(3, 2, 2), torch.tensor([[1, 0], [2, 3], [1, 1]])
    masks = torch.randn(3, 1, 64, 64)
    together = network.decode(features, points, labels, masks)
    repeated = network.decode(repeat_features(features, 3), points, labels, masks)
    assert torch.allclose(together.logits, repeated.logits, atol=1e-4)
    for row in range(3):
        alone = network.decode(features, points[row : row + 1], labels[row : row + 1], masks[row : row + 1])
        assert torch.allclose(alone.logits[0], together.logits[row], atol=1e-4)


@torch.no_grad()
def test_no_earlier_mask_means_an_undecided_one(network: Nano) -> None:
    features = network.encode(torch.rand(1, 3, 256, 256))
    points, labels = torch.rand(1, 1, 2), torch.tensor([[1]])
    without = network.decode(features, points, labels, None)
    undecided = network.decode(features, points, labels, torch.zeros(1, 1, 64, 64))
    assert torch.equal(without.logits, undecided.logits)


def test_clicks_are_drawn_where_they_are() -> None:
    points = torch.tensor([[[4.5 / SIDE, 20.5 / SIDE], [9.5 / SIDE, 2.5 / SIDE], [0.5, 0.5]]])
    drawn = draw_prompt(points, torch.tensor([[1, 0, -1]]), None, SIDE)[0]
    assert drawn[0].abs().max() == 0
    assert divmod(int(drawn[1].argmax()), SIDE) == (20, 4)
    assert divmod(int(drawn[2].argmax()), SIDE) == (2, 9)
    assert float(drawn[1, 20, 4]) == pytest.approx(1.0)
    assert float(drawn[1, 16, 16]) < 1e-3  # padding draws nothing
    assert drawn[3].abs().max() == 0


def test_the_box_is_filled() -> None:
    points = torch.tensor([[[8 / SIDE, 4 / SIDE], [16 / SIDE, 24 / SIDE]]])
    filled = draw_prompt(points, torch.tensor([[2, 3]]), None, SIDE)[0, 3]
    wanted = torch.zeros(SIDE, SIDE)
    wanted[4:24, 8:16] = 1
    assert torch.equal(filled, wanted)


def test_strong_earlier_logits_are_limited() -> None:
    drawn = draw_prompt(torch.zeros(1, 1, 2), torch.tensor([[-1]]), torch.full((1, 1, SIDE, SIDE), 99.0), SIDE)
    assert float(drawn[:, 0].max()) == 3.0


@torch.no_grad()
def test_a_click_sees_what_lies_under_it(network: Nano) -> None:
    """Two clicks at one place on different images become different tokens; padding never does."""
    points = torch.full((1, 2, 2), 0.5)
    labels = torch.tensor([[1, -1]])
    plain, bright = (network.encode(torch.full((1, 3, 256, 256), value)) for value in (0.1, 2.0))
    tokens = [network.click_tokens(features, points, labels) for features in (plain, bright)]
    assert not torch.allclose(tokens[0][:, 0], tokens[1][:, 0])
    assert torch.equal(tokens[0][:, 1], tokens[1][:, 1])
