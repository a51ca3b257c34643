"""MobileSAM, number for number: the public package on the same random weights."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from clickmask.decoder import Model, encode_image, predict_masks
from clickmask.decoder.modeling.config import DecoderConfig, Sam1Config, TinyVitConfig
from clickmask.decoder.modeling.sam1 import LAYOUTS, Sam1
from tests.decoder.modeling.official import official_package
from tests.decoder.modeling.test_sam1 import PICTURE, PROMPTS, asked

WIDTH, SIDE = 256, 1024  # that package's own, written into its code
TRUNK = TinyVitConfig(widths=(16, 32, 32, 320), depths=(1, 1, 2, 1), heads=(2, 4, 4, 10))
CONFIG = Sam1Config(TRUNK, DecoderConfig(WIDTH, 8, 64, WIDTH, WIDTH))


@pytest.fixture(scope="module")
def predictor() -> Any:
    """A small network of the public package, random weights, on the picture."""
    layers: Any = ModuleType("timm.models.layers")
    layers.DropPath, layers.to_2tuple, layers.trunc_normal_ = nn.Module, lambda x: (x, x), nn.init.trunc_normal_
    registry: Any = ModuleType("timm.models.registry")
    registry.register_model = lambda function: function
    with pytest.MonkeyPatch.context() as patch:
        stand_in = {"timm": ModuleType("timm"), "timm.models": ModuleType("timm.models")}
        for name, module in {**stand_in, "timm.models.layers": layers, "timm.models.registry": registry}.items():
            patch.setitem(sys.modules, name, module)
        package = official_package("mobile_sam")
    parts = package.modeling
    torch.manual_seed(0)
    network = parts.Sam(
        image_encoder=parts.TinyViT(
            img_size=SIDE,
            embed_dims=list(TRUNK.widths),
            depths=list(TRUNK.depths),
            num_heads=list(TRUNK.heads),
            window_sizes=list(TRUNK.windows),
            drop_path_rate=0.0,
        ),
        prompt_encoder=parts.PromptEncoder(WIDTH, (64, 64), (SIDE, SIDE), 16),
        mask_decoder=parts.MaskDecoder(
            num_multimask_outputs=3,
            transformer_dim=WIDTH,
            transformer=parts.TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=8, mlp_dim=64),
        ),
    )
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    predictor = package.SamPredictor(network.eval())
    predictor.set_image(PICTURE)
    return predictor


@pytest.mark.parametrize("name", ["click", "box"])
def test_masks_and_scores_are_the_public_ones(name: str, predictor: Any) -> None:
    network = Sam1(CONFIG).eval()
    network.load_state_dict(LAYOUTS[0].translate(predictor.model.state_dict()), strict=True)
    model = Model("mobile", network.requires_grad_(False), torch.device("cpu"), torch.float32, "random")
    embedding = encode_image(model, PICTURE)
    torch.testing.assert_close(embedding.features.image, predictor.features, atol=1e-4, rtol=0)
    answer = predict_masks(model, embedding, PROMPTS[name])
    logits, ious, _ = predictor.predict(**asked(PROMPTS[name]), return_logits=True)
    assert answer.logits[1:].shape[1:] == (679, 1024)  # the picture's part of the square
    np.testing.assert_allclose(answer.predicted_iou[1:], ious, atol=1e-4, rtol=0)
    ours = nn.functional.interpolate(answer.logits[1:][None], size=PICTURE.shape[:2], mode="bilinear")[0]
    np.testing.assert_allclose(ours, logits, atol=1e-3, rtol=0)
