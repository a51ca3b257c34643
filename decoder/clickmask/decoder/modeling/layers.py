"""Small layers that several networks share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's own name


class Mlp(nn.Module):
    """Linear layers with an activation between them, none after the last."""

    def __init__(self, widths: tuple[int, ...], activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., widths[0]) to (..., widths[-1])."""
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)  # type: ignore[no-any-return]


class LayerNorm2d(nn.Module):
    """Layer norm over the channels of a (B, C, H, W) map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each position: (B, C, H, W) -> (B, C, H, W)."""
        channels_last = x.permute(0, 2, 3, 1)  # a view when x is channels_last
        normed = F.layer_norm(channels_last, (x.shape[1],), self.weight, self.bias, eps=1e-6)
        return normed.permute(0, 3, 1, 2)


def attend_in_windows(attend: Callable[[Tensor], Tensor], x: Tensor, side: int) -> Tensor:
    """Attend in each window of a map by itself; the map is padded with zeros to whole windows.

    Args:
        attend: Maps windows (N, side, side, C) to windows, which may be smaller.
        x: (B, H, W, C).
        side: Of a window [tokens].

    Returns:
        The whole windows side by side, the padding among them: cut off what lies outside the map.
    """
    batch, height, width, channels = x.shape
    rows, columns = -(-height // side), -(-width // side)
    x = F.pad(x, (0, 0, 0, columns * side - width, 0, rows * side - height))
    x = x.view(batch, rows, side, columns, side, channels).transpose(2, 3).reshape(-1, side, side, channels)
    x = attend(x)
    _, side_y, side_x, channels = x.shape
    x = x.view(batch, rows, columns, side_y, side_x, channels).transpose(2, 3)
    return x.reshape(batch, rows * side_y, columns * side_x, channels)
