"""Every number that differs between the networks, as frozen values; PyTorch is imported only where one is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from typing import Self

    from torch import nn

    from clickmask.decoder.modeling.keys import Layout

Shapes = Mapping[str, tuple[int, ...]]  # of a state dict, by our names
Statistics = tuple[float, float, float]  # one number each for red, green, blue, in [0, 1]
IMAGE_NET_MEAN: Statistics = (0.485, 0.456, 0.406)
IMAGE_NET_STD: Statistics = (0.229, 0.224, 0.225)
HALF: Statistics = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a picture comes to a network, and on which grids it answers.

    Args:
        side: Of the square the network sees [px].
        stride: Pixels of that square per cell of the embedding.
        fit: ``"squash"`` stretches the picture to the square; ``"pad"`` keeps its proportions: the longer side fills
            the square, the rest of it is empty, at the right or at the bottom.
        mean, std: What pixels in [0, 1] are normalised by.
    """

    side: int
    stride: int = 16
    fit: Literal["squash", "pad"] = "squash"
    mean: Statistics = IMAGE_NET_MEAN
    std: Statistics = IMAGE_NET_STD

    @property
    def cells(self) -> int:
        """Of the embedding, a side."""
        return self.side // self.stride

    @property
    def mask_side(self) -> int:
        """Of the grid of mask logits [cells]: four times as fine as the embedding."""
        return 4 * self.cells

    @property
    def memory_side(self) -> int:
        """Of the grid on which masks enter a memory [cells]: four times as fine again."""
        return 16 * self.cells


@dataclass(frozen=True, slots=True)
class Choice:
    """How a family means its four masks: row 0 the single mask, rows 1 to 3 the candidates.

    Args:
        ambiguous: How one is chosen for a single click: the candidate of best predicted IoU, or the most stable one.
        offset: Half-width of the threshold band in which the single mask must be stable [logits].
        stability: A richer prompt takes the single mask if it is at least so stable, in [0, 1]; 0: always.
        logit_limit: Logits are handed out within this, both ways; None: as they are.
    """

    ambiguous: Literal["iou", "stability"] = "iou"
    offset: float = 0.05
    stability: float = 0.98
    logit_limit: float | None = 32.0


SAM2_CHOICE = Choice()


class Config(Protocol):
    """The numbers of one network."""

    @property
    def geometry(self) -> Geometry:
        """How pictures come to it."""

    @property
    def choice(self) -> Choice:
        """How its masks are chosen among."""

    def build(self) -> nn.Module:
        """Make the network, with weights that mean nothing yet."""

    def layouts(self) -> tuple[Layout, ...]:
        """How files name its weights."""

    def fitted(self, shapes: Shapes) -> Self:
        """This network as the weights' keys and shapes tell it, where they tell more than its name."""

    def at_side(self, side: int) -> Self:
        """This network for another image side [px]."""


class Trunk(Protocol):
    """The numbers of an image encoder."""

    def build(self, width: int) -> nn.Module:
        """Make the encoder: normalised pixels (B, 3, S, S) to maps of so many channels."""

    def layouts(self) -> tuple[Layout, ...]:
        """How files name the weights of a network with this encoder."""


@dataclass(frozen=True, slots=True)
class HieraConfig:
    """Sizes of a Hiera trunk."""

    width: int  # channels of the first stage, doubled at each further one
    heads: int  # attention heads of the first stage, doubled likewise
    stages: tuple[int, int, int, int]  # blocks per stage
    global_blocks: tuple[int, ...]  # blocks that see the whole map
    window_sizes: tuple[int, int, int, int]  # side of the attention window per stage [tokens]
    background: int  # side of the coarse position table [tokens]

    def build(self, width: int) -> nn.Module:
        """The trunk and its neck."""
        from clickmask.decoder.modeling.neck import ImageEncoder

        return ImageEncoder(self, width)

    def layouts(self) -> tuple[Layout, ...]:
        """How files name the weights of a network with this encoder."""
        from clickmask.decoder.modeling.sam2 import LAYOUTS

        return LAYOUTS


@dataclass(frozen=True, slots=True)
class RotaryVitConfig:
    """Sizes of SAM 3's vision transformer, whose positions are rotations."""

    width: int = 1024
    depth: int = 32
    heads: int = 16
    mlp_width: int = 4736
    global_blocks: tuple[int, ...] = (7, 15, 23, 31)  # blocks that see the whole map
    window: int = 24  # side of the other blocks' attention window [tokens]
    table: int = 24  # side of the position table, which is repeated [tokens]
    patch: int = 14  # side of a token [px]

    def build(self, width: int) -> nn.Module:
        """The trunk and its neck."""
        from clickmask.decoder.modeling.sam3 import ImageEncoder

        return ImageEncoder(self, width)

    def layouts(self) -> tuple[Layout, ...]:
        """How files name the weights of a network with this encoder."""
        from clickmask.decoder.modeling.sam3 import LAYOUTS

        return LAYOUTS


@dataclass(frozen=True, slots=True)
class VitConfig:
    """Sizes of SAM 1's vision transformer."""

    width: int
    depth: int
    heads: int
    global_blocks: tuple[int, ...]  # blocks that see the whole map
    window: int = 14  # side of the other blocks' attention window [tokens]
    cells: int = 64  # side of the position table [tokens]
    patch: int = 16  # side of a token [px]

    def build(self, width: int) -> nn.Module:
        """The trunk and its neck."""
        from clickmask.decoder.modeling.vit import Vit

        return Vit(self, width)

    def fitted(self, shapes: Shapes) -> VitConfig:
        """With the position table of the weights, which tells the image side."""
        table = shapes.get("image_encoder.pos_embed", (1, self.cells, self.cells, self.width))
        return replace(self, cells=table[1]) if len(table) == 4 else self


