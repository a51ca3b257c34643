"""The memory encoder: a frame's map and its mask become a small memory.

Source: SAM 2 (Ravi et al., 2024); the fuser's blocks from "A ConvNet for the 2020s" (Liu et al., 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.layers import LayerNorm2d


class MaskDownsampler(nn.Module):
    """Bring a mask to the map's grid by four strided convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        channels = 1
        for _ in range(4):
            steps += [nn.Conv2d(channels, 4 * channels, 3, stride=2, padding=1), LayerNorm2d(4 * channels), nn.GELU()]
            channels *= 4
        self.encoder = nn.Sequential(*steps, nn.Conv2d(channels, width, 1))

    def forward(self, mask: Tensor) -> Tensor:
        """(B, 1, 16H, 16W) -> (B, C, H, W)."""
        return self.encoder(mask)  # type: ignore[no-any-return]


class FuserBlock(nn.Module):
    """A ConvNeXt block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = LayerNorm2d(width)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(1e-6 * torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)  # type: ignore[no-any-return]


class Fuser(nn.Module):
    """Two ConvNeXt blocks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FuserBlock(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Fuse a frame's map with its mask and narrow the result."""

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__()
        self.mask_downsampler = MaskDownsampler(width)
        self.pix_feat_proj = nn.Conv2d(width, width, 1)
        self.fuser = Fuser(width)
        self.out_proj = nn.Conv2d(width, memory_width, 1)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Encode a memory.

        Args:
            image: (B, C, H, W) frame embedding without memory conditioning.
            mask: (B, 1, 16H, 16W) mask already squashed, scaled and shifted.

        Returns:
            (B, c, H, W) memory.
        """
        x = self.pix_feat_proj(image) + self.mask_downsampler(mask)
        return self.out_proj(self.fuser(x))  # type: ignore[no-any-return]
