"""The folded decoder answers every prompt as the plain one does, on random weights of every family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from clickmask.decoder import Box, Model, Point, Prompt, encode_image, predict_many, predict_masks
from clickmask.decoder.modeling import fast_hiera
from clickmask.decoder.modeling.cells import to_cells, to_map
from clickmask.decoder.modeling.config import DecoderConfig, HieraConfig
from clickmask.decoder.modeling.fast import FastSam
from clickmask.decoder.modeling.folded import FEW_TOKENS, FoldedTransformer
from clickmask.decoder.modeling.sam1 import Sam1
from clickmask.decoder.modeling.sam2 import ImageSam2, Sam2
from clickmask.decoder.modeling.transformer import TwoWayTransformer
from clickmask.decoder.optimize import optimize, with_weights
from clickmask.decoder.segment import ImageEmbedding
from tests.decoder.modeling.test_mobile_sam import CONFIG as MOBILE_CONFIG
from tests.decoder.modeling.test_sam1 import CONFIG as SAM1_CONFIG
from tests.decoder.modeling.test_sam3 import CONFIG as SAM3_CONFIG
from tests.decoder.track.small_sam2 import CONFIG as SAM2_CONFIG
from tests.decoder.track.small_sam2 import as_model, randomise

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "SAM 1": lambda: Sam1(SAM1_CONFIG),
    "MobileSAM": lambda: Sam1(MOBILE_CONFIG),
    "SAM 2": lambda: ImageSam2(SAM2_CONFIG),
    "SAM 3": lambda: Sam2(SAM3_CONFIG),
}
PICTURES = [np.random.default_rng(seed).integers(0, 256, (67, 101, 3), dtype=np.uint8) for seed in (0, 1)]
BOX = Box(12, 9, 70, 55)
CLICKS = tuple(Point(7.5 * i + 3, 5 * i + 2, positive=i % 3 != 1) for i in range(12))

Pair = tuple[Model, Model]  # plain and optimised


@pytest.fixture(scope="module", params=NETWORKS)
def models(request: pytest.FixtureRequest) -> Pair:
    """A network of the family as it is, and folded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = NETWORKS[request.param]()
        randomise(network)
    plain = as_model(network)  # type: ignore[arg-type]
    return plain, optimize(plain)


@pytest.fixture(scope="module")
def embeddings(models: Pair) -> list[tuple[ImageEmbedding, ImageEmbedding]]:
    """Both pictures, by both models."""
    plain, fast = models
    return [(encode_image(plain, picture), encode_image(fast, picture)) for picture in PICTURES]


def prompts(model: Model) -> list[Prompt]:
    """Every kind, up to more clicks than are folded."""
    side = model.network.config.geometry.mask_side
    earlier = 8 * torch.randn(side, side, generator=torch.Generator().manual_seed(3))
    return [
        *(Prompt(points=CLICKS[:count]) for count in range(1, len(CLICKS) + 1)),
        Prompt(box=BOX),
        Prompt(points=CLICKS[:2], box=BOX),
        Prompt(mask_logits=earlier),
        Prompt(points=CLICKS[:1], mask_logits=earlier),
        Prompt(points=CLICKS, mask_logits=-earlier),
        Prompt(points=CLICKS[:3], box=BOX, mask_logits=-earlier),
    ]


def test_every_prompt(models: Pair, embeddings: list[tuple[ImageEmbedding, ImageEmbedding]]) -> None:
    """Alone, and with prompts of its kind on the same picture and another."""
    plain, fast = models
    asked = prompts(plain)
    (slow, quick), (other_slow, other_quick) = embeddings
    wanted = predict_many(plain, [(slow, prompt) for prompt in asked])
    alone = predict_many(fast, [(quick, prompt) for prompt in asked])
    wanted += predict_many(plain, [(picture, prompt) for prompt in asked for picture in (slow, slow, other_slow)])
    alone += predict_many(fast, [(picture, prompt) for prompt in asked for picture in (quick, quick, other_quick)])
    for answer, right in zip(alone, wanted, strict=True):
        scale = float(right.logits.abs().max())  # random weights give some families large numbers
        torch.testing.assert_close(answer.logits, right.logits, atol=2e-5 * max(scale, 1.0), rtol=0)
        torch.testing.assert_close(answer.predicted_iou, right.predicted_iou, atol=2e-5, rtol=1e-4)
        assert answer.object_score == pytest.approx(right.object_score, abs=2e-5, rel=1e-4)
    assert all(not torch.equal(a.logits, b.logits) for a, b in pairwise(alone[: len(asked)]))  # the prompts matter


