"""The two-way transformer and the upscaling as matrix products, in an order that costs less.

A prompt is few tokens, an image thousands of places. So the projections of keys, values and queries are folded into
the tokens, by associativity: ``q (x K)^T = (q K^T) x^T`` and ``w (x V) = (w x) V``. Nothing is projected at every
place of the image, and an image has no keys or values to be kept. A key's bias is the same for all that are weighed,
so it drops out of the softmax; a value's bias stays as it is, for weights sum to one. With more than ``FEW_TOKENS``
the folded order costs more than the plain one.

Letters: B prompts, N tokens, M places of the image, C channels, c channels of a head.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.layers import LayerNorm2d
from clickmask.decoder.modeling.mask_decoder import HighResolution
from clickmask.decoder.modeling.products import linear, matmul
from clickmask.decoder.modeling.transformer import Attention, FirstTwoWayBlock, TwoWayBlock, TwoWayTransformer

FEW_TOKENS = 16  # SAM 2's six, a padding, and nine clicks
BLOCK_CELLS = 2048  # upscaled at once: a processor keeps them in its cache


class TokensToImage:
    """Attention from few tokens to all places of an image."""

    def __init__(self, attention: Attention) -> None:
        self._attention = attention
        heads, (inner, width) = attention.heads, attention.k_proj.weight.shape
        scale = (inner // heads) ** -0.5
        self._keys = attention.k_proj.weight.view(heads, -1, width) * scale  # (heads, c, C)
        self._values = attention.v_proj.weight.view(heads, -1, width).transpose(1, 2)  # (heads, C, c)
        self._bias = attention.out_proj(attention.v_proj.bias)  # (C,)

    def __call__(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend from (B, N, C) to places by ``keys`` and take ``values``, each (B or 1, M, C); give (B, N, C)."""
        attention = self._attention
        asked = attention.split(attention.q_proj(queries)) @ self._keys  # (B, heads, N, C)
        weights = matmul(asked.flatten(1, 2), keys.mT).softmax(-1)  # (B, heads * N, M)
        seen = matmul(weights, values).view(asked.shape) @ self._values  # (B, heads, N, c)
        return F.linear(seen.transpose(1, 2).flatten(2), attention.out_proj.weight, self._bias)


