"""Nano's memory: mends a guess of where objects are by what remembered frames say of places that look alike.

The guess comes from colours near by. Here every place of a frame asks all places of remembered frames that look like
it, by learned looks, what they were: object or not, and a little more. A small decoder corrects the guess by it; it
starts from no correction at all.

Source: the read-out is that of "Rethinking Space-Time Networks with Improved Memory Coverage for Efficient Video
Object Segmentation" (Cheng et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.mask_decoder import ImageFeatures

COLOUR_CHANNELS = 12  # Lab of 2x2 spots per stride-4 cell


@dataclass(frozen=True, slots=True)
class NanoMemoryConfig:
    """Sizes of nano's memory."""

    nano: NanoConfig = field(default_factory=NanoConfig)
    width: int = 48  # of the decoder at stride 8
    fine_width: int = 24  # at stride 4
    key_width: int = 32  # of the looks at stride 8
    value_width: int = 24  # of what is remembered beside the mask
    doubt: float = 0.2  # share of what was read that is hidden in training, so that no single channel is trusted


class Remembered(NamedTuple):
    """A frame with B objects on it, as a later frame looks at it."""

    looks: Tensor  # (1, c, 2h, 2w) of the frame, at stride 8
    shares: Tensor  # (B, 1, 4h, 4w) of the object, in [0, 1]
    values: Tensor  # (B, v, 2h, 2w)


class MemoryOutput(NamedTuple):
    """What is found of B objects."""

    logits: Tensor  # (B, 1, 4h, 4w)
    predicted_iou: Tensor  # (B,) logit
    object_score: Tensor  # (B,) logit, > 0: the object is in the frame
    read_shares: Tensor  # (B, 2, 4h, 4w) read from the prompted and the passed frames, for training


