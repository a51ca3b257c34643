"""Nano's memory: where a frame looks like remembered frames, and a small decoder that makes a mask of it.

Every place of a frame asks the places of remembered frames that look like it what they were: object or not, and a
little more. Looks are learned from nano's frozen maps and the colours; what is asked for is a mask from the start, so
that there is little left to learn.

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

from decoder.modeling.config import NanoConfig
from decoder.modeling.sam2 import ImageFeatures

TILE = 8  # stride-4 cells per side of what is compared at once
COLOUR_CHANNELS = 12  # Lab of 2x2 spots per stride-4 cell


@dataclass(frozen=True, slots=True)
class NanoMemoryConfig:
    """Sizes of nano's memory."""

    nano: NanoConfig = field(default_factory=NanoConfig)
    width: int = 48  # of the decoder at stride 8
    fine_width: int = 24  # at stride 4
    key_width: int = 32  # of the looks at stride 8
    fine_key_width: int = 16  # of the looks at stride 4, beside the colours
    value_width: int = 24  # of what is remembered beside the mask
    radius: int = 4  # stride-4 cells that a place may have moved since the frame just passed


class Looks(NamedTuple):
    """What B frames look like; knows no object."""

    coarse: Tensor  # (B, c, 2h, 2w) at stride 8
    fine: Tensor  # (B, f, 4h, 4w) at stride 4


class Remembered(NamedTuple):
    """A frame with B objects on it, as a later frame looks at it."""

    looks: Looks  # of one frame
    shares: Tensor  # (B, 1, 4h, 4w) of the object, in [0, 1]
    values: Tensor  # (B, v, 2h, 2w)


