"""SAM 2's clicks, about twice as fast and equal to rounding: the same network with its constants folded.

- The image's position encoding never changes, so what the attention layers make of it is computed once.
- Without a mask prompt the first block's keys, values and queries depend on the image alone: once per image.
- A transposed convolution whose stride is its kernel is a matrix product. Its four outputs stay side by side,
  and so do those of the second one; only the four finished masks are brought into the order of an image.

Layouts of the features made here (h, w: the embedding's grid, C its channels):
``image`` (B, h*w, C + 3 * C / 2): embedding, then keys, values and queries of the first block;
``s8`` (B, h*w * 4, C / 4) and ``s4`` (B, h*w * 16, C / 8): cell by cell, finer cells inside coarser ones.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.layers import LayerNorm2d
from clickmask.decoder.modeling.mask_decoder import MASK_TOKENS, DecoderOutput, HighResolution, ImageFeatures
from clickmask.decoder.modeling.prompt_encoder import end_with_padding
from clickmask.decoder.modeling.sam2 import ImageSam2
from clickmask.decoder.modeling.transformer import Attention, FirstTwoWayBlock, TwoWayBlock


class FoldedProjection:
    """Linear layers on ``image`` or ``image + position``, as one product and one sum."""

    def __init__(self, layers: list[tuple[nn.Linear, bool]], position: Tensor) -> None:
        """Fold layers, each with whether it sees the position (h*w, C) too."""
        self.weight = torch.cat([layer.weight for layer, _ in layers])
        offsets = [layer(position) if sees else layer.bias.expand(len(position), -1) for layer, sees in layers]
        self.offset = torch.cat(offsets, dim=1)  # (h*w, sum of the widths)

    def __call__(self, image: Tensor) -> Tensor:
        """(B, h*w, C) -> (B, h*w, sum of the widths)."""
        return F.linear(image, self.weight).add_(self.offset)


class FastSam2:
    """A network with the interface of ``Sam2`` for still images."""

    def __init__(self, network: ImageSam2) -> None:
        self.network = network
        self.config = network.config
        side = network.config.geometry.cells
        decoder = network.mask_decoder
        with torch.inference_mode():
            position = network.prompt_encoder.pe_layer.grid(side, side).flatten(2)[0].T  # (h*w, C)
            self._blocks = [cast(TwoWayBlock, block) for block in decoder.transformer.layers]
            self._projections = [_fold_block(block, position) for block in self._blocks]
            last = decoder.transformer.final_attn_token_to_image
            self._last = FoldedProjection([(last.k_proj, True), (last.v_proj, False)], position)
            up1, self._norm, self._act1, up2, self._act2 = decoder.output_upscaling
            self._up1, self._up2 = (_fold_upscaling(cast(nn.ConvTranspose2d, up)) for up in (up1, up2))

    @property
    def image_side(self) -> int:
        """Side of the square the network sees [px]."""
        return self.network.image_side

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """Encode still images: normalised RGB (B, 3, S, S)."""
        features = self.network.encode(pixels)
        image = features.image.flatten(2).transpose(1, 2)  # (B, h*w, C)
        first = self._projections[0](image + self.network.prompt_encoder.no_mask_embed.weight)
        s4, s8 = features.high_resolution
        fine = HighResolution(s4=_cells_in_cells(s4, 2), s8=_cells_in_cells(s8, 1))
        return ImageFeatures(torch.cat([image, first], dim=-1), fine)

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts; see ``Sam2.decode``."""
        points = points + 0.5 / self.image_side
        if points.shape[1] > 0:
            points, labels = end_with_padding(points, labels)
        prompt = self.network.prompt_encoder(points, labels, mask_logits)
        width = self.config.decoder.width
        image, first = features.image[..., :width], features.image[..., width:]
        image = image + prompt.dense.flatten(2).transpose(1, 2)
        if mask_logits is not None:
            first = self._projections[0](image)
        decoder = self.network.mask_decoder
        tokens = decoder.with_output_tokens(prompt.sparse)
        tokens, image = self._transform(tokens, image, first)
        mask_tokens = tokens[:, 2 : 2 + MASK_TOKENS]
        return DecoderOutput(
            logits=self._masks(mask_tokens, image, features.high_resolution),
            predicted_iou=decoder.iou_prediction_head(tokens[:, 1]).sigmoid(),
            object_score=decoder.pred_obj_score_head(tokens[:, 0]),
            tokens=mask_tokens,
        )

    def _transform(self, token_pe: Tensor, image: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """The two-way transformer on tokens (B, N, C) and image (B or 1, h*w, C)."""
        transformer = self.network.mask_decoder.transformer
        tokens = token_pe
        for index, block in enumerate(self._blocks):
            projected = first if index == 0 else self._projections[index](image)
            q = tokens if isinstance(block, FirstTwoWayBlock) else tokens + token_pe
            attended = block.self_attn(q, q, tokens)
            tokens = block.norm1(attended if isinstance(block, FirstTwoWayBlock) else tokens + attended)
            tokens, image = _cross(block, tokens, token_pe, image, projected)
        last = transformer.final_attn_token_to_image
        k, v = self._last(image).chunk(2, dim=-1)
        attended = last.out_proj(_attend(last, last.q_proj(tokens + token_pe), k, v))
        return transformer.norm_final_attn(tokens + attended), image

    def _masks(self, mask_tokens: Tensor, image: Tensor, fine: HighResolution) -> Tensor:
        """Upscale the image and compare every pixel with each mask token: (B, 4, 4h, 4w)."""
        batch, cells, _ = image.shape
        norm = cast(LayerNorm2d, self._norm)
        weight, bias = self._up1
        x = F.linear(image, weight, bias).view(batch, cells * 4, -1).add_(fine.s8)
        x = self._act1(F.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, eps=1e-6))
        weight, bias = self._up2
        x = self._act2(F.linear(x, weight, bias).view(batch, cells * 16, -1).add_(fine.s4))
        kernels = self.network.mask_decoder.kernels(mask_tokens)  # (B, 4, C / 8)
        return _in_image_order(kernels @ x.transpose(1, 2), self.config.geometry.cells)


