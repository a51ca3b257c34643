"""The folded network answers as the plain one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clickmask.decoder import Box, Model, Point, Prompt, encode_image, load_image, predict_many, predict_masks
from clickmask.decoder.modeling.fast_nano import FastNano
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.optimize import optimize, plain
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
    for slow, quick in zip(plain_answers, fast_answers, strict=True):
        torch.testing.assert_close(quick.logits, slow.logits, atol=1e-4, rtol=0)
        torch.testing.assert_close(quick.predicted_iou, slow.predicted_iou, atol=1e-5, rtol=0)
        assert quick.object_score == pytest.approx(slow.object_score, abs=1e-4)


def test_nano_answers_equally_on_either_embedding(nano: Model) -> None:
    image = load_image(DATA / "truck_900x600.png")
    fast = optimize(nano)
    embeddings = encode_image(nano, image), encode_image(fast, image)
    earlier = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    for prompt in (Prompt(points=(CLICK,)), Prompt(box=Box(212, 300, 350, 437)), Prompt((CLICK,), mask_logits=earlier)):
        wanted = predict_masks(nano, embeddings[0], prompt)
        for embedding in embeddings:
            answer = predict_masks(fast, embedding, prompt)
            torch.testing.assert_close(answer.logits, wanted.logits, atol=1e-3, rtol=0)
            torch.testing.assert_close(answer.predicted_iou, wanted.predicted_iou, atol=1e-4, rtol=0)


def test_folding_leaves_no_norm_behind_a_convolution_and_the_network_alone(nano: Model) -> None:
    fast = optimize(nano).network
    assert isinstance(fast, FastNano)
    norms = [module for module in fast._folded.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not norms
    assert isinstance(nano.network, Nano)
    assert any(isinstance(module, nn.BatchNorm2d) for module in nano.network.modules())


def test_an_optimised_model_gives_back_the_plain_one(nano: Model, tiny: Model) -> None:
    for model in (nano, tiny):
        assert plain(optimize(model)).network is model.network
        assert plain(model) is model


def test_the_maps_of_an_embedding_are_the_same_in_either_order(
    tiny: Model, truck: ImageEmbedding, fast_truck: ImageEmbedding, nano: Model
) -> None:
    assert truck.maps.s8.shape == (1, 64, 128, 128)
    assert truck.maps.s16.shape == (1, 256, 64, 64)
    for slow, quick in zip(truck.maps, fast_truck.maps, strict=True):
        torch.testing.assert_close(quick, slow, atol=1e-4, rtol=0)
    of_nano = encode_image(nano, load_image(DATA / "truck_900x600.png")).maps
    assert [tuple(x.shape) for x in of_nano] == [(1, 32, 32, 32), (1, 128, 16, 16)]
