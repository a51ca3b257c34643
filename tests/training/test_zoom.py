"""Zooms look at what was answered and pointed at, and carry prompts over."""

from __future__ import annotations

import torch

from training.clicks import Prompts
from training.zoom import compose, crop_windows, on_crop


def _answer() -> tuple[Prompts, torch.Tensor]:
    """A mask in the middle of the left half, a click inside, a positive click right of it, a negative far away."""
    logits = torch.full((1, 1, 64, 64), -5.0)
    logits[..., 24:40, 8:24] = 5
    points = torch.tensor([[[0.25, 0.5], [0.45, 0.5], [0.95, 0.05]]])
    return Prompts(points, torch.tensor([[1, 1, 0]])), logits


def test_the_window_holds_the_mask_and_the_positive_clicks_only() -> None:
    window = crop_windows(*_answer(), torch.Generator().manual_seed(0))[0]
    half, centre = torch.stack([window[0, 0], window[1, 1]]), window[:, 2]
    low, high = (centre - half + 1) / 2, (centre + half + 1) / 2
    assert float(low[0]) < 8 / 64
    assert float(high[0]) > 0.45
    assert float(high[0]) < 0.9
    assert float(low[1]) > 0.1


def test_prompts_keep_their_place_in_the_picture() -> None:
    prompts, logits = _answer()
    window = crop_windows(prompts, logits, torch.Generator().manual_seed(0))
    moved = on_crop(prompts, window)
    assert moved.labels.tolist() == [[1, 1, -1]]
    back = (window[0, :, :2] @ (2 * moved.points[0, :2] - 1).T).T + window[0, :, 2]
    assert torch.allclose((back + 1) / 2, prompts.points[0, :2], atol=1e-6)


def test_composed_maps_apply_the_inner_one_first() -> None:
    generator = torch.Generator().manual_seed(0)
    outer, inner = torch.rand(4, 2, 3, generator=generator), torch.rand(4, 2, 3, generator=generator)
    point = torch.tensor([0.3, -0.2])
    step = inner[:, :, :2] @ point + inner[:, :, 2]
    wanted = (outer[:, :, :2] @ step[..., None])[..., 0] + outer[:, :, 2]
    both = compose(outer, inner)
    assert torch.allclose(both[:, :, :2] @ point + both[:, :, 2], wanted)
