"""The folded network answers as the plain one."""

from __future__ import annotations

import pytest
import torch

from clickmask.decoder import Box, Model, Point, Prompt, encode_image, load_image, predict_many
from clickmask.decoder.optimize import optimize
from clickmask.decoder.segment import ImageEmbedding
from tests.sam2_reference import DATA

CLICK = Point(250, 187)


@pytest.fixture(scope="module")
def fast(tiny: Model) -> Model:
    """``tiny``, optimised."""
    return optimize(tiny)


@pytest.fixture(scope="module")
def fast_truck(fast: Model) -> ImageEmbedding:
    """The reference photo, encoded by ``fast``."""
    return encode_image(fast, load_image(DATA / "truck_900x600.png"))


def test_answers_are_equal_to_rounding(
    tiny: Model, truck: ImageEmbedding, fast: Model, fast_truck: ImageEmbedding
) -> None:
    earlier = torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    prompts = [
        Prompt(points=(CLICK,)),
        Prompt(points=(Point(700, 400),)),
        Prompt(points=(CLICK, Point(560, 312, positive=False))),
        Prompt(box=Box(212, 300, 350, 437)),
        Prompt(points=(CLICK,), mask_logits=earlier),
        Prompt(points=(Point(30, 30),), mask_logits=-earlier),
        Prompt(mask_logits=earlier),
    ]
    plain_answers = predict_many(tiny, [(truck, prompt) for prompt in prompts])
    fast_answers = predict_many(fast, [(fast_truck, prompt) for prompt in prompts])
    for plain, quick in zip(plain_answers, fast_answers, strict=True):
        torch.testing.assert_close(quick.logits, plain.logits, atol=1e-4, rtol=0)
        torch.testing.assert_close(quick.predicted_iou, plain.predicted_iou, atol=1e-5, rtol=0)
        assert quick.object_score == pytest.approx(plain.object_score, abs=1e-4)


def test_a_model_without_a_faster_form_stays_as_it_is(nano: Model) -> None:
    assert optimize(nano) is nano
