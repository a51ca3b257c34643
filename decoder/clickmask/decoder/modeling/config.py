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
class NanoConfig:
    """The small network in the box; its trunk and prompt encoder are its own."""

    image_side: int = 256
    stem: int = 32  # channels after the stride-2 stem
    widths: tuple[int, int, int, int] = (64, 96, 192, 320)  # channels at stride 4, 8, 16, 32
    depths: tuple[int, int, int, int] = (1, 2, 4, 2)  # residual blocks per stage
    decoder: DecoderConfig = DecoderConfig(width=128, heads=4, mlp_width=384, s4_channels=32, s8_channels=48)


HIERA_TINY = HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9), (8, 4, 14, 7), 7)
HIERA_SMALL = HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13), (8, 4, 14, 7), 7)
HIERA_BASE_PLUS = HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), (8, 4, 14, 7), 14)
HIERA_LARGE = HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8), 7)
