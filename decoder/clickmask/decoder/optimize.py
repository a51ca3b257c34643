"""The same model, faster: the one place where speed is switched on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from clickmask.decoder.modeling.fast import FastSam
from clickmask.decoder.modeling.fast_nano import FastNano
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.sam1 import Sam1
from clickmask.decoder.modeling.sam2 import ImageSam2
from clickmask.decoder.modeling.shared import with_weights as network_with_weights
from clickmask.decoder.models import Model, Network


def optimize(model: Model) -> Model:
    """Return a model for still images with the same answers (to rounding), sooner.

    Embeddings made by one are not for the other. A model that has no faster form comes back as it is.
    """
    if isinstance(model.network, ImageSam2 | Sam1):
        return replace(model, network=FastSam(model.network))
    if isinstance(model.network, Nano):
        return replace(model, network=FastNano(model.network))
    return model


def plain(model: Model) -> Model:
    """Return the model that an optimised one was made of; another comes back as it is."""
    if isinstance(model.network, FastSam | FastNano):
        return replace(model, network=model.network.network)
    return model


def with_weights(model: Model, weights: Mapping[str, Tensor]) -> Model:
    """Return the model with other values of some parameters of its mask decoder, as fast as it was.

    All other tensors are shared. Whoever changes weights that embeddings are made of must give it another fingerprint.

    Args:
        model: Plain or optimised; stays as it is.
        weights: By the plain network's names.
    """
    network = model.network
    if isinstance(network, FastNano | FastSam):
        return replace(model, network=network.with_weights(weights))
    return replace(model, network=cast(Network, network_with_weights(cast(nn.Module, network), weights)))
