"""A network that draws discs around positive clicks: everything but the neural part is real in the tests.

A disc's radius grows with the image's brightness, so an answer given on the wrong image shows;
a mask prompt is united with the discs, so an answer that starts from earlier ones shows too.
"""

from __future__ import annotations

import torch
from torch import Tensor

from clickmask.decoder import Model
from clickmask.decoder.modeling.config import NanoConfig
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, HighResolution, ImageFeatures
from clickmask.decoder.modeling.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, POSITIVE, TOP_LEFT

GRID = 256
_AXIS = (torch.arange(GRID) + 0.5) / GRID
_SIZES = (1.0, 0.5, 1.0, 1.5)  # of the four masks' discs, relative
_SCORES = (0.8, 0.7, 0.9, 0.6)


class DiscNetwork:
    """Follows ``clickmask.decoder.models.Network``."""

    config = NanoConfig(image_side=4 * GRID)

    def encode(self, pixels: Tensor) -> ImageFeatures:
        """The image's mean brightness is all it sees."""
        brightness = pixels.mean(dim=(1, 2, 3), keepdim=True)
        return ImageFeatures(brightness, HighResolution(brightness, brightness))

    def decode(
        self, features: ImageFeatures, points: Tensor, labels: Tensor, mask_logits: Tensor | None
    ) -> DecoderOutput:
        """The mask prompt, discs around positive clicks, and boxes; without discs around negative clicks."""
        count = len(points)
        brightness = features.image.flatten().expand(count).tolist()
        earlier = torch.zeros(count, GRID, GRID) if mask_logits is None else mask_logits.reshape(count, GRID, GRID)
        masks = [
            [
                _mask(earlier[row] > 0, points[row], labels[row], (0.1 + 0.02 * brightness[row]) * size)
                for size in _SIZES
            ]
            for row in range(count)
        ]
        logits = torch.stack([torch.stack(four) for four in masks]).float() * 20 - 10
        return DecoderOutput(
            logits, torch.tensor(_SCORES).expand(count, 4), torch.ones(count, 1), torch.zeros(count, 4, 1)
        )


def disc_model() -> Model:
    """A model around ``DiscNetwork``."""
    return Model("discs", DiscNetwork(), torch.device("cpu"), torch.float32, "discs")


def _mask(earlier: Tensor, points: Tensor, labels: Tensor, radius: float) -> Tensor:
    mask = earlier.clone()
    places = list(zip(labels.tolist(), points.tolist(), strict=True))
    for label, (x, y) in places:
        if label == POSITIVE:
            mask |= _disc(x, y, radius)
    corners = {label: place for label, place in places if label in (TOP_LEFT, BOTTOM_RIGHT)}
    if corners:
        (x0, y0), (x1, y1) = corners[TOP_LEFT], corners[BOTTOM_RIGHT]
        mask |= _between(x0, x1)[None] & _between(y0, y1)[:, None]
    for label, (x, y) in places:
        if label == NEGATIVE:
            mask &= ~_disc(x, y, radius)
    return mask


def _between(low: float, high: float) -> Tensor:
    axis = _AXIS
    return (axis >= low) & (axis < high)


def _disc(x: float, y: float, radius: float) -> Tensor:
    return (_AXIS[None] - x) ** 2 + (_AXIS[:, None] - y) ** 2 < radius**2
