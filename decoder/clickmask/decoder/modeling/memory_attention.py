"""Memory attention: the current frame's map looks at memories of past frames.

Source: SAM 2 (Ravi et al., 2024); rotary encoding from "RoFormer" (Su et al., 2021), in two axes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import MemoryConfig

ROPE_THETA = 10000.0


class RotaryAttention(nn.Module):
    """One-head attention whose queries and keys are rotated by their place in the map."""

    def __init__(self, width: int, key_width: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(key_width, width)
        self.v_proj = nn.Linear(key_width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, rotation: Tensor, pointers: int = 0) -> Tensor:
        """Attend from q (B, H*W, C) to k, v (B, M*H*W + pointers, c).

        Args:
            q: Map of the current frame.
            k: Memories, map after map, then object pointers, which have no place and are not rotated.
            v: Values of the same shape as ``k``.
            rotation: From ``rotary_grid``, shape (H*W, C / 2), complex.
            pointers: How many tokens at the end of ``k`` are pointers.
        """
        q = rotate(self.q_proj(q), rotation)
        k = self.k_proj(k)
        places = k.shape[1] - pointers
        k = torch.cat([rotate(k[:, :places], rotation), k[:, places:]], dim=1)
        mixed = F.scaled_dot_product_attention(q[:, None], k[:, None], self.v_proj(v)[:, None])
        return self.out_proj(mixed[:, 0])  # type: ignore[no-any-return]


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention to the memories, a feed-forward part."""

    def __init__(self, width: int, config: MemoryConfig) -> None:
        super().__init__()
        self.self_attn = RotaryAttention(width, width)
        self.cross_attn_image = RotaryAttention(width, config.width)
        self.linear1 = nn.Linear(width, config.mlp_width)
        self.linear2 = nn.Linear(config.mlp_width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Tensor, memory_pe: Tensor, rotation: Tensor, pointers: int) -> Tensor:
        """(B, H*W, C), or (1, H*W, C) for all, -> (B, H*W, C), conditioned on memory (B, M, c)."""
        y = self.norm1(x)
        x = x + self.self_attn(y, y, y, rotation)
        x = x.expand(len(memory), -1, -1)  # until here the first layer's work is the same for every object
        y = self.norm2(x)
        x = x + self.cross_attn_image(y, memory + memory_pe, memory, rotation, pointers)
        y = self.norm3(x)
        return x + self.linear2(F.relu(self.linear1(y)))  # type: ignore[no-any-return]


class MemoryAttention(nn.Module):
    """A stack of memory attention layers."""

    def __init__(self, width: int, config: MemoryConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MemoryAttentionLayer(width, config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, image: Tensor, image_pe: Tensor, memory: Tensor, memory_pe: Tensor, pointers: int) -> Tensor:
        """Condition a frame on its memories.

        Args:
            image: (1, C, H, W) embedding of the frame.
            image_pe: (1, C, H, W) sine encoding, a tenth of which is added.
            memory: (B, M, c) memory tokens, then pointer tokens.
            memory_pe: (B, M, c) their encodings in space and time.
            pointers: How many of the last tokens are pointers.

        Returns:
            (B, C, H, W), the memory-conditioned embedding.
        """
        height, width = image.shape[-2:]
        rotation = rotary_grid(image.shape[1], height, width, image.device)
        x = (image + 0.1 * image_pe).flatten(2).transpose(1, 2)  # (B, H*W, C)
        for layer in self.layers:
            x = layer(x, memory, memory_pe, rotation, pointers)
        return self.norm(x).transpose(1, 2).reshape(-1, *image.shape[1:])  # type: ignore[no-any-return]


def rotary_grid(
    channels: int, height: int, width: int, device: torch.device | None = None, *, scale: float = 1.0
) -> Tensor:
    """Unit complex numbers that rotate each channel pair by its place, times the scale: half for x, half for y.

    Returns:
        Shape (height * width, channels / 2), complex64.
    """
    frequencies = ROPE_THETA ** -(torch.arange(0, channels, 4, device=device).float() / channels)  # (C / 4,)
    cell = torch.arange(height * width, device=device)
    x, y = scale * (cell % width).float(), scale * (cell // width).float()
    angles = torch.cat([torch.outer(x, frequencies), torch.outer(y, frequencies)], dim=-1)
    return torch.polar(torch.ones_like(angles), angles)


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Rotate neighbouring channel pairs of (B, M * H*W, C), the same for each of the M maps."""
    batch, length, channels = x.shape
    pairs = torch.view_as_complex(x.float().reshape(batch, -1, len(rotation), channels // 2, 2))
    return torch.view_as_real(pairs * rotation).reshape(batch, length, channels).to(x.dtype)
