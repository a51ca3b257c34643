"""What training the memory sees of clips: nano's maps of every frame, and the objects' masks.

Every draw looks at another window of a clip, turned, mirrored and recoloured, so that a clip is never seen twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.mask_decoder import HighResolution, ImageFeatures
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.track.appearance import GRID, colour_grid
from training.video import FRAMES, OBJECTS
from training.video_pool import open_clips
from training.views import normalise, random_colours, random_windows, recolour

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
    """Clips on disk."""

    def __init__(self, paths: Sequence[Path], nano: Nano, device: torch.device) -> None:
        self._shards = [open_clips(path) for path in paths]
        self._nano, self._device = nano, device

    def __len__(self) -> int:
        return sum(len(shard) for shard in self._shards)

    def __getitem__(self, index: int) -> EncodedClip:
        """A clip by number, in the order of the shards, as it is."""
        return encode_clip(self._nano, *self._frames(index))

    def draw(self, length: int, objects: int, generator: torch.Generator) -> Excerpt:
        """Draw a clip, frames of it forward or backward, next to each other or two apart, and objects to follow."""
        clip = self._draw_clip(generator)
        apart = 1 + _integer(min(2, (FRAMES - 1) // (length - 1)), generator)
        first = _integer(FRAMES - apart * (length - 1), generator)
        frames = tuple(range(first, first + apart * (length - 1) + 1, apart))
        if _integer(2, generator):
            frames = frames[::-1]
        cut_to = self._draw_clip(generator) if _integer(CUTS, generator) == 0 else None
        return Excerpt(clip, frames, visible(clip, frames, objects, generator), cut_to)

    def _draw_clip(self, generator: torch.Generator) -> EncodedClip:
        pixels, bits = self._frames(_integer(len(self), generator))
        return encode_clip(self._nano, *look_through(pixels, bits, generator))

    def _frames(self, index: int) -> tuple[Tensor, Tensor]:
        """Of one clip: RGB (FRAMES, 3, SIDE, SIDE) in [0, 1] and the objects' bits (FRAMES, SIDE, SIDE) uint8."""
        if not 0 <= index < len(self):
            raise IndexError(f"clip {index} does not exist, wanted 0 to {len(self) - 1}")
        shard, row = divmod(index, len(self._shards[0]))
        frames = torch.from_numpy(np.array(self._shards[shard][row])).to(self._device)
        return frames[..., :3].permute(0, 3, 1, 2).float() / 255, frames[..., 3]


def look_through(pixels: Tensor, bits: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random window of all frames of a clip, turned, mirrored and recoloured alike; shapes stay.

    Args:
        pixels: RGB (FRAMES, 3, SIDE, SIDE) in [0, 1].
        bits: (FRAMES, SIDE, SIDE) uint8.
        generator: On the CPU.
    """
    count = len(pixels)
    window = random_windows(1, generator).to(pixels.device).expand(count, -1, -1)
    grid = F.affine_grid(window, [count, 1, *pixels.shape[-2:]], align_corners=False)
    seen = F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    objects = F.grid_sample(bits[:, None].float(), grid, mode="nearest", align_corners=False)
    colour = random_colours(1, generator).to(pixels.device).expand(count, -1, -1)
    return recolour(seen, colour), objects[:, 0].to(torch.uint8)


def encode_clip(nano: Nano, pixels: Tensor, bits: Tensor) -> EncodedClip:
    """Encode frames (FRAMES, 3, SIDE, SIDE) in [0, 1] and the objects' bits (FRAMES, SIDE, SIDE) uint8."""
    with torch.no_grad(), torch.autocast(pixels.device.type, torch.bfloat16):
        features = nano.encode(normalise(pixels).contiguous(memory_format=torch.channels_last))
    images = (255 * pixels).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    colours = torch.stack([colour_grid(np.ascontiguousarray(image)) for image in images]).to(pixels.device)
    whole = (bits[:, None] >> torch.arange(OBJECTS, device=bits.device, dtype=torch.uint8)[:, None, None]) & 1
    shares = F.avg_pool2d(255 * whole.float(), bits.shape[-1] // GRID).round().to(torch.uint8)
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
