"""The choice among four masks is a pure function of logits and scores."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clickmask.decoder import Box, MaskSet, Point, Prompt, PromptError, Rule, Size, choose_mask, stability_score

CLICK = Prompt(points=(Point(1, 1),))
BOX = Prompt(box=Box(0, 0, 2, 2))

STEEP = torch.tensor([[9.0, 9.0], [-9.0, -9.0]])
SOFT = torch.tensor([[9.0, 0.01], [-9.0, -9.0]])  # one of two pixels changes within 0.05


def masks(*logits: Tensor, ious: tuple[float, float, float, float]) -> MaskSet:
    """A mask set from four (2, 2) logits."""
    return MaskSet(torch.stack(logits), torch.tensor(ious), 1.0, Size(2, 2))


def test_one_click_takes_the_candidate_of_best_predicted_iou() -> None:
    answer = masks(STEEP, STEEP, STEEP, STEEP, ious=(0.99, 0.2, 0.8, 0.5))
    assert choose_mask(answer, CLICK) == 2


def test_a_rich_prompt_takes_the_single_mask_if_it_is_stable() -> None:
    assert choose_mask(masks(STEEP, SOFT, SOFT, SOFT, ious=(0.1, 0.2, 0.8, 0.5)), BOX) == 0


def test_a_rich_prompt_falls_back_if_the_single_mask_is_unstable() -> None:
    assert choose_mask(masks(SOFT, SOFT, SOFT, STEEP, ious=(0.9, 0.2, 0.8, 0.5)), BOX) == 2


@pytest.mark.parametrize(("rule", "row"), [("iou", 2), ("stability", 3), (0, 0), (1, 1)])
def test_the_other_rules(rule: Rule | int, row: int) -> None:
    assert choose_mask(masks(STEEP, SOFT, SOFT, STEEP, ious=(0.9, 0.2, 0.8, 0.5)), BOX, rule) == row


def test_equally_stable_candidates_are_told_apart_by_predicted_iou() -> None:
    assert choose_mask(masks(SOFT, STEEP, STEEP, SOFT, ious=(0.9, 0.2, 0.3, 0.9)), CLICK, "stability") == 2


@pytest.mark.parametrize("rule", ["best", 4, -1])
def test_unknown_rules_are_refused(rule: Rule | int) -> None:
    with pytest.raises(PromptError, match="wanted"):
        choose_mask(masks(STEEP, STEEP, STEEP, STEEP, ious=(1, 1, 1, 1)), CLICK, rule)


def test_an_empty_mask_is_stable() -> None:
    assert stability_score(torch.full((3, 3), -9.0)) == 1.0


def test_stability_needs_a_positive_offset() -> None:
    with pytest.raises(ValueError, match="offset is 0"):
        stability_score(STEEP, offset=0)


def test_logits_on_the_threshold_are_outside() -> None:
    """Both thresholds are exclusive: 1.0 is not above 0 + 1, and -1.0 is not above 0 - 1."""
    assert stability_score(torch.tensor([[1.0, 5.0]])).item() == 0.5
    assert stability_score(torch.tensor([[-1.0, 5.0]])).item() == 1.0


@pytest.mark.parametrize(("unsure", "row"), [(1, 0), (2, 2)])
def test_a_stability_of_exactly_98_hundredths_is_stable(unsure: int, row: int) -> None:
    """Of 50 pixels one changes within the band: 0.98; two: 0.96."""
    single = torch.full((5, 10), 9.0)
    single.view(-1)[:unsure] = 0.0
    logits = torch.stack([single, *[torch.full((5, 10), 9.0)] * 3])
    answer = MaskSet(logits, torch.tensor((0.1, 0.2, 0.8, 0.5)), 1.0, Size(5, 10))
    assert choose_mask(answer, BOX) == row
