"""A prompt that means nothing is refused with a message that says why."""

from __future__ import annotations

import math

import pytest
import torch

from clickmask.decoder import Box, Point, Prompt, PromptError, Size, check_prompt

SIZE = Size(480, 640)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt(), "the prompt is empty"),
        (Prompt(points=(Point(-1, 5),)), r"point \(-1, 5\) is outside the 640x480 image"),
        (Prompt(points=(Point(641, 5),)), "outside the 640x480"),
        (Prompt(points=(Point(5, 480.5),)), "outside the 640x480"),
        (Prompt(points=(Point(math.nan, 5),)), "not finite"),
        (Prompt(points=(Point(5, math.inf),)), "not finite"),
        (Prompt(points=(Point(5, 5),) * 10_000), "10000 points, wanted at most 1000"),
        (Prompt(box=Box(10, 10, 10, 20)), "empty or inverted"),
        (Prompt(box=Box(20, 10, 10, 20)), "empty or inverted"),
        (Prompt(box=Box(700, 10, 800, 20)), "outside the 640x480"),
        (Prompt(box=Box(math.nan, 10, 800, 20)), "not finite"),
        (Prompt(mask_logits=torch.zeros(1, 4, 4)), r"shape \(1, 4, 4\), wanted \(height, width\)"),
        (Prompt(mask_logits=torch.zeros(0, 4)), "wanted"),
        (Prompt(mask_logits=torch.full((4, 4), math.nan)), "NaN"),
    ],
)
def test_bad_prompts(prompt: Prompt, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        check_prompt(prompt, SIZE)


def test_the_borders_belong_to_the_image() -> None:
    prompt = Prompt(points=(Point(0, 0), Point(640, 480, positive=False)))
    assert check_prompt(prompt, SIZE).points == prompt.points


def test_a_box_is_clipped_to_the_image() -> None:
    assert check_prompt(Prompt(box=Box(-20, 10, 700, 470)), SIZE).box == Box(0, 10, 640, 470)


@pytest.mark.parametrize(
    ("prompt", "ambiguous"),
    [
        (Prompt(points=(Point(1, 1),)), True),
        (Prompt(points=(Point(1, 1), Point(2, 2))), False),
        (Prompt(box=Box(0, 0, 1, 1)), False),
        (Prompt(points=(Point(1, 1),), box=Box(0, 0, 1, 1)), False),
    ],
)
def test_only_a_single_click_is_ambiguous(prompt: Prompt, ambiguous: bool) -> None:
    assert prompt.is_ambiguous is ambiguous
