"""Fit an adapter to examples: a fixed number of steps, the same from the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from clickmask.decoder.engine import Engine
from clickmask.decoder.learning.adapter import RANK, adapted_weights, blank_tensors
from clickmask.decoder.learning.examples import Example, View, look_at
from clickmask.decoder.learning.memory import Remembered, forgetting, remember
from clickmask.decoder.learning.practice import Decode, practise
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures
from clickmask.decoder.modeling.shared import with_weights
from clickmask.decoder.models import Model
from clickmask.decoder.optimize import plain

Progress = Callable[[float], None]  # told the share done, in (0, 1]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How an adapter is fitted.

    Args:
        steps: Of the optimiser.
        batch: Objects a step.
        remembered: Answers to be kept, a step.
        pictures: That those answers are on.
        rate: Peak learning rate.
        memory_weight: Of what is to be kept against what is to be learned.
        windows: Near views of each object.
        rank: Of the low-rank products; 0: every weight learns by itself, as in plain fine-tuning.
    """

    steps: int = 60
    batch: int = 6
    remembered: int = 4
    pictures: int = 24
    rate: float = 3e-3
    memory_weight: float = 20.0
    windows: int = 3
    rank: int = RANK
    seed: int = 0

    def for_objects(self, count: int) -> FitSettings:
        """As many steps as so many objects are worth: more to learn from takes longer."""
        return replace(self, steps=round(self.steps * min(2.0, max(1.0, (count / 14) ** 0.5))))


class _Decoding(nn.Module):
    """A network whose call is ``decode``."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        return self.network.decode(features, points, labels, mask_logits)  # type: ignore[operator,no-any-return]


def decoding(model: Model, tensors: Mapping[str, Tensor]) -> Decode:
    """How the model answers with an adapter that is being fitted; the model itself is never touched."""
    own = _Decoding(with_weights(cast(nn.Module, plain(model).network), {}))

    def decode(features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None) -> DecoderOutput:
        weights = {f"network.{name}": value for name, value in adapted_weights(model, tensors).items()}
        return functional_call(own, weights, (features, points, labels, mask_logits))  # type: ignore[no-any-return]

    return decode


def fit(
    engine: Engine,
    examples: Sequence[Example],
    settings: FitSettings,
    progress: Progress,
) -> dict[str, Tensor]:
    """Return the tensors of an adapter that has learned from examples."""
    rng = np.random.default_rng(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed)
    views = [look_at(engine, example, rng, settings.windows) for example in examples]
    tensors = blank_tensors(engine.model, generator, settings.rank)
    for tensor in tensors.values():
        tensor.requires_grad_()
    decode = decoding(engine.model, tensors)
    known = remember(engine, decode, rng, settings.pictures)
    optimiser = torch.optim.AdamW(list(tensors.values()), lr=settings.rate, betas=(0.9, 0.98), weight_decay=0.01)
    mask_side = engine.model.network.config.geometry.mask_side
    for step in range(settings.steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * rate_at(step / settings.steps)
        optimiser.zero_grad(set_to_none=True)
        loss = practise(decode, _draw_views(views, settings.batch, rng), mask_side, rng)
        drawn = _draw_known(known, settings.remembered, rng)
        loss = loss + settings.memory_weight * forgetting(decode, drawn)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(list(tensors.values()), 1.0)
        optimiser.step()
        progress((step + 1) / settings.steps)
    return {name: tensor.detach() for name, tensor in tensors.items()}


def rate_at(share_done: float) -> float:
    """Learning rate relative to its peak: a short warm-up, then half a cosine."""
    return min(1.0, share_done / 0.1 + 0.1) * 0.5 * (1 + math.cos(math.pi * share_done))


def _draw_views(views: Sequence[Sequence[View]], count: int, rng: np.random.Generator) -> list[View]:
    chosen = rng.choice(len(views), size=count, replace=len(views) < count)
    return [views[index][int(rng.integers(len(views[index])))] for index in chosen]


def _draw_known(known: Sequence[Remembered], count: int, rng: np.random.Generator) -> list[Remembered]:
    return [known[index] for index in rng.choice(len(known), size=count, replace=False)]
