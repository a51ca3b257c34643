"""The image encoder: a Hiera trunk and a feature pyramid on top of it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import HieraConfig
from clickmask.decoder.modeling.hiera import Hiera


class Pyramid(NamedTuple):
    """The encoder's maps of B images: SAM 2's all have the neck's channels, nano's each its own."""

    s4: Tensor  # (B, c4, S / 4, S / 4)
    s8: Tensor  # (B, c8, S / 8, S / 8)
    s16: Tensor  # (B, C, S / 16, S / 16), the image embedding


class Lateral(nn.Module):
    """One 1x1 convolution of the neck."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, width, H, W)."""
        return self.conv(x)  # type: ignore[no-any-return]


class FpnNeck(nn.Module):
    """Bring every stage to one width; only stride 32 flows down, into stride 16."""

    def __init__(self, width: int, trunk_width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(Lateral(trunk_width * 2**stage, width) for stage in (3, 2, 1, 0))

    def forward(self, maps: list[Tensor]) -> Pyramid:
        """Four trunk maps, finest first, to the three the decoder uses."""
        s4, s8, s16, s32 = (conv(x) for conv, x in zip(reversed(self.convs), maps, strict=True))
        return Pyramid(s4=s4, s8=s8, s16=s16 + F.interpolate(s32, scale_factor=2.0, mode="nearest"))


class ImageEncoder(nn.Module):
    """Pixels to pyramid."""

    def __init__(self, trunk: HieraConfig, width: int) -> None:
        super().__init__()
        self.trunk = Hiera(trunk)
        self.neck = FpnNeck(width, trunk.width)

    def forward(self, pixels: Tensor) -> Pyramid:
        """(B, 3, S, S) normalised RGB -> maps at stride 4, 8, 16."""
        return self.neck(self.trunk(pixels))  # type: ignore[no-any-return]
