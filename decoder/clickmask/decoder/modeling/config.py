"""Every number that differs between the networks, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class HieraConfig:
    """Sizes of a Hiera trunk."""

    width: int  # channels of the first stage, doubled at each further one
    heads: int  # attention heads of the first stage, doubled likewise
    stages: tuple[int, int, int, int]  # blocks per stage
    global_blocks: tuple[int, ...]  # blocks that see the whole map
    window_sizes: tuple[int, int, int, int]  # side of the attention window per stage [tokens]
    background: int  # side of the coarse position table [tokens]


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes of the two-way transformer and the mask decoder."""

    width: int
    heads: int
    mlp_width: int
    s4_channels: int  # channels of the stride-4 map handed to the decoder
    s8_channels: int  # channels of the stride-8 map


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """Sizes of the memory of past frames."""

    width: int = 64  # channels of a stored memory
    mlp_width: int = 2048
    layers: int = 4  # of memory attention
    frames: int = 7  # memories looked at for one frame, its prompted frame included


@dataclass(frozen=True, slots=True)
class Sam2Config:
    """A SAM 2 network."""

    trunk: HieraConfig
    version: Literal["2.0", "2.1"]  # 2.1 adds the occlusion embedding and projects pointers' time encodings
    image_side: int = 1024  # side of the square the image is resized to [px]
    decoder: DecoderConfig = DecoderConfig(width=256, heads=8, mlp_width=2048, s4_channels=256, s8_channels=256)
    memory: MemoryConfig = field(default_factory=MemoryConfig)


@dataclass(frozen=True, slots=True)
class LiteStage:
    """Blocks of one width; the first of them carries the stride."""

    width: int  # channels
    depth: int  # blocks
    kernel: int  # side of the depthwise kernel
    stride: int
    expansion: int = 6  # of the channels inside a block


@dataclass(frozen=True, slots=True)
class LiteConfig:
    """Sizes of an EfficientNet-Lite trunk, without its head."""

    stages: tuple[LiteStage, ...]
    stem: int = 32  # channels after the stride-2 stem


def _lite(widths: tuple[int, ...], depths: tuple[int, ...]) -> LiteConfig:
    """The family shares kernels, strides and expansions."""
    kernels, strides, expansions = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1), (1, 6, 6, 6, 6, 6, 6)
    return LiteConfig(
        tuple(LiteStage(*numbers) for numbers in zip(widths, depths, kernels, strides, expansions, strict=True))
    )


LITE0 = _lite((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1))
LITE1 = _lite((16, 24, 40, 80, 112, 192, 320), (1, 3, 3, 4, 4, 5, 1))
LITE2 = _lite((16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1))


@dataclass(frozen=True, slots=True)
class NanoConfig:
    """The small network in the box; its trunk and prompt encoder are its own."""

    image_side: int = 256
    stem: int = 32  # channels after the stride-2 stem
    widths: tuple[int, int, int] = (64, 96, 192)  # channels at stride 4, 8, 16
    depths: tuple[int, int, int] = (1, 2, 4)  # residual blocks per stage
    lite: LiteConfig = LITE0  # sees what things are; the stages above see where they end
    lite_lateral: int = 256  # channels between the lite trunk's stride-16 map and the pyramid's
    context: int = 320  # channels of the stride-32 map that sees the whole picture
    decoder: DecoderConfig = DecoderConfig(width=128, heads=4, mlp_width=384, s4_channels=32, s8_channels=48)


HIERA_TINY = HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9), (8, 4, 14, 7), 7)
HIERA_SMALL = HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13), (8, 4, 14, 7), 7)
HIERA_BASE_PLUS = HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), (8, 4, 14, 7), 14)
HIERA_LARGE = HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8), 7)
