"""The prompt encoder: clicks, box corners and earlier masks become tokens and a dense map.

Source: "Segment Anything" (Kirillov et al., 2023).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.layers import LayerNorm2d
from clickmask.decoder.modeling.position import FourierPosition

NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT, PADDING = 0, 1, 2, 3, -1  # point labels, as SAM numbers them


class EncodedPrompt(NamedTuple):
    """B prompts as the mask decoder wants them."""

    sparse: Tensor  # (B, N, C) tokens
    dense: Tensor  # (B, C, h, w), or (1, C, 1, 1) where no mask was given


class PromptEncoder(nn.Module):
    """Encode prompts in normalised image coordinates."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pe_layer = FourierPosition(width)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.no_mask_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, stride=2),
            LayerNorm2d(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, stride=2),
            LayerNorm2d(16),
            nn.GELU(),
            nn.Conv2d(16, width, 1),
        )

    def forward(self, points: Tensor, labels: Tensor, mask_logits: Tensor | None) -> EncodedPrompt:
        """Encode B prompts.

        Args:
            points: (B, N, 2), each (x, y) in [0, 1] of the image.
            labels: (B, N) of 1 positive, 0 negative, 2 and 3 box corners, -1 padding.
            mask_logits: (B, 1, 4h, 4w) logits of earlier answers, or None.
        """
        if mask_logits is None:
            dense = self.no_mask_embed.weight[:, :, None, None]
        else:
            dense = self.mask_downscaling(mask_logits)
        return EncodedPrompt(sparse=self._tokens(points, labels), dense=dense)

    def _tokens(self, points: Tensor, labels: Tensor) -> Tensor:
        embeddings = [self.not_a_point_embed, *self.point_embeddings]
        kinds = torch.cat([embedding.get_parameter("weight") for embedding in embeddings])  # (5, C)
        positions = self.pe_layer(points) * (labels != PADDING)[..., None]
        return positions + kinds[labels + 1]  # type: ignore[no-any-return]


def end_with_padding(points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Append the "no point" token: (B, N, 2) and (B, N) grow by one."""
    batch = len(points)
    points = torch.cat([points, points.new_zeros(batch, 1, 2)], dim=1)
    return points, torch.cat([labels, labels.new_full((batch, 1), PADDING)], dim=1)
