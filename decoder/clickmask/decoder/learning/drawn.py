"""Pictures drawn from a seed, each with objects whose masks are known: what a model must still know after learning."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 256  # of a picture [px]

Mask = NDArray[np.bool_]  # (SIDE, SIDE)
Pixels = NDArray[np.uint8]  # (SIDE, SIDE, 3)
Colours = NDArray[np.float32]  # (SIDE, SIDE, 3)


class DrawnPicture(NamedTuple):
    """A picture and its objects; what is covered by a later object is not part of an earlier one."""

    pixels: Pixels
    masks: tuple[Mask, ...]


def draw_pictures(count: int, seed: int = 0) -> list[DrawnPicture]:
    """Draw pictures of textured shapes on textured ground, in soft light; the same for the same seed."""
    return [_draw(np.random.default_rng([seed, number])) for number in range(count)]


def _draw(rng: np.random.Generator) -> DrawnPicture:
    canvas = surface(rng)
    labels = np.zeros((SIDE, SIDE), np.int32)
    for label in range(1, int(rng.integers(4, 8))):
        shape = random_shape(rng)
        shadow = np.roll(cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 6), rng.integers(-6, 7, 2), (0, 1))
        canvas *= 1 - rng.uniform(0, 0.5) * shadow[..., None]
        canvas = np.where(shape[..., None], surface(rng), canvas)
        labels[shape] = label
    canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 1.2)) + rng.normal(0, rng.uniform(1, 6), canvas.shape)
    masks = [labels == label for label in range(1, labels.max() + 1)]
    return DrawnPicture(
        np.clip(canvas, 0, 255).astype(np.uint8),
        tuple(mask for mask in masks if 0.004 < mask.mean() < 0.5),
    )


def surface(rng: np.random.Generator) -> Colours:
    """Two colours that change into one another as clouds do, with a fall of light over them."""
    first, second = rng.uniform(20, 235, 3), rng.normal(0, 45, 3)
    pattern = np.zeros((SIDE, SIDE), np.float32)
    for cells in (4, 8, 16, 32, 64):
        coarse = rng.normal(0, cells ** -rng.uniform(0.3, 1.0), (cells, cells)).astype(np.float32)
        pattern += cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    pattern = (pattern - pattern.min()) / max(float(np.ptp(pattern)), 1e-6)
    light = 1 + np.linspace(-0.5, 0.5, SIDE, dtype=np.float32) * rng.uniform(-0.8, 0.8)
    light = light[:, None] if rng.random() < 0.5 else light[None, :]
    return np.asarray((first + pattern[..., None] * second) * light[..., None], np.float32)


def random_shape(rng: np.random.Generator) -> Mask:
    """A closed curve whose radius is a short random Fourier series of the angle, somewhere in the picture."""
    angle = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    radius = np.ones_like(angle)
    for frequency in range(2, 7):
        radius += rng.normal(0, 0.3 / frequency) * np.cos(frequency * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.3, None) * rng.uniform(14, 60)
    x = rng.uniform(20, SIDE - 20) + radius * np.cos(angle) * rng.uniform(0.6, 1.4)
    y = rng.uniform(20, SIDE - 20) + radius * np.sin(angle)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.stack([x, y], axis=1).round().astype(np.int32)], 1)
    return mask.view(np.bool_)