class Block(nn.Module):
    """Two 3x3 convolutions beside a skip, normalised in groups."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(4, width), nn.GroupNorm(4, width)
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return x + self.second(F.relu(self.norm2(self.first(F.relu(self.norm1(x))))))  # type: ignore[no-any-return]


class LooksEncoder(nn.Module):
    """Nano's maps and the colours to looks."""

    def __init__(self, config: NanoMemoryConfig) -> None:
        super().__init__()
        width = config.nano.decoder.width
        hidden = 2 * config.key_width
        self.from_s16 = nn.Conv2d(width, hidden, 1)
        self.from_s8 = nn.Conv2d(width // 4, hidden, 1)
        self.from_colours = nn.Conv2d(COLOUR_CHANNELS, hidden, 2, stride=2)
        self.mix = nn.Sequential(nn.GroupNorm(4, hidden), nn.ReLU(), nn.Conv2d(hidden, config.key_width, 3, padding=1))

    def forward(self, features: ImageFeatures, colours: Tensor) -> Tensor:
        """Encode B frames; ``colours`` is (B, 12, 4h, 4w), the looks (B, c, 2h, 2w)."""
        s8 = features.high_resolution.s8
        return self.mix(self.from_s8(s8) + _up(self.from_s16(features.image)) + self.from_colours(colours))  # type: ignore[no-any-return]


class ValueEncoder(nn.Module):
    """A frame's map and its mask to what is remembered beside the mask."""

    def __init__(self, config: NanoMemoryConfig) -> None:
        super().__init__()
        self.from_s8 = nn.Conv2d(config.nano.decoder.width // 4, config.width, 1)
        self.from_mask = nn.Conv2d(4, config.width, 3, padding=1)
        self.out = nn.Conv2d(config.width, config.value_width, 3, padding=1)

    def forward(self, features: ImageFeatures, shares: Tensor) -> Tensor:
        """Features of one frame, or of each object's, and shares (B, 1, 4h, 4w) -> (B, v, 2h, 2w)."""
        mixed = self.from_s8(features.high_resolution.s8) + self.from_mask(F.pixel_unshuffle(2 * shares - 1, 2))
        return self.out(F.relu(mixed))  # type: ignore[no-any-return]


class NanoMemory(nn.Module):
    """Two steps: ``remember`` a frame with its masks, ``correct`` a guess of the objects on another."""

    def __init__(self, config: NanoMemoryConfig) -> None:
        super().__init__()
        self.config = config
        decoder = config.nano.decoder.width
        width, fine = config.width, config.fine_width
        self.looks = LooksEncoder(config)
        self.value = ValueEncoder(config)
        self.slope = nn.Parameter(torch.tensor(1.0))
        self.unlike = nn.Parameter(torch.tensor([8.0, 8.0]))  # squared distance of what does not look alike
        read = 4 + config.value_width + 1  # labels of four stride-4 cells, values, and how sure
        self.doubt = nn.Dropout2d(config.doubt)
        self.from_s16 = nn.Conv2d(decoder, width, 1)
        self.from_s8 = nn.Conv2d(decoder // 4, width, 1)
        self.from_reads = nn.Conv2d(2 * read, width, 3, padding=1)
        self.from_guess = nn.Conv2d(2 * 4, width, 3, padding=1)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.around = nn.Sequential(nn.AvgPool2d(2), Block(width), Block(width))
        self.to_fine = nn.Conv2d(width, 4 * fine, 1)
        self.from_s4 = nn.Conv2d(decoder // 8, fine, 1)
        self.from_shares = nn.Conv2d(2, fine, 3, padding=1)
        self.fine_block = Block(fine)
        self.out = nn.Conv2d(fine, 1, 3, padding=1)
        self.trust = nn.Parameter(torch.tensor(6.0))  # in the guess
        self.judge = nn.Sequential(nn.Linear(2 * width + 3, 64), nn.ReLU(), nn.Linear(64, 2))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.get_parameter("bias"))
        nn.init.constant_(self.judge[-1].get_parameter("bias"), 2.0)

    def remember(self, features: ImageFeatures, looks: Tensor, shares: Tensor) -> Remembered:
        """Keep a frame for later; see ``Remembered`` for shapes."""
        return Remembered(looks, shares, self.value(features, shares))

    def correct(
        self,
        features: ImageFeatures,
        looks: Tensor,
        guess: Tensor,
        prompted: Sequence[Remembered],
        passed: Sequence[Remembered],
    ) -> MemoryOutput:
        """Find B objects on one frame.

        Args:
            features: Of this frame.
            looks: Of this frame, (1, c, 2h, 2w).
            guess: Where the objects may be, shares (B, 1, 4h, 4w) in [0, 1].
            prompted: Frames that a person pointed at, at least one.
            passed: Frames just passed, the newest first; without any the prompted ones stand in.
        """
        passed = passed or prompted
        reads = [self._read(looks, group, kind) for kind, group in enumerate((prompted, passed))]
        known = torch.cat([guess, passed[0].shares], dim=1)  # (B, 2, 4h, 4w)
        x = self.from_reads(self.doubt(torch.cat(reads, dim=1))) + self.from_guess(F.pixel_unshuffle(known, 2))
        x = x + self.from_s8(features.high_resolution.s8) + _up(self.from_s16(features.image))
        x = self.blocks(x)
        x = x + _up(self.around(x))
        fine = F.pixel_shuffle(self.to_fine(F.relu(x)), 2) + self.from_s4(features.high_resolution.s4)
        fine = self.fine_block(fine + self.from_shares(known))
        logits = self.trust * (guess - 0.5) + self.out(F.relu(fine))
        read_shares = torch.cat([F.pixel_shuffle(read[:, :4], 2) for read in reads], dim=1)
        verdict = self.judge(_summary(x, torch.cat([guess, read_shares], dim=1), logits))
        return MemoryOutput(logits, verdict[:, 0], verdict[:, 1], read_shares)

    def _read(self, looks: Tensor, group: Sequence[Remembered], kind: int) -> Tensor:
        """Ask all places of some frames: (B, 4 + v + 1, 2h, 2w)."""
        height, width = looks.shape[-2:]
        with torch.autocast(looks.device.type, enabled=False):  # half precision would blur distances
            queries = _places(looks)  # (2h*2w, c)
            keys = torch.cat([_places(frame.looks) for frame in group])  # (N*2h*2w, c)
            alike = -self.slope * _distances(queries, keys)
            # One more voter, for "nothing known looks like this", so that the object can be gone.
            nothing = -self.unlike[kind].expand(len(queries), 1)
            weights = torch.cat([alike, nothing], dim=1).softmax(dim=1)[:, :-1]
        said = [torch.cat([F.pixel_unshuffle(f.shares, 2), f.values], dim=1).flatten(2) for f in group]
        read = torch.cat(said, dim=2) @ weights.T  # (B, 4 + v, 2h*2w)
        sure = weights.sum(dim=1).expand(len(read), 1, -1)
        return torch.cat([read, sure], dim=1).reshape(len(read), -1, height, width)


def _summary(x: Tensor, shares: Tensor, logits: Tensor) -> Tensor:
    """What there is to judge an answer by: the map's mean inside the mask, its peak, and the peaks of the shares."""
    inside = F.avg_pool2d(logits, 2).sigmoid()
    mean = (x * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1.0)
    return torch.cat([mean, x.amax(dim=(2, 3)), shares.amax(dim=(2, 3))], dim=1)


def _up(x: Tensor) -> Tensor:
    """Twice the side, by repetition."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _places(x: Tensor) -> Tensor:
    """A map (1, C, H, W) as (H*W, C) in full precision."""
    return x[0].float().flatten(1).T


def _distances(queries: Tensor, keys: Tensor) -> Tensor:
    """Squared distances of all pairs: (Q, c) and (K, c) -> (Q, K)."""
    lengths = queries.square().sum(-1, keepdim=True) + keys.square().sum(-1)
    return lengths - 2 * queries @ keys.T
