"""What the network sees of a pool image: a random window of it, turned, mirrored and recoloured. Runs on any device."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

MEAN = (0.485, 0.456, 0.406)  # of RGB in [0, 1], subtracted before the network
DEVIATION = (0.229, 0.224, 0.225)


class Views(NamedTuple):
    """B views of side S."""

    pixels: Tensor  # (B, 3, S, S) float, normalised
    labels: Tensor  # (B, levels, S, S) uint8


def random_windows(batch: int, generator: torch.Generator, *, smallest: float = 0.55) -> Tensor:
    """Draw affine maps from view to source coordinates, both in [-1, 1]: (B, 2, 3).

    Windows measure ``smallest`` to 1 of the source and change its aspect ratio by up to a quarter, because photos
    of any shape are squashed to a square. Half are mirrored, one in eight is turned by a quarter.
    """

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, generator=generator)

    size = draw(smallest, 1.0)
    stretch = torch.exp(draw(-0.25, 0.25) / 2)
    width, height = (size * stretch).clamp(max=1.0), (size / stretch).clamp(max=1.0)
    mirrored = torch.where(torch.rand(batch, generator=generator) < 0.5, -1.0, 1.0)
    maps = torch.zeros(batch, 2, 3)
    maps[:, 0, 0], maps[:, 1, 1] = width * mirrored, height
    turned = torch.rand(batch, generator=generator) < 0.125
    maps[turned, :, :2] = maps[turned][:, :, [1, 0]]
    maps[:, 0, 2], maps[:, 1, 2] = draw(-1, 1) * (1 - width), draw(-1, 1) * (1 - height)
    return maps


def render(images: Tensor, maps: Tensor, side: int, *, colour: Tensor | None = None) -> Views:
    """Cut views out of pool images.

    Args:
        images: (B, H, W, 3 + levels) uint8: colour, then labels.
        maps: (B, 2, 3) from view to source, on the device of ``images``.
        side: Of the views [px].
        colour: (B, 3, 2) gain and shift per channel as ``random_colours`` draws them, or None.
    """
    with torch.autocast(maps.device.type, enabled=False):  # half precision would move pixels
        grid = F.affine_grid(maps, [len(images), 1, side, side], align_corners=False)
    planes = images.permute(0, 3, 1, 2)
    rgb = planes[:, :3].float() / 255
    pixels = F.grid_sample(rgb, grid, padding_mode="reflection", align_corners=False)
    if colour is not None:
        pixels = recolour(pixels, colour)
    labels = F.grid_sample(planes[:, 3:].float(), grid, mode="nearest", align_corners=False)
    return Views(normalise(pixels), labels.to(torch.uint8))


def recolour(pixels: Tensor, colour: Tensor) -> Tensor:
    """Change contrast, brightness and the balance of RGB in [0, 1], (B, 3, H, W), by (B, 3, 2) gains and shifts."""
    mean = pixels.mean(dim=(2, 3), keepdim=True)
    gain, shift = colour[..., 0, None, None], colour[..., 1, None, None]
    return ((pixels - mean) * gain + mean + shift).clamp(0, 1)


def normalise(pixels: Tensor) -> Tensor:
    """RGB in [0, 1], (B, 3, H, W), to what the network is fed."""
    mean, deviation = (pixels.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (pixels - mean) / deviation


def random_colours(batch: int, generator: torch.Generator) -> Tensor:
    """Draw gains and shifts per channel: (B, 3, 2)."""
    gain = torch.exp(0.25 * torch.randn(batch, 1, generator=generator)).clamp(0.4, 1.8)
    shift = 0.08 * torch.randn(batch, 1, generator=generator) + 0.04 * torch.randn(batch, 3, generator=generator)
    return torch.stack([gain.expand(-1, 3), shift], dim=-1)
