"""What training the memory sees of clips: nano's maps of every frame, computed once, and the objects' masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from decoder.modeling.mask_decoder import HighResolution
from decoder.modeling.nano import Nano
from decoder.modeling.sam2 import ImageFeatures
from decoder.track.appearance import GRID, colour_grid
from decoder.training.video import FRAMES, OBJECTS
from decoder.training.video_pool import open_clips
from decoder.training.views import normalise

CUTS = 8  # one excerpt in so many ends in another scene
SMALLEST = 10.0  # stride-4 cells that an object must cover on a clip's first frame


class EncodedClip(NamedTuple):
    """A clip in half precision; a hundred thousand numbers per frame."""

    image: Tensor  # (FRAMES, C, 16, 16)
    s8: Tensor  # (FRAMES, C / 4, 32, 32)
    s4: Tensor  # (FRAMES, C / 8, 64, 64)
    colours: Tensor  # (FRAMES, 12, 64, 64)
    shares: Tensor  # (FRAMES, OBJECTS, 64, 64) of each object, uint8, 255 is all

    def features(self, frame: int) -> ImageFeatures:
        """Of one frame, in full precision."""
        rows = slice(frame, frame + 1)
        fine = HighResolution(s4=self.s4[rows].float(), s8=self.s8[rows].float())
        return ImageFeatures(self.image[rows].float(), fine)

    def masks(self, frame: int, objects: Tensor) -> Tensor:
        """Shares of some objects on a frame, (B, 1, 64, 64) in [0, 1]."""
        return self.shares[frame, objects][:, None].float() / 255


class Excerpt(NamedTuple):
    """Some frames of a clip in an order, and the objects to follow from the first of them."""

    clip: EncodedClip
    frames: tuple[int, ...]
    objects: Tensor  # (B,) int64, B may be 0
    cut_to: EncodedClip | None = None  # the last frame is of this other clip, where no object is seen

    def steps(self) -> Iterator[tuple[ImageFeatures, Tensor, Tensor]]:
        """Features, colours (1, 12, 64, 64) and true masks (B, 1, 64, 64) of frame after frame."""
        for number, frame in enumerate(self.frames):
            cut = self.cut_to is not None and number == len(self.frames) - 1
            clip = self.cut_to if self.cut_to is not None and cut else self.clip
            masks = self.clip.masks(frame, self.objects)
            yield clip.features(frame), clip.colours[frame : frame + 1].float(), masks * (not cut)


class ClipSet:
    """Clips on disk, encoded when first used and then kept in memory."""

    def __init__(self, paths: Sequence[Path], nano: Nano, device: torch.device) -> None:
        self._shards = [open_clips(path) for path in paths]
        self._nano, self._device = nano, device
        self._encoded: dict[tuple[int, int], EncodedClip] = {}

    def __len__(self) -> int:
        return sum(len(shard) for shard in self._shards)

    def __getitem__(self, index: int) -> EncodedClip:
        """A clip by number, in the order of the shards."""
        if not 0 <= index < len(self):
            raise IndexError(f"clip {index} does not exist, wanted 0 to {len(self) - 1}")
        shard, row = divmod(index, len(self._shards[0]))
        if (shard, row) not in self._encoded:
            self._encoded[shard, row] = encode_clip(self._nano, self._shards[shard][row], self._device)
        return self._encoded[shard, row]

    def draw(self, length: int, objects: int, generator: torch.Generator) -> Excerpt:
        """Draw a clip, frames of it forward or backward, next to each other or two apart, and objects to follow."""
        clip = self[_integer(len(self), generator)]
        apart = 1 + _integer(min(2, (FRAMES - 1) // (length - 1)), generator)
        first = _integer(FRAMES - apart * (length - 1), generator)
        frames = tuple(range(first, first + apart * (length - 1) + 1, apart))
        if _integer(2, generator):
            frames = frames[::-1]
        cut_to = self[_integer(len(self), generator)] if _integer(CUTS, generator) == 0 else None
        return Excerpt(clip, frames, visible(clip, frames, objects, generator), cut_to)


def encode_clip(nano: Nano, clip: NDArray[np.uint8], device: torch.device) -> EncodedClip:
    """Encode a clip (FRAMES, SIDE, SIDE, 4) of a shard."""
    pixels = torch.from_numpy(np.array(clip[..., :3])).to(device).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        features = nano.encode(normalise(pixels).contiguous(memory_format=torch.channels_last))
    colours = torch.stack([colour_grid(np.ascontiguousarray(frame[..., :3])) for frame in clip]).to(device)
    bits = torch.from_numpy(np.array(clip[..., 3])).to(device)[:, None]
    whole = (bits >> torch.arange(OBJECTS, device=device, dtype=torch.uint8)[:, None, None]) & 1
    shares = F.avg_pool2d(255 * whole.float(), clip.shape[1] // GRID).round().to(torch.uint8)
    fine = features.high_resolution
    return EncodedClip(features.image.half(), fine.s8.half(), fine.s4.half(), colours.half(), shares)


def visible(clip: EncodedClip, frames: Sequence[int], most: int, generator: torch.Generator) -> Tensor:
    """Up to so many of the objects that are large enough on the first frame; those that vanish later come first."""
    areas = clip.shares[list(frames)].float().sum(dim=(2, 3)).cpu() / 255  # (frames, OBJECTS)
    seen = (areas[0] >= SMALLEST).nonzero()[:, 0]
    vanish = (areas[:, seen].amin(dim=0) < 1).float()
    order = (vanish + torch.rand(len(seen), generator=generator)).argsort(descending=True)
    return seen[order[:most]]


def _integer(high: int, generator: torch.Generator) -> int:
    return int(torch.randint(high, (), generator=generator))
