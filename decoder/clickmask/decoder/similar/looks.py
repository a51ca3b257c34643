"""What places of an image look like: the trunk's features at two strides, and the picture's own colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.frame import Frame
from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.refine.window import Window
from clickmask.decoder.segment import ImageEmbedding, MaskSet

Pixels = NDArray[np.uint8]  # (H, W, 3) RGB
Vectors = tuple[Tensor, Tensor, Tensor]  # of stride 8, of stride 16, of colour; each (C, ...)
AnswerPrompts = Callable[[Sequence[Prompt]], Sequence[MaskSet]]
LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A window of an image, encoded, with what answers prompts in its own pixels."""

    window: Window
    pixels: Pixels  # of the window
    embedding: ImageEmbedding
    answer: AnswerPrompts


OpenWindow = Callable[[Window], Seen]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Mean and deviation of a picture's vectors: what is not there in any object, but everywhere."""

    means: Vectors  # each (C, 1)
    deviations: Vectors  # each (C, 1)

    def normalised(self, vectors: Vectors) -> Vectors:
        """Bring vectors (C, N) to deviations from the picture, each of length one."""
        x, y, z = (
            F.normalize((part - mean) / deviation, dim=0)
            for part, mean, deviation in zip(vectors, self.means, self.deviations, strict=True)
        )
        return x, y, z


def look(seen: Seen, geometry: Geometry) -> Vectors:
    """The vectors of all places of a window, at stride 8: each (C, h, w)."""
    s8, s16 = (_inside(part[0].float().cpu(), geometry, seen.embedding) for part in seen.embedding.maps)
    height, width = s8.shape[-2:]
    s16 = F.interpolate(s16[None], size=(height, width), mode="bilinear")[0]
    colour = cv2.resize(
        cv2.cvtColor(seen.pixels, cv2.COLOR_RGB2LAB), (width, height), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    return s8, s16, torch.from_numpy(colour).permute(2, 0, 1) / 255


def spread(all_looks: Sequence[Vectors]) -> Spread:
    """Mean and deviation over all places of a picture's windows."""
    means, deviations = [], []
    for parts in zip(*all_looks, strict=True):
        flat = torch.cat([part.flatten(1) for part in parts], dim=1)
        means.append(flat.mean(dim=1, keepdim=True))
        deviations.append(flat.std(dim=1, keepdim=True) + LEAST_SPREAD)
    return Spread((means[0], means[1], means[2]), (deviations[0], deviations[1], deviations[2]))


def pooled(looks: Vectors, shares: Tensor) -> Vectors:
    """Masked means.

    Args:
        looks: Of a window, each (C, h, w).
        shares: How much of each place every mask covers, (N, h, w), in [0, 1].

    Returns:
        Each (C, N); zeros for a mask that covers nothing.
    """
    weights = shares.flatten(1).T  # (h*w, N)
    weights = weights / weights.sum(dim=0).clamp(min=1e-6)
    x, y, z = (part.flatten(1) @ weights for part in looks)
    return x, y, z


def coverage(masks: Tensor, cells: tuple[int, int]) -> Tensor:
    """How much of each cell (h, w) masks (N, H, W) of 0 and 1 cover: (N, h, w)."""
    return F.interpolate(masks[:, None].float(), size=cells, mode="area")[:, 0]


def inside_and_around(looks: Vectors, masks: Tensor) -> tuple[Vectors, Vectors]:
    """Means within masks (N, H, W), and within rings of one cell around them."""
    shares = coverage(masks, (looks[0].shape[1], looks[0].shape[2]))
    rings = (F.max_pool2d(shares[:, None], 3, 1, 1)[:, 0] - shares).clamp(min=0)
    return pooled(looks, shares), pooled(looks, rings)


def _inside(part: Tensor, geometry: Geometry, embedding: ImageEmbedding) -> Tensor:
    """The part of a map (C, h, w) of the network's square that the picture takes."""
    inside = Frame(geometry, embedding.size).inside
    height, width = (
        max(1, round(length / geometry.side * cells))
        for length, cells in zip((inside.height, inside.width), part.shape[-2:], strict=True)
    )
    return part[:, :height, :width]
