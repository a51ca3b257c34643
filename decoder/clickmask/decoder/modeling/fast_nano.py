"""Nano, sooner, with answers that are equal to rounding: norms folded into their convolutions, channels last."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from clickmask.decoder.modeling.mask_decoder import DecoderOutput
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.sam2 import ImageFeatures


class FastNano:
    """A network with the interface of ``Nano``; embeddings made by one are good for the other."""

    def __init__(self, network: Nano) -> None:
        self.network = network
        self.config = network.config
        with torch.inference_mode(), torch.device(next(network.parameters()).device):
            folded = fold_norms(copy.deepcopy(network).eval())
            self._folded = cast(Nano, folded.to(memory_format=torch.channels_last))  # type: ignore[call-overload]

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


def fold_norms(module: nn.Module) -> nn.Module:
    """Fold every batch norm that directly follows a convolution in a sequence into it, in place; return the module."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential) and _is_normed_convolution(child):
            setattr(module, name, fuse_conv_bn_eval(child[0], child[1]))
        else:
            fold_norms(child)
    return module


def _is_normed_convolution(layers: nn.Sequential) -> bool:
    return len(layers) == 2 and isinstance(layers[0], nn.Conv2d) and isinstance(layers[1], nn.BatchNorm2d)
