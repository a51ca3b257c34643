"""Position encodings: random Fourier features for prompts, sines for memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class FourierPosition(nn.Module):
    """Encode points of the unit square by random spatial frequencies.

    Source: Tancik et al., 2020, as used by "Segment Anything" (Kirillov et al., 2023).
    """

    positional_encoding_gaussian_matrix: Tensor  # (2, C / 2)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, width // 2))

    def forward(self, points: Tensor) -> Tensor:
        """Encode points (..., 2), each (x, y) in [0, 1]; give (..., C)."""
        phase = 2 * math.pi * ((2 * points - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([phase.sin(), phase.cos()], dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """Encode the cell centres of a map: (1, C, height, width)."""
        device = self.positional_encoding_gaussian_matrix.device
        y = (torch.arange(height, device=device) + 0.5) / height
        x = (torch.arange(width, device=device) + 0.5) / width
        centres = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)  # (height, width, 2)
        return self(centres).permute(2, 0, 1)[None]  # type: ignore[no-any-return]


def sine_grid(channels: int, height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Encode a map's positions by sines: half the channels for y, half for x.

    Returns:
        Shape (1, channels, height, width).

    Source: "End-to-End Object Detection with Transformers" (Carion et al., 2020), normalised to 2 pi.
    """
    half = channels // 2
    y = (torch.arange(height, device=device) + 1) / (height + 1e-6) * (2 * math.pi)
    x = (torch.arange(width, device=device) + 1) / (width + 1e-6) * (2 * math.pi)
    rows = sine_1d(y, half)[:, None].expand(-1, width, -1)  # (height, width, half)
    columns = sine_1d(x, half)[None].expand(height, -1, -1)
    return torch.cat([rows, columns], dim=-1).permute(2, 0, 1)[None]


def sine_1d(positions: Tensor, channels: int) -> Tensor:
    """Encode positions (N,) by interleaved sines and cosines: (N, channels)."""
    index = torch.arange(channels, device=positions.device)
    periods = 10000.0 ** (2 * (index // 2) / channels)
    angles = positions[:, None] / periods
    return torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1)
