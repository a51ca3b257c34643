"""How other programs name a network's weights, as tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

# What transformers calls the prompt encoder and the mask decoder, of every family alike.
TRANSFORMERS_HEADS = (
    (r"^(shared_image|prompt_encoder\.shared)_embedding\.positional_embedding$",
     "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
    (r"^prompt_encoder\.point_embed\.weight$", "prompt_encoder.point_embeddings.*.weight"),
    (r"^prompt_encoder\.point_embed\.", "prompt_encoder.point_embeddings."),
    (r"mask_embed\.conv1", "mask_downscaling.0"),
    (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
    (r"mask_embed\.conv2", "mask_downscaling.3"),
    (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
    (r"mask_embed\.conv3", "mask_downscaling.6"),
    (r"layer_norm_final_attn", "norm_final_attn"),
    (r"layer_norm(\d)", r"norm\1"),
    (r"\.o_proj", ".out_proj"),
    (r"upscale_conv1", "output_upscaling.0"),
    (r"upscale_layer_norm", "output_upscaling.1"),
    (r"upscale_conv2", "output_upscaling.3"),
    (r"^(mask_decoder\..*(?:mlps\.\d|head)\.)layers\.0", r"\1layers.1"),
    (r"^(mask_decoder\..*(?:mlps\.\d|head)\.)proj_out", r"\1layers.2"),
    (r"\.proj_in\.", ".layers.0."),
    (r"\.proj_out\.", ".layers.1."),
)  # fmt: skip

_PART = re.compile(r"^(.*)#(\d+)$")


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to name the weights of a family.

    Args:
        name: Who names them so.
        marks: Keys, as this program writes them, that tell it from all others: patterns, each found in some key.
        renames: Patterns and what they become, one after the other, until the name is ours. A name that ends in
            ``#0``, ``#1`` and so on is a part of a tensor, to be put together along its first axis; ``*`` in a name
            stands for the rows of a tensor, each a weight of its own.
        ignored: Patterns of keys that are no weights of this network.
        headed: Patterns of tables (1, 1 + N, C) whose first row, of a whole image's class, is none.
    """

    name: str
    marks: tuple[str, ...]
    renames: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    headed: tuple[str, ...] = ()

    def fits(self, keys: Mapping[str, object]) -> bool:
        """Whether every mark is found."""
        return all(any(re.search(mark, key) for key in keys) for mark in self.marks)

    def translate(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights by our names; a key that the table does not know keeps its own.

        Raises:
            ValueError: If two keys that name one weight hold different numbers.
        """
        ours: dict[str, Tensor] = {}
        parts: dict[str, dict[int, Tensor]] = {}
        for key, value in weights.items():
            if any(re.search(pattern, key) for pattern in self.ignored):
                continue
            name = self._our_name(key)
            if any(re.search(pattern, key) for pattern in self.headed):
                value = value[:, 1:]
            if part := _PART.match(name):
                parts.setdefault(part[1], {})[int(part[2])] = value
            elif "*" in name:
                ours |= {name.replace("*", str(row)): value[row : row + 1] for row in range(len(value))}
            elif name in ours and not torch.equal(ours[name], value):
                raise ValueError(f"{key} and another key hold different numbers for one weight")
            else:
                ours[name] = value
        return ours | {name: torch.cat([found[index] for index in sorted(found)]) for name, found in parts.items()}

    def _our_name(self, key: str) -> str:
        for pattern, replacement in self.renames:
            key = re.sub(pattern, replacement, key)
        return key
