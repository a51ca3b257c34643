"""TinyViT, the trunk of MobileSAM: a stage of convolutions, then three of attention in windows.

Source: "TinyViT" (Wu et al., 2022), "Faster Segment Anything" (Zhang et al., 2023), whose last stage keeps its stride.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import TinyVitConfig
from clickmask.decoder.modeling.layers import attend_in_windows
from clickmask.decoder.modeling.vit import neck


class ConvNorm(nn.Module):
    """A convolution and its batch norm; each channel by itself where ``depthwise``."""

    def __init__(self, channels: int, width: int, side: int = 1, stride: int = 1, *, depthwise: bool = False) -> None:
        super().__init__()
        groups = channels if depthwise else 1
        self.c = nn.Conv2d(channels, width, side, stride, side // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, width, H / stride, W / stride)."""
        return self.bn(self.c(x))  # type: ignore[no-any-return]


class ConvBlock(nn.Module):
    """Widen, look around in each channel, narrow; around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, 4 * width)
        self.conv2 = ConvNorm(4 * width, 4 * width, 3, depthwise=True)
        self.conv3 = ConvNorm(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return F.gelu(x + self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x))))))


class Merge(nn.Module):
    """Go to the next stage's width, and mostly to half the map."""

    def __init__(self, width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, out_width)
        self.conv2 = ConvNorm(out_width, out_width, 3, stride, depthwise=True)
        self.conv3 = ConvNorm(out_width, out_width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        return self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))  # type: ignore[no-any-return]


class BiasedAttention(nn.Module):
    """Norm, then multi-head self-attention in a window, with a learned bias for each distance on either axis."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, side * side))

    def forward(self, x: Tensor) -> Tensor:
        """(N, side, side, C) -> (N, side, side, C)."""
        n, side, _, width = x.shape
        qkv = self.qkv(self.norm(x)).view(n, side * side, self.heads, 3, -1)
        q, k, v = qkv.permute(3, 0, 2, 1, 4)  # (N, heads, side * side, c)
        bias = self.attention_biases[:, _distances(side, x.device)]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None].to(q.dtype))
        return self.proj(mixed.transpose(1, 2).reshape(n, side, side, width))  # type: ignore[no-any-return]


class NormedMlp(nn.Module):
    """Norm, then two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to the same shape."""
        return self.fc2(F.gelu(self.fc1(self.norm(x))))  # type: ignore[no-any-return]


class AttentionBlock(nn.Module):
    """Attention in windows, a convolution in each channel, a feed-forward part."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = BiasedAttention(width, heads, window)
        self.local_conv = ConvNorm(width, width, 3, depthwise=True)
        self.mlp = NormedMlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        x = x.permute(0, 2, 3, 1)
        x = x + attend_in_windows(self.attn, x, self.window)[:, : x.shape[1], : x.shape[2]]
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return (x + self.mlp(x)).permute(0, 3, 1, 2)  # type: ignore[no-any-return]


class Stage(nn.Module):
    """Blocks, then the way to the next stage."""

    def __init__(self, blocks: list[nn.Module], downsample: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        for block in self.blocks:
            x = block(x)
        return self.downsample(x)  # type: ignore[no-any-return]


class PatchEmbed(nn.Module):
    """Cut the image into overlapping patches at stride 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(ConvNorm(3, width // 2, 3, 2), nn.GELU(), ConvNorm(width // 2, width, 3, 2))

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, C, S / 4, S / 4)."""
        return self.seq(pixels)  # type: ignore[no-any-return]


class TinyVit(nn.Module):
    """The trunk and its neck: one map at stride 16."""

    def __init__(self, config: TinyVitConfig, out_width: int) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(config.widths[0])
        merges = [Merge(a, b, stride) for (a, b), stride in zip(pairwise(config.widths), (2, 2, 1), strict=True)]
        sizes = zip(config.widths, config.depths, config.heads, config.windows, [*merges, nn.Identity()], strict=True)
        self.layers = nn.ModuleList(
            Stage([AttentionBlock(width, heads, window) if index else ConvBlock(width) for _ in range(depth)], after)
            for index, (width, depth, heads, window, after) in enumerate(sizes)
        )
        self.neck = neck(config.widths[-1], out_width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised RGB (B, 3, S, S) -> (B, C, S / 16, S / 16)."""
        x = self.patch_embed(pixels)
        for layer in self.layers:
            x = layer(x)
        return self.neck(x)  # type: ignore[no-any-return]


def _distances(side: int, device: torch.device) -> Tensor:
    """Which row of the table of distances is for query i and key j of a window: (side * side, side * side)."""
    cell = torch.arange(side * side, device=device)
    row, column = cell // side, cell % side
    return (row[:, None] - row[None]).abs() * side + (column[:, None] - column[None]).abs()
