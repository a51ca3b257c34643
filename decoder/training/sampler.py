"""Draws training images from a pool, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from decoder.training.pool import TAUGHT, open_shards

MIX: Mapping[str, float] = {"composite": 0.36, "leaves": 0.12, "pseudo": 0.52, TAUGHT: 0.2}  # how often each is drawn


class Sampler:
    """Draws batches; looks for new shards when told to."""

    def __init__(self, pool: Path, generator: torch.Generator, mix: Mapping[str, float] = MIX) -> None:
        self._pool, self._generator, self._mix = pool, generator, mix
        self.look_again()

    def look_again(self) -> None:
        """Take up shards written since the last look."""
        self._shards = {kind: open_shards(self._pool, kind) for kind in self._mix}

    def draw(self, count: int) -> Tensor:
        """Draw images with their labels, (count, SIDE, SIDE, 3 + LEVELS) uint8."""
        kinds = list(self._mix)
        weights = torch.tensor([self._mix[kind] * bool(self._shards[kind]) for kind in kinds])
        chosen = torch.multinomial(weights, count, replacement=True, generator=self._generator).tolist()
        return torch.from_numpy(np.stack([self._image(kinds[index]) for index in chosen]))

    def __len__(self) -> int:
        return sum(len(shard) for shards in self._shards.values() for shard in shards)

    def _image(self, kind: str) -> np.ndarray:  # type: ignore[type-arg]
        shards = self._shards[kind]
        shard = shards[self._integer(len(shards))]
        return np.asarray(shard[self._integer(len(shard))])

    def _integer(self, high: int) -> int:
        return int(torch.randint(high, (), generator=self._generator))
