"""Which regions of a view the network is asked for."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from training.scene import LEVELS, NOTHING

LEVEL_WEIGHTS = (0.6, 1.0, 1.0)  # parts are asked for less often than wholes and groups
AREA_SHARE = (0.003, 0.75)  # of the view, for a region to be asked for
EMPTY_SHARE = 0.1  # of the prompts, where a view has room for a click on nothing
_LABELS = 256


class Targets(NamedTuple):
    """B images with P prompts each, flattened to B * P rows, prompts of one image in a row."""

    regions: Tensor  # (B*P, S, S) bool: the object, or where a prompt on nothing may click
    present: Tensor  # (B*P,) bool: whether there is an object
    valid: Tensor  # (B*P,) bool: whether the view had such a region at all
    level: Tensor  # (B*P,) int64, where it is in the labels
    label: Tensor  # (B*P,) int64

    @property
    def masks(self) -> Tensor:
        """What the answer should be, (B*P, S, S) bool: empty where there is no object."""
        return self.regions & self.present[:, None, None]


def choose_targets(labels: Tensor, prompts: int, generator: torch.Generator) -> Targets:
    """Draw regions, large and small ones alike: what people label is small more often than not.

    Args:
        labels: (B, levels, S, S) uint8, see ``scene``.
        prompts: Per image.
        generator: On the CPU.
    """
    batch = len(labels)
    shares = _area_shares(labels)  # (B, levels * 256), on the CPU
    kept = (shares > AREA_SHARE[0]) & (shares < AREA_SHARE[1])
    weights = kept * torch.tensor(LEVEL_WEIGHTS).repeat_interleave(_LABELS)
    grid = weights.view(batch, LEVELS, _LABELS)
    grid[:, :, 0] = 0
    grid[:, :, NOTHING] = 0
    valid = weights.sum(dim=1) > 0
    chosen = torch.multinomial(weights + (~valid)[:, None], prompts, replacement=True, generator=generator)  # (B, P)
    nothing_share = shares.view(batch, LEVELS, _LABELS)[:, :, NOTHING].amax(dim=1)
    empty = (torch.rand(batch, prompts, generator=generator) < EMPTY_SHARE) & (nothing_share > 0.1)[:, None]
    level = torch.where(empty, 1, chosen // _LABELS)
    label = torch.where(empty, NOTHING, chosen % _LABELS)
    return _look_up(
        labels, level.to(labels.device), label.to(labels.device), (valid[:, None] | empty).to(labels.device)
    )


def same_regions(labels: Tensor, targets: Targets) -> Targets:
    """The targets of one view, one per image, in other views (B, levels, S, S) of the same images."""
    return _look_up(labels, targets.level[:, None], targets.label[:, None], targets.valid[:, None])


def _look_up(labels: Tensor, level: Tensor, label: Tensor, valid: Tensor) -> Targets:
    """Targets by level, label and validity, each (B, P)."""
    rows = torch.arange(len(labels), device=labels.device)[:, None].expand_as(level)
    regions = (labels[rows, level] == label.to(torch.uint8)[..., None, None]).flatten(0, 1)
    return Targets(
        regions=regions,
        present=(label != NOTHING).flatten(),
        valid=valid.flatten() & regions.flatten(1).any(dim=1),
        level=level.flatten(),
        label=label.flatten(),
    )


def _area_shares(labels: Tensor) -> Tensor:
    """Share of the view each label of each level covers, (B, levels * 256), from every second pixel."""
    coarse = labels[:, :, ::2, ::2].flatten(2).long()  # (B, levels, n)
    offsets = torch.arange(coarse.shape[0] * coarse.shape[1], device=labels.device) * _LABELS
    flat = coarse + offsets.view(coarse.shape[0], coarse.shape[1], 1)
    counts = torch.bincount(flat.flatten(), minlength=len(offsets) * _LABELS)
    return (counts.view(len(labels), -1).float() / coarse.shape[-1]).cpu()
