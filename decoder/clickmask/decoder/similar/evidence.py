"""How much a mask is like the examples, as a few numbers, and the chance they amount to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from clickmask.decoder.similar.examples import Example, Kind
from clickmask.decoder.similar.looks import Spread, Vectors

NAMES = ("s8", "s16", "colour", "size", "shape", "predicted_iou", "stability", "contrast")
MOST_CONTRAST = 1.5  # with what lies around, of that of an example
LEAST_CONTRAST = 0.05
FARTHEST = 2.0  # in log area or in shape; what differs more differs


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for masks, (N, len(NAMES)), and what for their being what a person said it is not, (N,)."""

    values: Tensor
    unlike: Tensor  # how much more a mask is like a counterexample than like an example, >= 0


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What is known of N masks of one picture.

    Args:
        inside: Masked means, each (C, N).
        around: Means of the rings around them.
        area_shares: Of the picture, (N,).
        shapes: (N, 3), see ``shape_of``; None while they are not cut out.
        predicted_ious: (N,).
        stabilities: (N,).
    """

    inside: Vectors
    around: Vectors
    area_shares: Tensor
    shapes: Tensor | None
    predicted_ious: Tensor
    stabilities: Tensor


def weigh(masks: Masks, kind: Kind, spread: Spread) -> Evidence:
    """Compare masks with the examples: all count alike for looks, which vary little, the nearest for size and shape."""
    inside, around = spread.normalised(masks.inside), spread.normalised(masks.around)
    liked = [_likeness(inside, example, spread) for example in kind.examples]
    s8, s16, colour = (torch.stack(parts).mean(dim=0) for parts in zip(*liked, strict=True))
    contrast = torch.stack(
        [
            (own - _likeness(around, example, spread)[0]) / _own_contrast(example, spread)
            for (own, _, _), example in zip(liked, kind.examples, strict=True)
        ]
    ).mean(dim=0)
    area = masks.area_shares.clamp(min=1e-9).log()
    sizes = torch.stack([(area - math.log(example.area_share)).abs() for example in kind.examples]).amin(dim=0)
    if masks.shapes is None:
        shapes = torch.zeros_like(sizes)
    else:
        shapes = torch.stack(
            [(masks.shapes - example.shape).abs().sum(dim=1) for example in kind.examples]
        ).amin(dim=0)  # fmt: skip
    values = [
        s8,
        s16,
        colour,
        -sizes.clamp(max=FARTHEST),
        -shapes.clamp(max=FARTHEST),
        masks.predicted_ious,
        masks.stabilities,
        contrast.clamp(-MOST_CONTRAST, MOST_CONTRAST),
    ]
    unlike = torch.zeros_like(s8)
    if kind.counterexamples:
        refused = [_likeness(inside, example, spread) for example in kind.counterexamples]
        alike = torch.stack([torch.stack(parts).sum(dim=0) for parts in refused]).amax(dim=0)
        wanted = torch.stack([torch.stack(parts).sum(dim=0) for parts in liked]).amax(dim=0)
        unlike = (alike - wanted).clamp(min=0)
    return Evidence(torch.stack(values, dim=1), unlike)


def _own_contrast(example: Example, spread: Spread) -> float:
    """How much less what lies around an example is like it than it is itself."""
    around, _, _ = _likeness(spread.normalised(example.around), example, spread)
    return max(LEAST_CONTRAST, 1.0 - float(around))


def _likeness(vectors: Vectors, example: Example, spread: Spread) -> tuple[Tensor, Tensor, Tensor]:
    """Cosine with an example's vectors, of each of the three parts: (N,) in [-1, 1]."""
    x, y, z = (
        (own * wanted).sum(dim=0) for own, wanted in zip(vectors, spread.normalised(example.vectors), strict=True)
    )
    return x, y, z
