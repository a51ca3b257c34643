"""A SAM 2 of a few thousand random weights, and a video for it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from clickmask.decoder.modeling.config import DecoderConfig, Geometry, HieraConfig, MemoryConfig, Sam2Config
from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.models import Model

CONFIG = Sam2Config(
    trunk=HieraConfig(16, 1, (1, 1, 2, 1), (3,), (4, 2, 4, 2), 3),
    version="2.1",
    geometry=Geometry(64),
    decoder=DecoderConfig(width=128, heads=8, mlp_width=64, s4_channels=128, s8_channels=128),
    memory=MemoryConfig(width=64, mlp_width=64, layers=2),
)


def as_model(network: Sam2) -> Model:
    """The network as tracking wants it."""
    return Model("small", network.eval().requires_grad_(False), torch.device("cpu"), torch.float32, "random")


def small_model(config: Sam2Config = CONFIG, *, seen: float = 4.0, seed: int = 0) -> Model:
    """A network with random weights; ``seen`` > 0 lets it see objects everywhere, < 0 nowhere."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Sam2(config)
        randomise(network)
    with torch.no_grad():
        network.mask_decoder.pred_obj_score_head.layers[-1].get_parameter("bias").add_(seen)
    return as_model(network)


def randomise(network: nn.Module) -> None:
    """Give every parameter a size at which it matters; many start at zero otherwise."""
    with torch.no_grad():
        for parameter in network.parameters():
            fan_in = parameter[0].numel()
            parameter.add_(torch.randn_like(parameter) / max(fan_in, 4) ** 0.5)


def moving_square(frames: int, side: int = 64) -> list[NDArray[np.uint8]]:
    """A bright square that goes to and fro over noise."""
    noise = np.random.default_rng(0).integers(0, 90, (side, side, 3), dtype=np.uint8)
    images = []
    for t in range(frames):
        image = noise.copy()
        left = abs((2 * t + side // 4) % side - side // 2)
        image[side // 4 : side // 2, left : left + side // 4] = (200, 220, 40)
        images.append(image)
    return images
