"""SAM 2's image encoder for a processor: the same sums over parts of the map that its cache holds.

- Windows do not see each other, so a block with windows runs on a band of the map's rows at a time; the MLP looks at
  places one by one, so it runs on some rows of them.
- A 1x1 convolution of the neck and the decoder's behind it are one matrix, and what it gives are cells already.
- The position table depends on the side of the square alone, so it is stretched once.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.cells import to_cells
from clickmask.decoder.modeling.hiera import HieraBlock
from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures, MaskDecoder
from clickmask.decoder.modeling.neck import ImageEncoder, Lateral
from clickmask.decoder.modeling.products import attention, linear, linear_gelu

BAND_PLACES = 8192  # of the map, in whole rows of windows
MLP_PLACES = 1024

Affine = tuple[Tensor, Tensor]  # weight (out, in) and bias (out,)


class FastHiera:
    """Pixels to cells, see ``fast``.

    Args:
        encoder: Trunk and neck, a copy of its own.
        decoder: Whose projections of the fine maps are folded in.
        offset: Added to the embedding everywhere, (C,).
        side: Of the square of pixels [px].
    """

    def __init__(self, encoder: ImageEncoder, decoder: MaskDecoder, offset: Tensor, side: int) -> None:
        self._trunk = encoder.trunk
        for block in self._trunk.blocks:
            cast(HieraBlock, block).attn.mix = attention
        self._positions = self._trunk.positions(side // 4, side // 4).contiguous()  # (1, H, W, C)
        s32, s16, s8, s4 = (_affine(cast(Lateral, lateral).conv) for lateral in encoder.neck.convs)
        self._s32, self._s16 = s32, (s16[0], s16[1] + offset)
        self._s8, self._s4 = (_behind(_affine(decoder.conv_s1), s8), _behind(_affine(decoder.conv_s0), s4))

    def __call__(self, pixels: Tensor) -> ImageFeatures:
        """Normalised RGB (B, 3, S, S) to features."""
        x = self._trunk.patch_embed(pixels).add_(self._positions)
        maps = []
        for index, block in enumerate(self._trunk.blocks):
            x = _run(cast(HieraBlock, block), x)
            if index in self._trunk.stage_ends:
                maps.append(x)
        m4, m8, m16, m32 = maps
        fine = HighResolution(s4=_cells(linear(m4, *self._s4), 2), s8=_cells(linear(m8, *self._s8), 1))
        above = linear(m32, *self._s32).repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
        return ImageFeatures(linear(m16, *self._s16).add_(above).flatten(1, 2), fine)


def _run(block: HieraBlock, x: Tensor) -> Tensor:
    """One block: (B, H, W, C) -> (B, H', W', C')."""
    if block.window == 0:
        return _with_mlp(block, block.attend(x))
    rows = block.window * max(1, BAND_PLACES // (block.window * x.shape[0] * x.shape[2]))
    return torch.cat([_with_mlp(block, block.attend(band)) for band in torch.split(x, rows, dim=1)], dim=1)


def _with_mlp(block: HieraBlock, x: Tensor) -> Tensor:
    """Add the MLP to (B, H, W, C)."""
    x = x.contiguous()
    first, second = (_affine(layer) for layer in block.mlp.layers)
    for places in torch.split(x.view(-1, x.shape[-1]), MLP_PLACES):
        places.add_(linear(linear_gelu(block.norm2(places), *first), *second))
    return x


def _affine(layer: nn.Module) -> Affine:
    """What a linear layer or a 1x1 convolution does at each place."""
    return layer.get_parameter("weight").flatten(1), layer.get_parameter("bias")


def _behind(second: Affine, first: Affine) -> Affine:
    """One affine map and another behind it, as one."""
    (weight, bias), (first_weight, first_bias) = second, first
    return weight @ first_weight, weight @ first_bias + bias


def _cells(x: Tensor, levels: int) -> Tensor:
    """(B, H, W, c) -> (B, H*W, c)."""
    return to_cells(x.permute(0, 3, 1, 2), levels)
