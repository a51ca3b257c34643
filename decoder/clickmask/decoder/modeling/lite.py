"""EfficientNet-Lite, a trunk that can begin with what ImageNet taught it: inverted residuals, nothing squeezed.

Source: "EfficientNet" (Tan & Le, 2019) and its Lite variants for edge devices (Liu, 2020). Strided convolutions pad
below and to the right only, as the weights that are published were trained.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import LiteConfig, LiteStage

NORM_EPSILON = 1e-3


class LiteWidths(NamedTuple):
    """Channels of the map at each stride."""

    s4: int
    s8: int
    s16: int
    s32: int


class LiteMaps(NamedTuple):
    """What the trunk sees at each stride, (B, C, S / stride, S / stride)."""

    s4: Tensor
    s8: Tensor
    s16: Tensor
    s32: Tensor


class PaddedConv(nn.Conv2d):
    """A convolution whose padding is TensorFlow's "same": where it cannot be even, less above and to the left."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride), for sides that the stride divides."""
        total = self.kernel_size[0] - self.stride[0]
        low = total // 2
        if 2 * low == total:
            return F.conv2d(x, self.weight, self.bias, self.stride, low, 1, self.groups)
        high = total - low
        return F.conv2d(F.pad(x, (low, high, low, high)), self.weight, self.bias, self.stride, 0, 1, self.groups)


def _conv(channels: int, width: int, kernel: int = 1, stride: int = 1, *, groups: int = 1) -> nn.Sequential:
    convolution = PaddedConv(channels, width, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width, eps=NORM_EPSILON, momentum=0.01))


class InvertedResidual(nn.Module):
    """Widen, look at each channel's neighbourhood, narrow; beside a skip where the shape stays."""

    def __init__(self, channels: int, width: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.widen = _conv(channels, inner) if expansion != 1 else None
        self.look = _conv(inner, inner, kernel, stride, groups=inner)
        self.narrow = _conv(inner, width)
        self.skips = stride == 1 and channels == width

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        inner = x if self.widen is None else F.relu6(self.widen(x), inplace=True)
        inner = self.narrow(F.relu6(self.look(inner), inplace=True))
        return x + inner if self.skips else inner  # type: ignore[no-any-return]


class LiteTrunk(nn.Module):
    """Pixels to maps at stride 4, 8, 16 and 32."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.stem = _conv(3, config.stem, 3, 2)
        incoming = (config.stem, *(stage.width for stage in config.stages[:-1]))
        self._widths = [stage.width for stage in config.stages]
        self.stages = nn.ModuleList(_stage(width, stage) for width, stage in zip(incoming, config.stages, strict=True))
        following = [*(stage.stride for stage in config.stages[1:]), 2]
        self._last_of_stride = [index for index, stride in enumerate(following) if stride == 2][1:]  # 4, 8, 16, 32

    @property
    def widths(self) -> LiteWidths:
        """Channels of what ``forward`` gives."""
        return LiteWidths(*(self._widths[index] for index in self._last_of_stride))

    def forward(self, pixels: Tensor) -> LiteMaps:
        """(B, 3, S, S) RGB as the weights want it -> the last map of each stride."""
        x = F.relu6(self.stem(pixels), inplace=True)
        maps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self._last_of_stride:
                maps.append(x)
        return LiteMaps(*maps)


def _stage(channels: int, stage: LiteStage) -> nn.Sequential:
    blocks = []
    for number in range(stage.depth):
        first = number == 0
        blocks.append(
            InvertedResidual(
                channels if first else stage.width,
                stage.width,
                kernel=stage.kernel,
                stride=stage.stride if first else 1,
                expansion=stage.expansion,
            )
        )
    return nn.Sequential(*blocks)
