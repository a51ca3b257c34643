"""An adapter: low-rank changes of the mask decoder's layers, and what they make of a model.

Nothing changes that an embedding is made of, so every embedding of the model is one of the adapted model too.

Source: "LoRA: Low-Rank Adaptation of Large Language Models" (Hu et al., 2021).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from clickmask.decoder.errors import CheckpointError
from clickmask.decoder.models import Model
from clickmask.decoder.optimize import plain, with_weights

RANK = 4
_ROOMS = ("mask_decoder.", "judge.")  # the parts of networks that answer, and see nothing but embedding and prompt


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """What was learned on top of one model.

    Args:
        name: Of the project and the version, such as ``"flowers-3"``.
        base: Fingerprint of the model it belongs to.
        tensors: ``NAME.down`` (rank, in) and ``NAME.up`` (out, rank) of a weight, ``NAME.shift`` of a vector.
    """

    name: str
    base: str
    tensors: Mapping[str, Tensor]

    @property
    def nbytes(self) -> int:
        """Memory it holds [bytes]."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())

    @property
    def fingerprint(self) -> str:
        """Equal for equal changes of the same model, and for no others."""
        digest = hashlib.sha256(self.base.encode())
        for key, value in sorted(self.tensors.items()):
            digest.update(key.encode() + value.detach().cpu().float().numpy().tobytes())
        return digest.hexdigest()


def adapt(model: Model, adapter: Adapter) -> Model:
    """Return the model with what was learned: a new value, at no cost per answer; embeddings serve both.

    Args:
        model: Plain or optimised; stays as it is.
        adapter: Of this model.

    Raises:
        CheckpointError: If the adapter belongs to another model.
    """
    if adapter.base != model.fingerprint:
        raise CheckpointError(f"the adapter {adapter.name} was learned on other weights than these of {model.name}")
    weights = adapted_weights(model, adapter.tensors)
    return replace(with_weights(model, weights), adapter=adapter.name, fingerprint=adapter.fingerprint)


def adapted_weights(model: Model, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters that an adapter changes, by the network's names, with the changes in them.

    Raises:
        CheckpointError: If the network has no such parameter, or one of another shape.
    """
    own = dict(cast(nn.Module, plain(model).network).named_parameters())
    changes = _changes(tensors)
    try:
        return {name: own[name] + change.to(own[name].device) for name, change in changes.items()}
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"the adapter does not fit {model.name}: {error}") from error


def _changes(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is added to each parameter."""
    changes = {}
    for key, value in tensors.items():
        name, _, kind = key.rpartition(".")
        if kind == "shift":
            changes[name] = value
        elif kind == "up":
            changes[name] = value @ tensors[f"{name}.down"]
    return changes


def weaken(tensors: Mapping[str, Tensor], strength: float) -> dict[str, Tensor]:
    """The tensors with a share of their effect, in [0, 1]; of a product one factor is weakened."""
    return {name: value if name.endswith(".down") else strength * value for name, value in tensors.items()}


def blank_tensors(model: Model, generator: torch.Generator, rank: int = RANK) -> dict[str, Tensor]:
    """The tensors of an adapter that changes nothing yet.

    Args:
        model: What is to learn.
        generator: Draws what the low-rank products start from, on the CPU.
        rank: Of the products; 0: no products, every parameter is shifted.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in cast(nn.Module, plain(model).network).named_parameters():
        if not name.startswith(_ROOMS) or ".conv_s" in name:  # those make embeddings
            continue
        if rank > 0 and _is_matrix(name, value):
            down = torch.randn(rank, value.shape[1], generator=generator) * value.shape[1] ** -0.5
            tensors |= {f"{name}.down": down, f"{name}.up": torch.zeros(len(value), rank)}
        elif rank == 0 or value.ndim == 1 or "token" in name:
            tensors[f"{name}.shift"] = torch.zeros_like(value, device="cpu")
    return {name: tensor.to(model.device) for name, tensor in tensors.items()}


def _is_matrix(name: str, value: Tensor) -> bool:
    """Whether a parameter is the weight of a linear layer, and no table of tokens."""
    return value.ndim == 2 and "token.weight" not in name and "tokens.weight" not in name
