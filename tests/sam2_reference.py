"""Deterministic weights and recorded answers of the official SAM 2 code (facebookresearch/sam2, commit 2b90b9f).

Every weight follows from its official key name alone, so any implementation that loads a state dict by those
names gets the same network, and no checkpoint is needed to compare two.
"""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import torch
from torch import Tensor

DATA = Path(__file__).parent / "data" / "sam2"

_SMALL = ("pos_embed", "tpos_enc", "no_mem", "no_obj", "rel_pos")
_UNIT = ("point_embeddings", "not_a_point", "no_mask_embed", "iou_token", "mask_tokens", "obj_score_token")


def official_shapes(file_name: str) -> dict[str, tuple[int, ...]]:
    """The official state dict's keys and shapes."""
    keys: dict[str, list[int]] = json.loads((DATA / file_name).read_text())
    return {key: tuple(shape) for key, shape in keys.items()}


def reference_weights(file_name: str) -> dict[str, Tensor]:
    """The deterministic state dict, under the official names."""
    return {key: _weight(key, shape) for key, shape in official_shapes(file_name).items()}


def _weight(name: str, shape: tuple[int, ...]) -> Tensor:
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))
    last = name.rsplit(".", 1)[-1]
    if "positional_encoding_gaussian_matrix" in name:
        return noise
    if last == "weight" and len(shape) == 1:  # norms
        return 1 + 0.1 * noise
    if last == "gamma":
        return 0.5 + 0.1 * noise
    if last == "bias" or any(part in name for part in _SMALL):
        return 0.1 * noise
    if any(part in name for part in _UNIT):
        return noise
    fan_in = math.prod(shape[1:]) if len(shape) > 1 else shape[0]
    return noise / math.sqrt(max(fan_in, 1))