class MemoryOutput(NamedTuple):
    """What is found of B objects."""

    logits: Tensor  # (B, 1, 4h, 4w)
    predicted_iou: Tensor  # (B,) logit
    object_score: Tensor  # (B,) logit, > 0: the object is in the frame
    coarse_shares: Tensor  # (B, 2, 4h, 4w) read from the prompted and the passed frames, for training
    fine_shares: Tensor  # (B, 2, 4h, 4w) read around each place on the passed, and the prompted frames, for training


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
        self.fine_s8 = nn.Conv2d(width // 4, config.fine_key_width, 1)
        self.fine_s4 = nn.Conv2d(width // 8, config.fine_key_width, 1)
        self.fine_norm = nn.GroupNorm(1, config.fine_key_width)
        self.fine_scale = nn.Parameter(torch.tensor(0.1))
        self.colour_scale = nn.Parameter(torch.tensor(10.0))  # a squared distance of 0.01 counts as 1

    def forward(self, features: ImageFeatures, colours: Tensor) -> Looks:
        """Encode B frames; ``colours`` is (B, 12, 4h, 4w)."""
        fine = features.high_resolution
        coarse = self.from_s8(fine.s8) + _up(self.from_s16(features.image)) + self.from_colours(colours)
        place = self.fine_norm(self.fine_s4(fine.s4) + _up(self.fine_s8(fine.s8)))
        return Looks(self.mix(coarse), torch.cat([self.fine_scale * place, self.colour_scale * colours], dim=1))


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
    """Two steps: ``remember`` a frame with its masks, ``find`` the objects on another."""

    def __init__(self, config: NanoMemoryConfig) -> None:
        super().__init__()
        self.config = config
        decoder = config.nano.decoder.width
        width, fine = config.width, config.fine_width
        self.looks = LooksEncoder(config)
        self.value = ValueEncoder(config)
        self.coarse_slope = nn.Parameter(torch.tensor(1.0))
        self.unlike = nn.Parameter(torch.tensor([8.0, 8.0, 10.0, 10.0]))  # squared distance of what does not look alike
        read = 4 + config.value_width + 1  # labels of four stride-4 cells, values, and how sure
        self.from_s16 = nn.Conv2d(decoder, width, 1)
        self.from_s8 = nn.Conv2d(decoder // 4, width, 1)
        self.from_reads = nn.Conv2d(2 * read + 3 * 4, width, 3, padding=1)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.around = nn.Sequential(nn.AvgPool2d(2), Block(width), Block(width))
        self.to_fine = nn.Conv2d(width, 4 * fine, 1)
        self.from_s4 = nn.Conv2d(decoder // 8, fine, 1)
        self.from_shares = nn.Conv2d(5, fine, 3, padding=1)
        self.fine_block = Block(fine)
        self.out = nn.Conv2d(fine, 1, 3, padding=1)
        self.trust = nn.Parameter(torch.tensor([2.0, 2.0, 3.0, 2.0]))  # in the four read-outs, at first
        self.judge = nn.Sequential(nn.Linear(2 * width + 4, 64), nn.ReLU(), nn.Linear(64, 2))
        nn.init.zeros_(self.out.weight)

    def remember(self, features: ImageFeatures, looks: Looks, shares: Tensor) -> Remembered:
        """Keep a frame for later; see ``Remembered`` for shapes."""
        return Remembered(looks, shares, self.value(features, shares))

    def find(
        self,
        features: ImageFeatures,
        looks: Looks,
        prompted: Sequence[Remembered],
        passed: Sequence[Remembered],
    ) -> MemoryOutput:
        """Find B objects on one frame.

        Args:
            features: Of this frame.
            looks: Of this frame.
            prompted: Frames that a person pointed at, at least one.
            passed: Frames just passed, the newest first; without any the prompted ones stand in.
        """
        passed = passed or prompted
        reads = [self._read(looks, group, kind) for kind, group in enumerate((prompted, passed))]
        latest = passed[0].shares
        around = torch.cat(
            [self._read_around(looks, passed[:2], 2), self._read_moved(looks, prompted, latest)], dim=1
        )  # (B, 2, 4h, 4w)
        coarse = torch.cat(reads, dim=1)
        x = self.from_reads(torch.cat([coarse, F.pixel_unshuffle(torch.cat([around, latest], dim=1), 2)], dim=1))
        x = x + self.from_s8(features.high_resolution.s8) + _up(self.from_s16(features.image))
        x = self.blocks(x)
        x = x + _up(self.around(x))
        shares = torch.cat([*(F.pixel_shuffle(read[:, :4], 2) for read in reads), around], dim=1)  # (B, 4, 4h, 4w)
        fine = F.pixel_shuffle(self.to_fine(F.relu(x)), 2) + self.from_s4(features.high_resolution.s4)
        fine = self.fine_block(fine + self.from_shares(torch.cat([shares, latest], dim=1)))
        start = ((shares - 0.5) * self.trust[:, None, None]).sum(dim=1, keepdim=True)
        logits = start + self.out(F.relu(fine))
        verdict = self.judge(self._summary(x, shares, logits))
        return MemoryOutput(logits, verdict[:, 0], verdict[:, 1], shares[:, :2], shares[:, 2:])

    def _read(self, looks: Looks, group: Sequence[Remembered], kind: int) -> Tensor:
        """Ask all places of some frames: (B, 4 + v + 1, 2h, 2w)."""
        height, width = looks.coarse.shape[-2:]
        with torch.autocast(looks.coarse.device.type, enabled=False):  # half precision would blur distances
            queries = _places(looks.coarse)[0]  # (2h*2w, c)
            keys = torch.cat([_places(frame.looks.coarse)[0] for frame in group])  # (N*2h*2w, c)
            alike = -self.coarse_slope * _distances(queries, keys)
            # One more voter, for "nothing known looks like this", so that the object can be gone.
            nothing = -self.unlike[kind].expand(len(queries), 1)
            weights = torch.cat([alike, nothing], dim=1).softmax(dim=1)[:, :-1]
        said = [torch.cat([F.pixel_unshuffle(f.shares, 2), f.values], dim=1).flatten(2) for f in group]
        read = torch.cat(said, dim=2) @ weights.T  # (B, 4 + v, 2h*2w)
        sure = weights.sum(dim=1).expand(len(read), 1, -1)
        return torch.cat([read, sure], dim=1).reshape(len(read), -1, height, width)

    def _read_around(self, looks: Looks, group: Sequence[Remembered], kind: int) -> Tensor:
        """Ask the places around each place on some frames: (B, 1, 4h, 4w)."""
        radius, side = self.config.radius, looks.fine.shape[-1]
        shares = torch.cat([_tiles(frame.shares, radius) for frame in group], dim=2)[..., 0]  # (B, T, N * n)
        with torch.autocast(shares.device.type, enabled=False):
            queries = _tiles(looks.fine.float(), 0)[0]  # (T, 64, f)
            keys = torch.cat([_tiles(frame.looks.fine.float(), radius)[0] for frame in group], dim=1)  # (T, N * n, f)
            outside = _out_of_reach(radius, side // TILE, queries.device).repeat(1, 1, len(group))
            alike = (-_distances(queries, keys)).masked_fill(outside, -1e4)
            nothing = -self.unlike[kind].expand(*alike.shape[:2], 1)
            weights = torch.cat([alike, nothing], dim=2).softmax(dim=2)[..., :-1]
            read = torch.einsum("tqk,btk->bqt", weights, shares.float())
        return F.fold(read, side, TILE, stride=TILE)

    def _read_moved(self, looks: Looks, prompted: Sequence[Remembered], latest: Tensor) -> Tensor:
        """Ask prompted frames too, each moved for each object to where that was last seen: (B, 1, 4h, 4w)."""
        reads = []
        for row in range(len(latest)):
            there = latest[row : row + 1]
            reads.append(self._read_around(looks, [_moved_to(there, frame, row) for frame in prompted], 3))
        return torch.cat(reads)

    def _summary(self, x: Tensor, shares: Tensor, logits: Tensor) -> Tensor:
        """What there is to judge an answer by: the map's mean inside the mask, its peak, and the read-outs' peaks."""
        inside = F.avg_pool2d(logits, 2).sigmoid()
        mean = (x * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1.0)
        return torch.cat([mean, x.amax(dim=(2, 3)), shares.amax(dim=(2, 3))], dim=1)


def _up(x: Tensor) -> Tensor:
    """Twice the side, by repetition."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _moved_to(there: Tensor, frame: Remembered, row: int) -> Remembered:
    """One object's frame, moved by whole cells so that the centre of its shares comes to that of ``there``."""
    here = frame.shares[row : row + 1]
    offset = [0, 0]
    if bool((there > 0.5).any()) and bool((here > 0.5).any()):
        offset = (_centre(there) - _centre(here)).round().int().tolist()
    fine = torch.roll(frame.looks.fine, offset, (2, 3))
    return Remembered(Looks(frame.looks.coarse, fine), torch.roll(here, offset, (2, 3)), frame.values[row : row + 1])


def _centre(shares: Tensor) -> Tensor:
    """Mean (row, column) of the cells of (1, 1, h, w) that are mostly the object."""
    return (shares[0, 0] > 0.5).nonzero().float().mean(dim=0)


def _places(x: Tensor) -> Tensor:
    """A map (B, C, H, W) as (B, H*W, C) in full precision."""
    return x.float().flatten(2).transpose(1, 2)


def _distances(queries: Tensor, keys: Tensor) -> Tensor:
    """Squared distances of all pairs: (..., Q, c) and (..., K, c) -> (..., Q, K)."""
    lengths = queries.square().sum(-1, keepdim=True) + keys.square().sum(-1)[..., None, :]
    return lengths - 2 * queries @ keys.transpose(-1, -2)


def _tiles(x: Tensor, margin: int) -> Tensor:
    """Cut a map (B, C, H, W) into tiles with a margin that overlaps the neighbours: (B, tiles, places, C)."""
    side = TILE + 2 * margin
    cut = F.unfold(x, side, stride=TILE, padding=margin)  # (B, C * places, tiles)
    return cut.reshape(len(x), x.shape[1], side * side, -1).permute(0, 3, 2, 1)


def _out_of_reach(radius: int, tiles: int, device: torch.device) -> Tensor:
    """Which places of a tile and its margin are too far from a place of the tile, or outside: (tiles**2, 64, n)."""
    place = torch.arange(TILE, device=device)[:, None]
    there = torch.arange(-radius, TILE + radius, device=device)
    far = (place - there).abs() > radius  # (8, m)
    start = TILE * torch.arange(tiles, device=device)[:, None]
    outside = (start + there < 0) | (start + there >= TILE * tiles)  # (tiles, m)
    bad = far[None] | outside[:, None]  # (tiles, 8, m), along one axis
    both = bad[:, None, :, None, :, None] | bad[None, :, None, :, None, :]  # (ty, tx, y, x, my, mx)
    return both.flatten(4).flatten(2, 3).flatten(0, 1)
