"""A second outside check: an implementation of SAM 2 that we did not write (transformers' ``Sam2Model``)."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from clickmask.decoder.modeling.config import DecoderConfig, Geometry, HieraConfig, Sam2Config
from clickmask.decoder.modeling.sam2 import LAYOUTS, ImageSam2
from tests.decoder.small_peer import small_vision

SIDE, WIDTH = 64, 32
TRANSFORMERS = LAYOUTS[1]
OURS = Sam2Config(
    trunk=HieraConfig(16, 1, (1, 1, 2, 1), (3,), (4, 2, 4, 2), 3),
    version="2.1",
    geometry=Geometry(SIDE),
    decoder=DecoderConfig(width=WIDTH, heads=8, mlp_width=64, s4_channels=WIDTH, s8_channels=WIDTH),
    memory=None,
)


@pytest.fixture(scope="module")
def peer() -> Any:
    """A small network with random weights."""
    from transformers import Sam2Config as PeerConfig
    from transformers import Sam2Model
    from transformers.models.sam2.configuration_sam2 import (
        Sam2MaskDecoderConfig,
        Sam2PromptEncoderConfig,
    )

    vision = small_vision(SIDE, WIDTH)
    config = PeerConfig(
        vision_config=vision,
        prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=WIDTH, image_size=SIDE),
        mask_decoder_config=Sam2MaskDecoderConfig(hidden_size=WIDTH, mlp_dim=64, iou_head_hidden_dim=WIDTH),
    )
    torch.manual_seed(0)
    model = Sam2Model(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    # One table in SAM 2; real checkpoints of the peer hold two equal copies of it.
    model.shared_image_embedding.positional_embedding = model.prompt_encoder.shared_embedding.positional_embedding
    return model


@pytest.fixture(scope="module")
def ours(peer: Any) -> ImageSam2:
    """Our network with the peer's weights."""
    network = ImageSam2(OURS).eval()
    network.load_state_dict(TRANSFORMERS.translate(peer.state_dict()), strict=True)
    return network


@pytest.mark.parametrize("with_mask", [False, True], ids=["clicks", "clicks-and-mask"])
def test_the_peer_gives_the_same_masks_and_scores(peer: Any, ours: ImageSam2, with_mask: bool) -> None:
    torch.manual_seed(1)
    pixels = torch.randn(1, 3, SIDE, SIDE)
    points = torch.tensor([[[10.0, 20.0], [40.0, 33.0], [5.0, 60.0]]])
    labels = torch.tensor([[1, 0, 1]])
    earlier = torch.randn(1, 1, SIDE // 4, SIDE // 4) if with_mask else None
    with torch.inference_mode():
        theirs = peer(
            pixel_values=pixels,
            input_points=points[:, None],
            input_labels=labels[:, None],
            input_masks=earlier,
            multimask_output=True,
        )
        answer = ours.decode(ours.encode(pixels), points / SIDE, labels, earlier)
    torch.testing.assert_close(answer.logits[:, 1:], theirs.pred_masks[:, 0], atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(answer.predicted_iou[:, 1:], theirs.iou_scores[:, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(answer.object_score, theirs.object_score_logits[:, 0], atol=1e-3, rtol=1e-4)
