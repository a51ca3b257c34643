"""Draws training images from a pool, kind by kind; on a GPU, the pool lies in its memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from clickmask.decoder.errors import DeviceError
from training.pool import OUTLINED, SELF_TRAINING, open_shard, shard_paths

# How often each source is drawn among the outlined photos. Whole animals and things most; few cells, all alike.
SOURCE_WEIGHTS: Mapping[str, float] = {
    "caltech_h": 0.34,
    "caltech_plain": 0.10,
    "clothing": 0.10,
    "coco_free": 0.12,
    "facade": 0.08,
    "kuih": 0.05,
    "aquarium": 0.06,
    "openimages": 0.04,
    "caltech_nat": 0.05,
    "flowers": 0.03,
    "nuclei": 0.01,
    "mushroom": 0.01,
    "class5": 0.005,
    "pumavos": 0.005,
}
OUTLINED_SHARE = 0.48  # of what is drawn, where there are outlined photos
MIX: Mapping[str, float] = {  # how often each kind is drawn
    "composite": 0.12,
    "leaves": 0.05,
    "pseudo": 0.35,
    SELF_TRAINING: 0.1,
    **{OUTLINED + source: OUTLINED_SHARE * weight for source, weight in SOURCE_WEIGHTS.items()},
}


class Sampler:
    """Draws batches; looks for new shards when told to.

    A shard is 64 MB. On the CPU it stays in its file, mapped into memory; on a GPU it is copied there once.
    """

    def __init__(
        self, pool: Path, generator: torch.Generator, device: torch.device, mix: Mapping[str, float] = MIX
    ) -> None:
        self._pool, self._generator, self._device, self._mix = pool, generator, device, mix
        self._shards: dict[str, dict[Path, Tensor]] = {kind: {} for kind in mix}
        self.look_again()

    def look_again(self) -> None:
        """Take up shards written since the last look.

        Raises:
            DeviceError: If the device's memory does not hold them.
        """
        for kind, shards in self._shards.items():
            for path in shard_paths(self._pool, kind):
                if path not in shards:
                    shards[path] = self._on_device(torch.from_numpy(open_shard(path)))

    def _on_device(self, shard: Tensor) -> Tensor:
        try:
            return shard.to(self._device)
        except torch.OutOfMemoryError:
            raise DeviceError(
                f"the memory of {self._device} does not hold more than {len(self)} images, wanted fewer shards"
            ) from None

    def draw(self, count: int) -> Tensor:
        """Draw images with their labels, (count, SIDE, SIDE, 3 + LEVELS) uint8, on the device."""
        kinds = list(self._mix)
        weights = torch.tensor([self._mix[kind] * bool(self._shards[kind]) for kind in kinds])
        chosen = torch.multinomial(weights, count, replacement=True, generator=self._generator).tolist()
        return torch.stack([self._image(kinds[index]) for index in chosen])

    def __len__(self) -> int:
        return sum(len(shard) for shards in self._shards.values() for shard in shards.values())

    def _image(self, kind: str) -> Tensor:
        shards = list(self._shards[kind].values())
        shard = shards[self._integer(len(shards))]
        return shard[self._integer(len(shard))]

    def _integer(self, high: int) -> int:
        return int(torch.randint(high, (), generator=self._generator))