@dataclass(frozen=True, slots=True)
class TinyVitConfig:
    """Sizes of TinyViT, the trunk of MobileSAM."""

    widths: tuple[int, int, int, int] = (64, 128, 160, 320)  # channels at stride 4, 8, 16 and 16 again
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)  # blocks per stage, the first stage's of convolutions
    heads: tuple[int, int, int, int] = (2, 4, 5, 10)
    windows: tuple[int, int, int, int] = (7, 7, 14, 7)  # side of the attention window per stage [tokens]
    cells: int = 64  # of the last map, a side
    patch: int = 16  # side of such a cell [px]

    def build(self, width: int) -> nn.Module:
        """The trunk and its neck."""
        from clickmask.decoder.modeling.tiny_vit import TinyVit

        return TinyVit(self, width)

    def fitted(self, shapes: Shapes) -> TinyVitConfig:
        """Its weights fit any image side, so they tell nothing."""
        del shapes
        return self


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


SAM_DECODER = DecoderConfig(width=256, heads=8, mlp_width=2048, s4_channels=256, s8_channels=256)


@dataclass(frozen=True, slots=True)
class Sam1Config:
    """A SAM 1 network, or one with its decoder and another trunk."""

    trunk: VitConfig | TinyVitConfig
    decoder: DecoderConfig = SAM_DECODER
    # The official predictor takes the single mask for every richer prompt, and clamps nothing.
    choice: Choice = Choice(stability=0.0, logit_limit=None)

    @property
    def geometry(self) -> Geometry:
        """Its proportions are kept; the position table says for which side."""
        return Geometry(self.trunk.cells * self.trunk.patch, self.trunk.patch, fit="pad")

    def build(self) -> nn.Module:
        """Make the network."""
        from clickmask.decoder.modeling.sam1 import Sam1

        return Sam1(self)

    def layouts(self) -> tuple[Layout, ...]:
        """How files name its weights."""
        from clickmask.decoder.modeling.sam1 import LAYOUTS

        return LAYOUTS

    def fitted(self, shapes: Shapes) -> Sam1Config:
        """For the image side that the trunk's weights tell, if they do."""
        return replace(self, trunk=self.trunk.fitted(shapes))

    def at_side(self, side: int) -> Sam1Config:
        """For another image side."""
        return replace(self, trunk=replace(self.trunk, cells=side // self.trunk.patch))


@dataclass(frozen=True, slots=True)
class Sam2Config:
    """A SAM 2 network, or one with its decoder and memory."""

    trunk: Trunk
    version: Literal["2.0", "2.1"]  # 2.1 adds the occlusion embedding and projects pointers' time encodings
    geometry: Geometry = Geometry(1024)
    decoder: DecoderConfig = SAM_DECODER
    memory: MemoryConfig | None = field(default_factory=MemoryConfig)  # None: for still images alone
    choice: Choice = SAM2_CHOICE

    def build(self) -> nn.Module:
        """Make the network."""
        from clickmask.decoder.modeling.sam2 import ImageSam2, Sam2

        return ImageSam2(self) if self.memory is None else Sam2(self)

    def layouts(self) -> tuple[Layout, ...]:
        """How files name its weights."""
        return self.trunk.layouts()

    def fitted(self, shapes: Shapes) -> Sam2Config:
        """For still images alone where the memory's weights are missing, all of them; they fit any image side."""
        remembers = any(key.startswith(("memory_", "maskmem_", "obj_ptr_")) for key in shapes)
        return self if remembers else replace(self, memory=None)

    def at_side(self, side: int) -> Sam2Config:
        """For another image side."""
        return replace(self, geometry=replace(self.geometry, side=side))


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
    choice: Choice = SAM2_CHOICE

    @property
    def geometry(self) -> Geometry:
        """How pictures come to it."""
        return Geometry(self.image_side)

    def build(self) -> nn.Module:
        """Make the network."""
        from clickmask.decoder.modeling.nano import Nano

        return Nano(self)

    def layouts(self) -> tuple[Layout, ...]:
        """Its file has our names."""
        from clickmask.decoder.modeling.keys import Layout

        return (Layout("ClickMask", marks=(r"^trunk\.stem\.",)),)

    def fitted(self, shapes: Shapes) -> NanoConfig:
        """There is one size."""
        del shapes
        return self

    def at_side(self, side: int) -> NanoConfig:
        """For another image side."""
        return replace(self, image_side=side)


HIERA_TINY = HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9), (8, 4, 14, 7), 7)
HIERA_SMALL = HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13), (8, 4, 14, 7), 7)
HIERA_BASE_PLUS = HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), (8, 4, 14, 7), 14)
HIERA_LARGE = HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), (8, 4, 16, 8), 7)

VIT_BASE = VitConfig(768, 12, 12, (2, 5, 8, 11))
VIT_LARGE = VitConfig(1024, 24, 16, (5, 11, 17, 23))
VIT_HUGE = VitConfig(1280, 32, 16, (7, 15, 23, 31))
