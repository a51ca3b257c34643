"""Nano, sooner, with answers that are equal to rounding: norms folded into their convolutions, channels last."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.products import with_products
from clickmask.decoder.modeling.shared import with_weights


class FastNano:
    """A network with the interface of ``Nano``; embeddings made by one are good for the other.

    Args:
        network: The plain network.
        folded: It, with its norms folded, where that was done already.
    """

    def __init__(self, network: Nano, folded: Nano | None = None) -> None:
        self.network = network
        self.config = network.config
        self._folded = _fold(network) if folded is None else folded

    def with_weights(self, weights: Mapping[str, Tensor]) -> FastNano:
        """The same network with other weights of layers that no norm follows; what is folded is shared."""
        return FastNano(with_weights(self.network, weights), with_weights(self._folded, weights))

    @property
    def image_side(self) -> int:
        """Side of the square the network sees [px]."""
        return self.network.image_side

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """Encode still images: normalised RGB (B, 3, S, S)."""
        return self._folded.encode(pixels.contiguous(memory_format=torch.channels_last))

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """Answer B prompts; see ``Nano.decode``."""
        return self._folded.decode(features, points, labels, mask_logits)


def _fold(network: Nano) -> Nano:
    """A copy without norms, channels last, that multiplies by the faster library."""
    with torch.inference_mode(), torch.device(next(network.parameters()).device):
        folded = fold_norms(copy.deepcopy(network).eval())
        folded = folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return with_products(cast(Nano, folded))


def fold_norms(module: nn.Module) -> nn.Module:
    """Fold every batch norm that directly follows a convolution in a sequence into it, in place; return the module."""
    for name, child in module.named_children():
        folded = _folded(child)
        if folded is None:
            fold_norms(child)
        else:
            setattr(module, name, folded)
    return module


def _folded(layers: nn.Module) -> nn.Conv2d | None:
    """A convolution and its norm as one convolution; None for anything else."""
    if not isinstance(layers, nn.Sequential) or len(layers) != 2:
        return None
    convolution, norm = layers
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        return None
    return fuse_conv_bn_eval(convolution, norm)
