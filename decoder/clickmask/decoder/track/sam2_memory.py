"""SAM 2's memory in tensors: a tracked frame becomes a memory, memories become tokens for a later frame.

Source: "SAM 2: Segment Anything in Images and Videos" (Ravi et al., 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.modeling.position import sine_grid
from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.track.memory import FrameMemory, Selection

MASK_SCALE, MASK_BIAS = 20.0, -10.0  # a mask in [0, 1] enters the memory encoder as -10 to 10


@dataclass(frozen=True, slots=True, eq=False)
class Sam2Memory:
    """What SAM 2 keeps of an object on a frame, on the model's device."""

    map: Tensor  # (c, h, w) bfloat16
    pointer: Tensor  # (C,)


Sam2FrameMemory = FrameMemory[Sam2Memory]


def encode_memories(network: Sam2, image: Tensor, masks: Tensor, present: Tensor) -> Tensor:
    """Fuse a frame and the masks of B objects on it.

    Args:
        network: With the memory encoder.
        image: (1, C, h, w) frame embedding that has not looked at any memory.
        masks: (B, 1, S, S) in [0, 1].
        present: (B, 1) bool, whether the object is in the frame.

    Returns:
        (B, c, h, w), bfloat16: half the memory, and what SAM 2 was shipped with.
    """
    memories = network.memory_encoder(image, masks * MASK_SCALE + MASK_BIAS)
    if network.config.version == "2.1":
        memories = memories + (~present * network.no_obj_embed_spatial)[..., None, None]
    return memories.to(torch.bfloat16)  # type: ignore[no-any-return]


def condition(network: Sam2, image: Tensor, selections: Sequence[Selection[Sam2Memory]], reach: int) -> Tensor:
    """Let a frame look at the memories of B objects.

    Objects that look at equally many memories share a batch, so nothing is padded and no
    object changes another's answer.

    Args:
        network: With memory attention.
        image: (1, C, h, w) frame embedding.
        selections: One per object, none without a map.
        reach: Frames back that pointers are looked at; scales their time encoding.

    Returns:
        (B, C, h, w) embeddings, each object's own.
    """
    shapes = [(len(selection.maps), len(selection.pointers)) for selection in selections]
    conditioned = image.expand(len(selections), -1, -1, -1).clone()
    for shape in sorted(set(shapes)):
        rows = [row for row, own in enumerate(shapes) if own == shape]
        conditioned[rows] = _condition_alike(network, image, [selections[row] for row in rows], reach)
    return conditioned


def _condition_alike(network: Sam2, image: Tensor, selections: list[Selection[Sam2Memory]], reach: int) -> Tensor:
    maps, map_pe = zip(*(_map_tokens(network, selection) for selection in selections), strict=True)
    pointers, pointer_pe = zip(*(_pointer_tokens(network, selection, reach) for selection in selections), strict=True)
    memory = torch.cat([torch.stack(maps), torch.stack(pointers)], dim=1)  # (B, M, c)
    memory_pe = torch.cat([torch.stack(map_pe), torch.stack(pointer_pe)], dim=1)
    image_pe = _space_encoding(image)
    return network.memory_attention(  # type: ignore[no-any-return]
        image, image_pe, memory, memory_pe, pointers=pointers[0].shape[0]
    )


def _map_tokens(network: Sam2, selection: Selection[Sam2Memory]) -> tuple[Tensor, Tensor]:
    """Maps as tokens (N*h*w, c) and their encodings in space and time."""
    maps = torch.stack([memory.content.map for _, memory in selection.maps]).float()  # (N, c, h, w)
    space = _space_encoding(maps)
    # The last row of the time table is for prompted frames (age 0), the first for the newest (age 1).
    ages = torch.tensor([age for age, _ in selection.maps], device=maps.device)
    time = network.maskmem_tpos_enc[:, 0, 0][ages - 1][:, :, None, None]  # (N, c, 1, 1)
    return _as_tokens(maps), _as_tokens(space + time)


def _space_encoding(maps: Tensor) -> Tensor:
    """Of (N, c, h, w): (1, c, h, w)."""
    _, channels, height, width = maps.shape
    return sine_grid(channels, height, width, maps.device)


def _as_tokens(maps: Tensor) -> Tensor:
    """(N, c, h, w) -> (N*h*w, c)."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def _pointer_tokens(network: Sam2, selection: Selection[Sam2Memory], reach: int) -> tuple[Tensor, Tensor]:
    """Pointers cut into tokens as wide as a memory, (P * C / c, c), and their encodings in time."""
    width = network.memory.width
    if not selection.pointers:
        empty = network.no_mem_embed.new_zeros(0, width)
        return empty, empty
    pointers = torch.stack([memory.content.pointer for _, memory in selection.pointers])  # (P, C)
    pieces = pointers.shape[1] // width
    tokens = pointers.reshape(-1, width)
    if network.config.version == "2.0":
        return tokens, torch.zeros_like(tokens)
    back = torch.tensor([back for back, _ in selection.pointers], device=pointers.device) / reach
    time = network.obj_ptr_tpos_proj(_time_sines(back, pointers.shape[1]))  # (P, c)
    return tokens, time.repeat_interleave(pieces, dim=0)


def _time_sines(times: Tensor, channels: int) -> Tensor:
    """Encode times (N,): all sines first, then all cosines, (N, channels)."""
    half = channels // 2
    periods = 10000.0 ** (2 * (torch.arange(half, device=times.device) // 2) / half)
    angles = times[:, None] / periods
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def upsample(logits: Tensor, geometry: Geometry) -> Tensor:
    """Bring logits (B, 1, h, w) to the network's square, and to the grid on which memories are made: (B, 1, M, M)."""
    side, memory_side = geometry.side, geometry.memory_side
    whole = F.interpolate(logits, size=(side, side), mode="bilinear")
    if memory_side == side:
        return whole
    return F.interpolate(whole, size=(memory_side, memory_side), mode="bilinear", antialias=True)
