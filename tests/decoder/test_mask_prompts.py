"""Clicks that only take away get one more, in the middle of what is left."""

from __future__ import annotations

import torch

from clickmask.decoder import Box, Point, Prompt
from clickmask.decoder.mask_prompts import anchor_negative_clicks
from clickmask.decoder.prompts import Size

SIZE = Size(100, 200)


def square() -> torch.Tensor:
    """Logits on a grid of 50x50: object in rows and columns 10 to 29, so x from 40 to 120, y from 20 to 60 px."""
    logits = torch.full((50, 50), -8.0)
    logits[10:30, 10:30] = 8.0
    return logits


def test_what_is_left_is_pointed_at() -> None:
    away = Point(50, 40, positive=False)  # in the left of the square
    prompt = anchor_negative_clicks(Prompt(points=(away,), mask_logits=square()), SIZE)
    first, middle = prompt.points
    assert first == away
    assert middle.positive
    assert 70 < middle.x < 110
    assert 30 < middle.y < 50


def test_a_prompt_that_points_at_the_object_stays_as_it_is() -> None:
    away = Point(50, 40, positive=False)
    for prompt in (
        Prompt(points=(away,)),
        Prompt(mask_logits=square()),
        Prompt(points=(away, Point(90, 40)), mask_logits=square()),
        Prompt(points=(away,), box=Box(40, 20, 120, 60), mask_logits=square()),
        Prompt(points=(away,), mask_logits=-square().abs()),
    ):
        assert anchor_negative_clicks(prompt, SIZE) is prompt
