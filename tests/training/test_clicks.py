"""Training's simulated clicks lie where they should and mean what they should."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.clicks import Prompts, correction_clicks, drawn_boxes, first_prompts, padding


def _masks(*boxes: tuple[int, int, int, int], side: int = 64) -> Tensor:
    masks = torch.zeros(len(boxes), side, side, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    return masks


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _at(masks: Tensor, points: Tensor) -> list[bool]:
    """What masks (M, S, S) hold under points (M, 2)."""
    index = (points * masks.shape[-1]).long()
    return [bool(mask[y, x]) for mask, (x, y) in zip(masks, index.tolist(), strict=True)]


def test_first_clicks_lie_in_the_region() -> None:
    masks = _masks((4, 8, 30, 20), (40, 40, 44, 60)).repeat_interleave(50, dim=0)
    prompts = first_prompts(masks, torch.zeros(len(masks), dtype=torch.bool))
    assert all(_at(masks, prompts.points[:, 0]))
    assert {tuple(row) for row in prompts.labels.tolist()} == {(1, -1)}


def test_clicks_lie_deep_near_the_border_and_between() -> None:
    masks = _masks((4, 4, 60, 60)).repeat_interleave(400, dim=0)
    points = first_prompts(masks, torch.zeros(400, dtype=torch.bool)).points[:, 0] * 64
    depth = torch.minimum(points - 4, 60 - points).amin(dim=1)
    assert 0.3 < float((depth > 22).float().mean()) < 0.65
    assert 0.2 < float((depth < 7).float().mean()) < 0.5  # those near the border, and some of those anywhere


def test_a_thin_region_is_still_hit() -> None:
    """A line one pixel wide covers no cell of half resolution by half."""
    masks = _masks((3, 10, 60, 11))
    point = first_prompts(masks, torch.tensor([False])).points[0, 0]
    assert abs(float(point[1]) * 64 - 10.5) <= 1.0


def test_boxes_stay_near_the_region() -> None:
    masks = _masks((16, 8, 48, 24)).repeat(200, 1, 1)
    boxes = drawn_boxes(masks) * 64
    wanted = torch.tensor([[16.0, 8.0], [48.0, 24.0]])
    moved = (boxes - wanted) / torch.tensor([32.0, 16.0]) * torch.tensor([-1.0, 1.0])[:, None]  # outwards, of the side
    assert float(moved.min()) >= -0.16 - 1e-3
    assert 0.16 < float(moved.max()) <= 0.2 + 1e-3  # loose ones among them
    assert torch.allclose(boxes.median(dim=0).values, wanted, atol=1.0)


@pytest.mark.parametrize(("answer", "label"), [((20, 20, 21, 21), 1), ((0, 0, 64, 64), 0)])
def test_corrections_hit_the_error_with_its_sign(answer: tuple[int, int, int, int], label: int) -> None:
    truth = _masks((8, 8, 40, 40)).repeat(50, 1, 1)
    given = _masks(answer).repeat(50, 1, 1)
    click = correction_clicks(truth, torch.where(given, 8.0, -8.0))
    assert all(_at(truth ^ given, click.points[:, 0]))
    assert set(click.labels.flatten().tolist()) == {label}


def test_a_right_answer_gets_another_positive_click() -> None:
    truth = _masks((8, 8, 40, 40))
    click = correction_clicks(truth, torch.where(truth, 8.0, -8.0))
    assert click.labels.tolist() == [[1]]
    assert _at(truth, click.points[:, 0]) == [True]


def test_padding_only_adds_slots() -> None:
    prompts = Prompts(torch.rand(3, 2, 2), torch.ones(3, 2, dtype=torch.long))
    padded = prompts.add(padding(3, 2, torch.device("cpu")))
    assert torch.equal(padded.points[:, :2], prompts.points)
    assert set(padded.labels[:, 2:].flatten().tolist()) == {-1}
