"""Our network is SAM 2, number for number: recorded answers of the official code on the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clickmask.decoder import (
    Box,
    ImageEmbedding,
    Model,
    Point,
    Prompt,
    binarize,
    choose_mask,
    load_model,
    predict_masks,
)
from clickmask.decoder.checkpoints import build_network, read_weights
from clickmask.decoder.choose import single_mask
from clickmask.decoder.models import MODELS
from clickmask.decoder.segment import MaskSet
from tests.sam2_reference import DATA, official_shapes

CLICK = Point(250, 187)
NOT_THERE = Point(560, 312, positive=False)
BOX = Box(212, 300, 350, 437)
PROMPTS = {
    "point": Prompt(points=(CLICK,)),
    "points": Prompt(points=(CLICK, NOT_THERE)),
    "box": Prompt(box=BOX),
    "box_point": Prompt(box=BOX, points=(Point(287, 330, positive=False),)),
}
KEY_FILES = {
    "sam2.1_hiera_tiny": "keys_sam2.1_t.json",
    "sam2.1_hiera_small": "keys_sam2.1_s.json",
    "sam2.1_hiera_base_plus": "keys_sam2.1_b+.json",
    "sam2.1_hiera_large": "keys_sam2.1_l.json",
    "sam2_hiera_tiny": "keys_sam2.0_t.json",
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """The official answers."""
    return dict(np.load(DATA / "image_sam2.1_t.npz"))


@pytest.fixture(scope="module")
def answers(tiny: Model, truck: ImageEmbedding, recorded: dict[str, Any]) -> dict[str, MaskSet]:
    """Our answers to the same prompts."""
    earlier = torch.from_numpy(recorded["prev_low"]).float().reshape(256, 256)
    prompts = {**PROMPTS, "refine": Prompt(points=(CLICK, NOT_THERE), mask_logits=earlier)}
    return {name: predict_masks(tiny, truck, prompt) for name, prompt in prompts.items()}


def test_the_embedding_is_the_official_one(truck: ImageEmbedding, recorded: dict[str, Any]) -> None:
    np.testing.assert_allclose(truck.features.image[0, ::16, ::8, ::8], recorded["embed_slice"], atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", PROMPTS)
def test_the_three_candidates_are_the_official_ones(
    name: str, answers: dict[str, MaskSet], recorded: dict[str, Any]
) -> None:
    check(answers[name], [1, 2, 3], recorded, f"{name}_multi")


@pytest.mark.parametrize("name", PROMPTS)
def test_the_single_mask_is_the_official_one(name: str, answers: dict[str, MaskSet], recorded: dict[str, Any]) -> None:
    """For one click it is stable and stays, for two it is not and gives way to a candidate."""
    check(answers[name], [single_mask(answers[name])], recorded, f"{name}_single")


def test_refinement_is_the_official_one(answers: dict[str, MaskSet], recorded: dict[str, Any]) -> None:
    """The earlier logits were recorded in half precision; the answers still agree."""
    check(answers["refine"], [single_mask(answers["refine"])], recorded, "refine")


def check(answer: MaskSet, rows: list[int], recorded: dict[str, Any], name: str) -> None:
    """Logits within 1e-3, predicted IoU within 1e-4, areas within 0.01 %."""
    np.testing.assert_allclose(answer.predicted_iou[rows], recorded[f"{name}_iou"], atol=1e-4, rtol=0)
    np.testing.assert_allclose(answer.logits[rows][:, ::4, ::4], recorded[f"{name}_low"], atol=1e-3, rtol=0)
    for row, area in zip(rows, recorded[f"{name}_area"], strict=True):
        assert binarize(answer.logits[row], answer.size).sum() == pytest.approx(area, rel=1e-4)


@pytest.mark.parametrize("name", PROMPTS)
def test_masks_are_the_official_ones_pixel_for_pixel(
    name: str, answers: dict[str, MaskSet], recorded: dict[str, Any]
) -> None:
    masks = np.unpackbits(recorded[f"{name}_multi_masks"])[: 3 * 600 * 900].reshape(3, 600, 900).astype(bool)
    for row, mask in zip([1, 2, 3], masks, strict=True):
        ours = binarize(answers[name].logits[row], answers[name].size)
        assert (ours ^ mask).sum() <= 1e-4 * max(mask.sum(), 1)


def test_the_auto_rule_is_the_official_one(answers: dict[str, MaskSet], recorded: dict[str, Any]) -> None:
    """The unstable two-click answer falls back to a candidate; one click takes the best of three."""
    two_clicks = choose_mask(answers["points"], PROMPTS["points"])
    assert answers["points"].predicted_iou[two_clicks] == pytest.approx(recorded["points_single_iou"][0], abs=1e-4)
    one_click = choose_mask(answers["point"], PROMPTS["point"])
    assert answers["point"].predicted_iou[one_click] == pytest.approx(recorded["point_multi_iou"].max(), abs=1e-4)


@pytest.mark.parametrize(("model", "keys"), KEY_FILES.items())
def test_the_official_state_dict_loads_strictly(model: str, keys: str) -> None:
    weights = {
        key.replace("sam_prompt_encoder.", "prompt_encoder.").replace("sam_mask_decoder.", "mask_decoder."): (
            torch.empty(shape, device="meta")
        )
        for key, shape in official_shapes(keys).items()
    }
    build_network(MODELS[model], weights, DATA / keys)


def test_a_local_file_is_recognised_by_its_keys(tiny: Model) -> None:
    assert tiny.name == "sam2.1_hiera_tiny"


def test_half_precision_stays_close(official_weights: Any, truck: ImageEmbedding, answers: dict[str, MaskSet]) -> None:
    half = load_model(official_weights, precision="bfloat16")
    answer = predict_masks(half, truck, PROMPTS["box"])
    assert (answer.predicted_iou - answers["box"].predicted_iou).abs().max() < 0.05


def test_weights_are_read_under_our_names(official_weights: Any) -> None:
    assert not [key for key in read_weights(official_weights) if key.startswith("sam_")]
