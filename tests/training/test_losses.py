"""The losses rank answers as a person would."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder.learning.losses import combine_candidates, iou_loss, mask_losses, true_iou


@pytest.fixture
def target() -> torch.Tensor:
    target = torch.zeros(1, 16, 16)
    target[:, 4:12, 4:12] = 1
    return target


def test_the_better_mask_has_the_smaller_loss(target: torch.Tensor) -> None:
    right = 8 * (2 * target - 1)
    half = right.clone()
    half[:, 8:] = -8
    losses = mask_losses(torch.stack([right, half, -right, torch.zeros_like(right)], dim=1), target)[0]
    assert losses[0] < 0.05
    assert losses[0] < losses[1] < losses[2]


def test_an_ambiguous_prompt_forgives_the_other_candidates() -> None:
    losses = torch.tensor([[1.0, 0.1, 5.0, 5.0]]).repeat(3, 1)
    ambiguous, whole = torch.tensor([True, True, False]), torch.tensor([True, False, True])
    combined = combine_candidates(losses, ambiguous, whole)
    assert combined.tolist() == pytest.approx([1.1, 0.35, 1.025])  # the single mask is taught what a whole is


def test_true_iou_counts_cells(target: torch.Tensor) -> None:
    logits = torch.full((1, 4, 16, 16), -1.0)
    logits[0, 0, 4:12, 4:12] = 1
    logits[0, 1, 4:12, 4:8] = 1
    assert true_iou(logits, target).tolist() == [[1.0, 0.5, 0.0, 0.0]]


def test_the_wrong_order_costs_more_than_the_right_one_at_equal_distance() -> None:
    actual = torch.tensor([[0.5, 0.9, 0.7, 0.1]])
    ordered = actual + torch.tensor([[0.05, 0.05, -0.05, -0.05]])
    swapped = actual + torch.tensor([[0.05, -0.15, 0.05, 0.05]])
    assert iou_loss(ordered, actual) < iou_loss(swapped, actual)
