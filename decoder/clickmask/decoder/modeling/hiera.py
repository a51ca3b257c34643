"""Hiera: a hierarchical vision transformer, the trunk of SAM 2.

Source: "Hiera" (Ryali et al., 2023); windowed position table from "Window Attention is Bugged" (Bolya et al., 2023).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import HieraConfig
from clickmask.decoder.modeling.layers import Mlp, attend_in_windows


class PatchEmbed(nn.Module):
    """Cut the image into overlapping patches at stride 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=7, stride=4, padding=3)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, S / 4, S / 4, C)."""
        return self.proj(pixels).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


class WindowAttention(nn.Module):
    """Multi-head self-attention inside each window, with queries pooled 2x2 at the start of a stage."""

    def __init__(self, width: int, out_width: int, heads: int, pools: bool) -> None:
        super().__init__()
        self.heads, self.pools = heads, pools
        self.mix: Callable[[Tensor, Tensor, Tensor], Tensor] = F.scaled_dot_product_attention
        self.qkv = nn.Linear(width, 3 * out_width)
        self.proj = nn.Linear(out_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, C) -> (N, h', w', C'), where h', w' are halved if queries are pooled."""
        n, h, w, _ = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        if self.pools:
            q = _pool(q)
            h, w = h // 2, w // 2
        mixed = self.mix(self._split(q), self._split(k), self._split(v))  # (N, heads, h * w, c)
        return self.proj(mixed.transpose(1, 2).reshape(n, h, w, -1))  # type: ignore[no-any-return]

    def _split(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        return x.reshape(n, h * w, self.heads, c // self.heads).transpose(1, 2)


class HieraBlock(nn.Module):
    """A transformer block over windows of the map (or the whole map when ``window`` is 0)."""

    def __init__(self, width: int, out_width: int, heads: int, window: int, pools: bool) -> None:
        super().__init__()
        self.window, self.pools = window, pools
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = WindowAttention(width, out_width, heads, pools)
        self.norm2 = nn.LayerNorm(out_width, eps=1e-6)
        self.mlp = Mlp((out_width, 4 * out_width, out_width), nn.GELU)
        if width != out_width:
            self.proj = nn.Linear(width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H', W', C')."""
        x = self.attend(x)
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]

    def attend(self, x: Tensor) -> Tensor:
        """The block without its MLP: (B, H, W, C) -> (B, H', W', C')."""
        normed = self.norm1(x)
        shortcut = x if not hasattr(self, "proj") else self.proj(normed)
        if self.pools:
            shortcut = _pool(shortcut)
        return shortcut + self._look(normed)[:, : shortcut.shape[1], : shortcut.shape[2]]

    def _look(self, x: Tensor) -> Tensor:
        """Attention, over whole windows."""
        return attend_in_windows(self.attn, x, self.window) if self.window else self.attn(x)


class Hiera(nn.Module):
    """Four stages at stride 4, 8, 16 and 32, doubling the channels at each."""

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.width)
        self.pos_embed = nn.Parameter(torch.zeros(1, config.width, config.background, config.background))
        side = config.window_sizes[0]
        self.pos_embed_window = nn.Parameter(torch.zeros(1, config.width, side, side))
        self.blocks = nn.ModuleList(_blocks(config))
        ends = [sum(config.stages[: stage + 1]) - 1 for stage in range(len(config.stages))]
        self.stage_ends = frozenset(ends)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, S, S) -> four maps (B, C, H, W), finest first."""
        x = self.patch_embed(pixels)
        x = x + self.positions(x.shape[1], x.shape[2])
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.stage_ends:
                maps.append(x.permute(0, 3, 1, 2))
        return maps

    def positions(self, height: int, width: int) -> Tensor:
        """A coarse table stretched over the map, plus a fine one repeated in every window: (1, H, W, C)."""
        coarse = F.interpolate(self.pos_embed, size=(height, width), mode="bicubic")
        side = self.pos_embed_window.shape[-1]
        fine = self.pos_embed_window.tile(1, 1, height // side, width // side)
        return (coarse + fine).permute(0, 2, 3, 1)


def _blocks(config: HieraConfig) -> list[HieraBlock]:
    """Lay out the stages; a stage's first block still has the window of the stage before."""
    blocks: list[HieraBlock] = []
    widths = [config.width * 2**stage for stage in range(4)]
    for stage, depth in enumerate(config.stages):
        for position in range(depth):
            starts = position == 0 and stage > 0
            window = config.window_sizes[stage - 1 if starts else stage]
            if len(blocks) in config.global_blocks:
                window = 0
            width = widths[stage - 1] if starts else widths[stage]
            blocks.append(HieraBlock(width, widths[stage], config.heads * 2**stage, window, pools=starts))
    return blocks


def _pool(x: Tensor) -> Tensor:
    """2x2 max pooling of a channels-last map."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
