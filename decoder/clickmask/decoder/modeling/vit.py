"""A plain vision transformer with relative positions, the trunk of SAM 1.

Source: "Segment Anything" (Kirillov et al., 2023), after "Exploring Plain Vision Transformer Backbones for Object
Detection" (Li et al., 2022); decomposed relative positions from "MViTv2" (Li et al., 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import VitConfig
from clickmask.decoder.modeling.layers import LayerNorm2d, Mlp, attend_in_windows

BAND_ROWS = 14  # of queries whose relative positions are in memory together: a window's, a part of a whole map's


class PatchEmbed(nn.Module):
    """Cut the image into patches that do not overlap."""

    def __init__(self, width: int, patch: int, *, bias: bool = True) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=patch, stride=patch, bias=bias)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, S / patch, S / patch, C)."""
        return self.proj(pixels).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


class RelativeAttention(nn.Module):
    """Multi-head self-attention that adds how far apart query and key lie, row by row and column by column."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        """(N, h, w, C) -> (N, h, w, C)."""
        n, h, w, _ = x.shape
        qkv = self.qkv(x).reshape(n, h * w, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (N, heads, h * w, c)
        q = q.unflatten(2, (h, w))
        down, across = self.rel_pos_h[_distances(h, x.device)], self.rel_pos_w[_distances(w, x.device)]
        mixed = [
            _attend(q[:, :, band : band + BAND_ROWS], k, v, down[band : band + BAND_ROWS], across)
            for band in range(0, h, BAND_ROWS)
        ]
        return self.proj(torch.cat(mixed, dim=1).view(n, h, w, -1))  # type: ignore[no-any-return]


class VitBlock(nn.Module):
    """A transformer block over windows of the map (or the whole map when ``window`` is 0)."""

    def __init__(self, config: VitConfig, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = RelativeAttention(config.width, config.heads, window or config.cells)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = Mlp((config.width, 4 * config.width, config.width), nn.GELU)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C)."""
        x = x + self._attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor) -> Tensor:
        if self.window == 0:
            return self.attn(x)  # type: ignore[no-any-return]
        return attend_in_windows(self.attn, x, self.window)[:, : x.shape[1], : x.shape[2]]


class Vit(nn.Module):
    """The trunk and its neck: one map at the stride of a patch."""

    def __init__(self, config: VitConfig, width: int) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.width, config.patch)
        self.pos_embed = nn.Parameter(torch.zeros(1, config.cells, config.cells, config.width))
        windows = [0 if index in config.global_blocks else config.window for index in range(config.depth)]
        self.blocks = nn.ModuleList(VitBlock(config, window) for window in windows)
        self.neck = neck(config.width, width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised RGB (B, 3, S, S) -> (B, C, S / patch, S / patch)."""
        x = self.patch_embed(pixels) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))  # type: ignore[no-any-return]


def neck(width: int, out_width: int) -> nn.Sequential:
    """Bring a map to the decoder's width and mix neighbours."""
    return nn.Sequential(
        nn.Conv2d(width, out_width, 1, bias=False),
        LayerNorm2d(out_width),
        nn.Conv2d(out_width, out_width, 3, padding=1, bias=False),
        LayerNorm2d(out_width),
    )


def _attend(q: Tensor, k: Tensor, v: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Attend from a band of queries to the whole map.

    Args:
        q: (N, heads, rows, w, c).
        k, v: (N, heads, h * w, c).
        down: Looks of a distance between rows, (rows, h, c).
        across: Looks of a distance between columns, (w, w, c).

    Returns:
        (N, rows * w, C).
    """
    rows = torch.einsum("nqhwc,hkc->nqhwk", q, down)
    columns = torch.einsum("nqhwc,wkc->nqhwk", q, across)
    bias = rows[..., :, None] + columns[..., None, :]  # (N, heads, rows, w, h, w)
    bias = bias.flatten(4).flatten(2, 3)
    mixed = F.scaled_dot_product_attention(q.flatten(2, 3), k, v, attn_mask=bias)
    return mixed.transpose(1, 2).flatten(2)


def _distances(length: int, device: torch.device) -> Tensor:
    """Which row of the table of 2 * length - 1 distances is for query i and key j: (length, length)."""
    place = torch.arange(length, device=device)
    return place[:, None] - place[None] + length - 1
