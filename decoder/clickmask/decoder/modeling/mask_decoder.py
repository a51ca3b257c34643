"""The mask decoder: four masks, their predicted IoU and an object score for every prompt.

Source: "Segment Anything" (Kirillov et al., 2023) and SAM 2 (Ravi et al., 2024), whose high-resolution
features (stride 4 and 8) join the upscaling.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.config import DecoderConfig
from clickmask.decoder.modeling.layers import LayerNorm2d, Mlp
from clickmask.decoder.modeling.transformer import TwoWayTransformer

MASK_TOKENS = 4  # row 0 is the single mask, rows 1 to 3 the candidates for ambiguous prompts


class HighResolution(NamedTuple):
    """The encoder's fine maps, projected once per image."""

    s4: Tensor  # (B, C / 8, 4h, 4w), stride 4
    s8: Tensor  # (B, C / 4, 2h, 2w), stride 8


class ImageFeatures(NamedTuple):
    """What the decoder needs of B images."""

    image: Tensor  # (B, C, h, w) embedding
    high_resolution: HighResolution  # projected fine maps; of no channels where a family has none


class DecoderOutput(NamedTuple):
    """What the decoder says of B prompts."""

    logits: Tensor  # (B, 4, 4h, 4w) mask logits, unbounded
    predicted_iou: Tensor  # (B, 4) in [0, 1]
    object_score: Tensor  # (B, 1) logit, > 0: there is an object
    tokens: Tensor  # (B, 4, C) mask tokens, what object pointers are made of


class MaskDecoder(nn.Module):
    """Decode prompts on an image embedding into masks."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.transformer = TwoWayTransformer(config)
        self.obj_score_token = nn.Embedding(1, width)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASK_TOKENS, width)
        self.conv_s0 = nn.Conv2d(config.s4_channels, width // 8, 1)
        self.conv_s1 = nn.Conv2d(config.s8_channels, width // 4, 1)
        self.output_upscaling = upscaling(width)
        self.output_hypernetworks_mlps = nn.ModuleList(
            Mlp((width, width, width, width // 8)) for _ in range(MASK_TOKENS)
        )
        self.iou_prediction_head = Mlp((width, width, width, MASK_TOKENS))
        self.pred_obj_score_head = Mlp((width, width, width, 1))

    def project(self, s4: Tensor, s8: Tensor) -> HighResolution:
        """Narrow the encoder's stride-4 and stride-8 maps, once per image."""
        return HighResolution(s4=self.conv_s0(s4), s8=self.conv_s1(s8))

    def forward(
        self, image: Tensor, image_pe: Tensor, sparse: Tensor, dense: Tensor, high_resolution: HighResolution
    ) -> DecoderOutput:
        """Decode B prompts.

        Args:
            image: Image embedding, shape (B, C, h, w) or (1, C, h, w) for one image.
            image_pe: Position encoding, shape (1, C, h, w).
            sparse: Prompt tokens, shape (B, N, C).
            dense: Dense prompt, shape (B, C, h, w) or broadcastable to it.
            high_resolution: Projected fine maps of B images or of one.
        """
        tokens = self.with_output_tokens(sparse)  # (B, 6 + N, C)
        source = (image + dense).expand(len(sparse), -1, -1, -1)
        tokens, source = self.transformer(source, image_pe, tokens)
        upscaled = self._upscale(source, high_resolution)
        return self.answer(tokens, torch.einsum("bmc,bchw->bmhw", self.kernels(tokens), upscaled))

    def with_output_tokens(self, sparse: Tensor) -> Tensor:
        """Put the object, IoU and mask tokens before the prompt's: (B, N, C) -> (B, 6 + N, C)."""
        output = torch.cat([self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight])
        return torch.cat([output.expand(len(sparse), -1, -1), sparse], dim=1)

    def kernels(self, tokens: Tensor) -> Tensor:
        """What each mask token compares pixels with, of all tokens: (B, 6 + N, C) -> (B, 4, C / 8)."""
        return mask_kernels(self.output_hypernetworks_mlps, tokens[:, 2 : 2 + MASK_TOKENS])

    def answer(self, tokens: Tensor, logits: Tensor) -> DecoderOutput:
        """What all tokens (B, 6 + N, C) say beside their masks (B, 4, 4h, 4w)."""
        return DecoderOutput(
            logits=logits,
            predicted_iou=self.iou_prediction_head(tokens[:, 1]).sigmoid(),
            object_score=self.pred_obj_score_head(tokens[:, 0]),
            tokens=tokens[:, 2 : 2 + MASK_TOKENS],
        )

    def _upscale(self, source: Tensor, high_resolution: HighResolution) -> Tensor:
        """(B, C, h, w) -> (B, C / 8, 4h, 4w), with the fine maps added on the way."""
        up1, norm, act1, up2, act2 = self.output_upscaling
        x = act1(norm(up1(source) + high_resolution.s8))
        return act2(up2(x) + high_resolution.s4)  # type: ignore[no-any-return]


def upscaling(width: int) -> nn.Sequential:
    """The layers that make a map four times as fine and an eighth as wide."""
    return nn.Sequential(
        nn.ConvTranspose2d(width, width // 4, 2, stride=2),
        LayerNorm2d(width // 4),
        nn.GELU(),
        nn.ConvTranspose2d(width // 4, width // 8, 2, stride=2),
        nn.GELU(),
    )


def mask_kernels(mlps: nn.ModuleList, mask_tokens: Tensor) -> Tensor:
    """What each mask token compares pixels with, by its own layers: (B, 4, C) -> (B, 4, C / 8)."""
    return torch.stack([mlp(mask_tokens[:, row]) for row, mlp in enumerate(mlps)], dim=1)