class ImageToTokens:
    """Attention from all places of an image to few tokens, beside a skip."""

    def __init__(self, attention: Attention) -> None:
        self._attention = attention
        heads, (inner, width) = attention.heads, attention.q_proj.weight.shape
        scale = (inner // heads) ** -0.5
        self._queries = attention.q_proj.weight.view(heads, -1, width) * scale  # (heads, c, C)
        self._query_bias = attention.q_proj.bias.view(heads, -1, 1) * scale  # (heads, c, 1)
        self._out = attention.out_proj.weight.view(width, heads, -1).permute(1, 2, 0).contiguous()  # (heads, c, C)

    def __call__(self, image: Tensor, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend from places, by ``queries`` (B or 1, M, C), to tokens (B, N, C); add ``image`` (B or 1, M, C)."""
        attention = self._attention
        batch, count, _ = keys.shape
        keys = attention.split(attention.k_proj(keys))  # (B, heads, N, c)
        answering, offset = keys @ self._queries, keys @ self._query_bias  # (B, heads, N, C), (B, heads, N, 1)
        scores = matmul(answering.flatten(1, 2), queries.mT)  # (B, heads * N, M)
        weights = scores.view(batch, attention.heads, count, -1).add_(offset).softmax(dim=2)
        said = attention.split(attention.v_proj(values)) @ self._out  # (B, heads, N, C)
        said[:, 0] += attention.out_proj.bias  # once, for one head's weights sum to one
        return matmul(weights.flatten(1, 2).mT, said.flatten(1, 2)).add_(image)


class FoldedBlock:
    """A two-way block."""

    def __init__(self, block: TwoWayBlock) -> None:
        self._block = block
        self._to_image = TokensToImage(block.cross_attn_token_to_image)
        self._to_tokens = ImageToTokens(block.cross_attn_image_to_token)

    def __call__(self, tokens: Tensor, token_pe: Tensor, image: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Update tokens (B, N, C) and image (B or 1, M, C); ``image_pe`` is (M, C)."""
        block = self._block
        if isinstance(block, FirstTwoWayBlock):
            tokens = block.norm1(block.self_attn(tokens, tokens, tokens))
        else:
            q = tokens + token_pe
            tokens = block.norm1(tokens + block.self_attn(q, q, tokens))
        placed = image + image_pe
        tokens = block.norm2(tokens + self._to_image(tokens + token_pe, placed, image))
        tokens = block.norm3(tokens + block.mlp(tokens))
        return tokens, block.norm4(self._to_tokens(image, placed, tokens + token_pe, tokens))


class FoldedTransformer:
    """A two-way transformer for images of one size.

    Args:
        transformer: Whose weights are used.
        image_pe: Position encoding of the places, (M, C).
        outputs: How many of the first tokens are read afterwards; only they take the last look at the image.
    """

    def __init__(self, transformer: TwoWayTransformer, image_pe: Tensor, outputs: int) -> None:
        self._plain, self._image_pe, self._outputs = transformer, image_pe, outputs
        self._blocks = [FoldedBlock(cast(TwoWayBlock, block)) for block in transformer.layers]
        self._last = TokensToImage(transformer.final_attn_token_to_image)

    def __call__(self, image: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Mix image (B or 1, M, C) and tokens (B, N, C): the first tokens (B, outputs, C) and the image (B, M, C)."""
        if tokens.shape[1] > FEW_TOKENS:
            return self._many(image.expand(len(tokens), -1, -1), tokens)
        token_pe = tokens
        for block in self._blocks:
            tokens, image = block(tokens, token_pe, image, self._image_pe)
        read, read_pe = tokens[:, : self._outputs], token_pe[:, : self._outputs]
        seen = self._last(read + read_pe, image + self._image_pe, image)
        return self._plain.norm_final_attn(read + seen), image

    def _many(self, image: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Mix in the plain order, in which a row of places is as good as a map."""
        as_map = image.transpose(1, 2)[:, :, None]  # (B, C, 1, M)
        tokens, as_map = self._plain(as_map, self._image_pe.T[None, :, None], tokens)
        return tokens[:, : self._outputs], as_map[:, :, 0].transpose(1, 2)


class FoldedUpscaling:
    """Compares every pixel of a map made four times as fine with kernels; a 2x2 cell is one matrix product."""

    def __init__(self, upscaling: nn.Sequential) -> None:
        first, norm, _, second, _ = upscaling
        self._norm = cast(LayerNorm2d, norm)
        self._first, self._second = (_as_linear(cast(nn.ConvTranspose2d, layer)) for layer in (first, second))

    def __call__(self, image: Tensor, fine: HighResolution, kernels: Tensor) -> Tensor:
        """Compare.

        Args:
            image: (B, M, C).
            fine: Cells in cells, (B or 1, M * 4, C / 4) and (B or 1, M * 16, C / 8), or of no channels.
            kernels: (B, 4, C / 8).

        Returns:
            (B, 4, M * 16), cells in cells.
        """
        if image.is_cuda:
            return self._compare(image, fine, kernels)
        step = max(1, BLOCK_CELLS // len(image))
        masks = image.new_empty(*kernels.shape[:2], image.shape[1] * 16)
        for start in range(0, image.shape[1], step):
            end = start + step
            part = HighResolution(s4=fine.s4[:, start * 16 : end * 16], s8=fine.s8[:, start * 4 : end * 4])
            masks[..., start * 16 : end * 16] = self._compare(image[:, start:end], part, kernels)
        return masks

    def _compare(self, image: Tensor, fine: HighResolution, kernels: Tensor) -> Tensor:
        batch, cells, _ = image.shape
        norm = self._norm
        x = _with(linear(image, *self._first).view(batch, cells * 4, -1), fine.s8)
        x = torch.ops.aten.gelu_(F.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, eps=1e-6))
        x = _with(linear(x, *self._second).view(batch, cells * 16, -1), fine.s4)
        return kernels @ cast(Tensor, torch.ops.aten.gelu_(x)).transpose(1, 2)


def _with(x: Tensor, fine: Tensor) -> Tensor:
    return x.add_(fine) if fine.shape[-1] else x


def _as_linear(layer: nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    """A 2x2 transposed convolution of stride 2 as a matrix (4 * out, in) and a bias (4 * out,)."""
    assert layer.bias is not None
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)  # (in, out, 2, 2) -> (2 * 2 * out, in)
    return weight.contiguous(), layer.bias.repeat(4)