def test_an_embedding_is_the_picture_and_nothing_of_the_decoder(models: Pair) -> None:
    plain, fast = models
    slow, quick = (encode_image(model, PICTURES[0]) for model in models)
    assert quick.nbytes == slow.nbytes
    torch.testing.assert_close(quick.maps.s16, slow.maps.s16, atol=1e-5, rtol=1e-5)
    assert plain.network.config == fast.network.config


@pytest.mark.parametrize("windows", [(4, 2, 4, 2), (4, 6, 6, 3)])
def test_hiera_in_small_bands(windows: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole windows and those that stick out; a batch of two."""
    monkeypatch.setattr(fast_hiera, "BAND_PLACES", 40)
    monkeypatch.setattr(fast_hiera, "MLP_PLACES", 7)
    trunk = HieraConfig(16, 1, (1, 1, 2, 1), (3,), windows, 3)
    network = ImageSam2(replace(SAM2_CONFIG, trunk=trunk)).eval().requires_grad_(False)
    randomise(network)
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        slow, quick = network.encode(pixels), FastSam(network).encode(pixels)
    torch.testing.assert_close(to_map(quick.image, 0), slow.image, atol=1e-4, rtol=1e-4)
    for cells, right, levels in zip(quick.high_resolution, slow.high_resolution, (2, 1), strict=True):
        torch.testing.assert_close(to_map(cells, levels), right, atol=1e-4, rtol=1e-4)


def test_few_tokens_are_folded_and_many_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    transformer = TwoWayTransformer(DecoderConfig(32, 8, 64, 32, 32)).eval().requires_grad_(False)
    counts: list[int] = []
    plain = TwoWayTransformer.forward

    def counted(self: TwoWayTransformer, image: torch.Tensor, image_pe: torch.Tensor, tokens: torch.Tensor) -> object:
        counts.append(tokens.shape[1])
        return plain(self, image, image_pe, tokens)

    monkeypatch.setattr(TwoWayTransformer, "forward", counted)
    folded = FoldedTransformer(transformer, torch.zeros(9, 32), 6)
    for count in (8, FEW_TOKENS, FEW_TOKENS + 1):
        tokens, image = folded(torch.ones(1, 9, 32), torch.ones(2, count, 32))
        assert (tokens.shape, image.shape) == ((2, 6, 32), (2, 9, 32))
    assert counts == [FEW_TOKENS + 1]


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_cells_are_a_map_in_another_order(levels: int) -> None:
    picture = torch.arange(2 * 3 * 8 * 8).view(2, 3, 8, 8)
    cells = to_cells(picture, levels)
    torch.testing.assert_close(to_map(cells, levels), picture)
    first = picture[0, :, : 2**levels, : 2**levels].flatten(1).T  # the finest cells of the first coarse one
    assert set(cells[0, : 4**levels, 0].tolist()) == set(first[:, 0].tolist())


def test_other_weights_of_the_decoder_share_the_encoder(
    models: Pair, embeddings: list[tuple[ImageEmbedding, ImageEmbedding]]
) -> None:
    """What an adapter does: it answers as a network that was given those weights before it was folded."""
    plain, fast = models
    prompt = Prompt(points=CLICKS[:2])
    name = "mask_decoder.transformer.layers.1.cross_attn_image_to_token.q_proj.weight"
    weights = {name: cast(nn.Module, plain.network).get_parameter(name) * 2}
    slow, quick = embeddings[0]
    changed = with_weights(fast, weights)
    wanted = predict_masks(with_weights(plain, weights), slow, prompt)
    found = predict_masks(changed, quick, prompt)
    scale = max(float(wanted.logits.abs().max()), 1.0)
    torch.testing.assert_close(found.logits, wanted.logits, atol=2e-5 * scale, rtol=0)
    assert not torch.equal(found.logits, predict_masks(fast, quick, prompt).logits)
    torch.testing.assert_close(encode_image(changed, PICTURES[0]).features.image, quick.features.image)


def test_other_projections_of_the_fine_maps_make_other_embeddings() -> None:
    network = FastSam(ImageSam2(SAM2_CONFIG).eval().requires_grad_(False))
    doubled = {
        name: network.network.get_parameter(name) * 2
        for name in ("mask_decoder.conv_s0.weight", "mask_decoder.conv_s0.bias")
    }
    pixels = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        before, after = (form.encode(pixels).high_resolution for form in (network, network.with_weights(doubled)))
    torch.testing.assert_close(after.s4, 2 * before.s4)
    torch.testing.assert_close(after.s8, before.s8)
