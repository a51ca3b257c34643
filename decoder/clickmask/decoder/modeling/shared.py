"""The same network with a few other weights: a new value beside the old one, all other tensors are the old one's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor, nn

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def with_weights(network: NetworkT, weights: Mapping[str, Tensor]) -> NetworkT:
    """Return the network with other values of the parameters of these names.

    Args:
        network: Stays as it is.
        weights: By the network's names, each of the shape of the one it replaces.

    Raises:
        KeyError: If the network has no parameter of a name.
        ValueError: If a shape differs.
    """
    own = dict(network.named_parameters())
    for name, value in weights.items():
        if value.shape != own[name].shape:
            raise ValueError(f"{name} has shape {tuple(value.shape)}, wanted {tuple(own[name].shape)}")
    replaced = {id(own[name]): nn.Parameter(value, requires_grad=False) for name, value in weights.items()}
    kept = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, {**kept, **replaced})  # a copy takes what stands there for a tensor as its copy