def _fold_block(block: TwoWayBlock, position: Tensor) -> FoldedProjection:
    """Keys and values the tokens look at, and the queries with which the image looks back."""
    to_image, to_token = block.cross_attn_token_to_image, block.cross_attn_image_to_token
    return FoldedProjection([(to_image.k_proj, True), (to_image.v_proj, False), (to_token.q_proj, True)], position)


def _fold_upscaling(layer: nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    """A 2x2 transposed convolution of stride 2 as a matrix (4 * out, in) and a bias (4 * out,)."""
    assert layer.bias is not None
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)  # (in, out, 2, 2) -> (2 * 2 * out, in)
    return weight.contiguous(), layer.bias.repeat(4)


def _cross(
    block: TwoWayBlock, tokens: Tensor, token_pe: Tensor, image: Tensor, projected: Tensor
) -> tuple[Tensor, Tensor]:
    """Do all that follows the tokens' attention to themselves."""
    k, v, image_q = projected.chunk(3, dim=-1)
    to_image, to_token = block.cross_attn_token_to_image, block.cross_attn_image_to_token
    attended = _attend(to_image, to_image.q_proj(tokens + token_pe), k, v)
    tokens = block.norm2(tokens + to_image.out_proj(attended))
    tokens = block.norm3(tokens + block.mlp(tokens))
    attended = _attend(to_token, image_q, to_token.k_proj(tokens + token_pe), to_token.v_proj(tokens))
    return tokens, block.norm4(to_token.out_proj(attended).add_(image))


def _attend(attention: Attention, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention on projected inputs (B or 1, N, c), (B or 1, M, c): (B, N, c)."""
    batch = max(len(q), len(k))
    q, k, v = (attention.split(x.expand(batch, -1, -1)) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _cells_in_cells(x: Tensor, levels: int) -> Tensor:
    """(B, c, H, W) -> (B, H*W, c): row by row over the coarse cells, and so again inside each, ``levels`` deep."""
    batch, channels, height, width = x.shape
    coarse_h, coarse_w = height >> levels, width >> levels
    x = x.view(batch, channels, coarse_h, *[2] * levels, coarse_w, *[2] * levels)
    rows = [2 + level for level in range(levels + 1)]
    columns = [3 + levels + level for level in range(levels + 1)]
    order = [axis for pair in zip(rows, columns, strict=True) for axis in pair]
    return x.permute(0, *order, 1).reshape(batch, height * width, channels)


def s16_map(image: Tensor) -> Tensor:
    """The embedding (B, h*w, C + 3 * C / 2) as a map (B, C, h, w), of a square image."""
    side, channels = math.isqrt(image.shape[1]), image.shape[-1] * 2 // 5
    return image[..., :channels].transpose(1, 2).reshape(len(image), channels, side, side)


def s8_map(cells: Tensor) -> Tensor:
    """What ``_cells_in_cells`` made of a square map one level deep, (B, h*w * 4, c), as the map (B, c, 2h, 2w)."""
    batch, count, channels = cells.shape
    side = math.isqrt(count // 4)
    x = cells.view(batch, side, side, 2, 2, channels)
    return x.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, 2 * side, 2 * side)


def _in_image_order(masks: Tensor, side: int) -> Tensor:
    """(B, 4, side * side * 16), cells in cells, -> (B, 4, 4 * side, 4 * side)."""
    x = masks.view(*masks.shape[:2], side, side, 2, 2, 2, 2)
    return x.permute(0, 1, 2, 4, 6, 3, 5, 7).reshape(*masks.shape[:2], 4 * side, 4 * side)
