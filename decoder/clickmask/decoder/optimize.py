"""The same model, faster: the one place where speed is switched on."""

from __future__ import annotations

from dataclasses import replace

from clickmask.decoder.modeling.fast import FastSam
from clickmask.decoder.modeling.fast_nano import FastNano
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.sam1 import Sam1
from clickmask.decoder.modeling.sam2 import ImageSam2
from clickmask.decoder.models import Model


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
