"""Random shapes and the surfaces that fill them: the raw stuff of composites and dead leaves."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.material import Material, Rgb, draw_photo, draw_texture, read_rgb

Mask = NDArray[np.uint8]  # (H, W), 0 or 255


def crop_of(picture: Rgb, height: int, width: int, rng: np.random.Generator, *, zoom: tuple[float, float]) -> Rgb:
    """Cut a random window of the wanted shape and scale it to (height, width).

    Args:
        zoom: Range of the window's size relative to the largest window of that shape that fits.
    """
    largest = min(picture.shape[0] / height, picture.shape[1] / width)
    scale = largest * rng.uniform(*zoom)
    window_h, window_w = max(2, int(height * scale)), max(2, int(width * scale))
    top = int(rng.integers(max(1, picture.shape[0] - window_h + 1)))
    left = int(rng.integers(max(1, picture.shape[1] - window_w + 1)))
    window = picture[top : top + window_h, left : left + window_w]
    if rng.random() < 0.5:
        window = window[:, ::-1]
    interpolation = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(window), (width, height), interpolation=interpolation), np.uint8)


def random_surface(material: Material, height: int, width: int, rng: np.random.Generator) -> Rgb:
    """A (height, width, 3) surface: a small piece of a photo, a texture, or a plain or shaded colour."""
    kind = rng.random()
    if kind < 0.55:
        return recolour(crop_of(read_rgb(draw_photo(material, rng)), height, width, rng, zoom=(0.08, 0.5)), rng)
    if kind < 0.8:
        return recolour(crop_of(read_rgb(draw_texture(material, rng)), height, width, rng, zoom=(0.2, 1.0)), rng)
    return shaded_colour(height, width, rng)


def shaded_colour(height: int, width: int, rng: np.random.Generator) -> Rgb:
    """A gradient between two colours, often near each other."""
    first = rng.uniform(0, 255, 3)
    second = np.clip(first + rng.normal(0, 35, 3), 0, 255)
    along = np.linspace(0, 1, height if rng.random() < 0.5 else width)
    ramp = along[:, None, None] if len(along) == height else along[None, :, None]
    return np.broadcast_to(first + ramp * (second - first), (height, width, 3)).astype(np.uint8)


def recolour(picture: Rgb, rng: np.random.Generator, *, strength: float = 1.0) -> Rgb:
    """Change brightness, contrast and the balance of colours at random."""
    if rng.random() < 0.3:
        return picture
    gain = (1 + rng.normal(0, 0.12, 3) * strength) * rng.uniform(1 - 0.35 * strength, 1 + 0.35 * strength)
    mean = picture.mean(axis=(0, 1))
    shifted = (picture - mean) * gain + mean + rng.normal(0, 14 * strength, 3) + rng.normal(0, 14 * strength)
    return np.asarray(np.clip(shifted, 0, 255), np.uint8)


def random_alpha(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Coverage of a random shape, (height, width), 0 or 1."""
    return (random_shape(height, width, rng) > 0).astype(np.float32)


def random_shape(height: int, width: int, rng: np.random.Generator) -> Mask:
    """A filled random shape that about fills (height, width)."""
    makers: list[Callable[[int, int, np.random.Generator], Mask]] = [_blob, _polygon, _rectangle, _ellipse, _curve]
    return makers[int(rng.choice(5, p=[0.4, 0.2, 0.15, 0.1, 0.15]))](height, width, rng)


def _blob(height: int, width: int, rng: np.random.Generator) -> Mask:
    """A closed curve whose radius is a short random Fourier series of the angle."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    for frequency in range(1, 8):
        radius += rng.normal(0, 0.38 / frequency) * np.cos(frequency * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.15, None)
    return _fill(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), height, width)


def _polygon(height: int, width: int, rng: np.random.Generator) -> Mask:
    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
    radius = rng.uniform(0.45, 1, len(angle))
    return _fill(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), height, width)


def _rectangle(height: int, width: int, rng: np.random.Generator) -> Mask:
    turn = rng.normal(0, 0.25)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(0.4, 1, 2)
    return _fill(corners @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]), height, width)


def _ellipse(height: int, width: int, rng: np.random.Generator) -> Mask:
    mask = np.zeros((height, width), np.uint8)
    axes = (max(1, int(width * rng.uniform(0.3, 0.5))), max(1, int(height * rng.uniform(0.3, 0.5))))
    return np.asarray(cv2.ellipse(mask, (width // 2, height // 2), axes, rng.uniform(-30, 30), 0, 360, 255, -1))


def _curve(height: int, width: int, rng: np.random.Generator) -> Mask:
    """A thin bent line: cables, stems, poles, handles."""
    knots = rng.uniform(0.05, 0.95, (4, 2)) * (width, height)
    t = np.linspace(0, 1, 40)[:, None]
    bezier = (1 - t) ** 3 * knots[0] + 3 * t * (1 - t) ** 2 * knots[1] + 3 * t**2 * (1 - t) * knots[2] + t**3 * knots[3]
    thickness = max(2, int(max(height, width) * rng.uniform(0.02, 0.1)))
    mask = np.zeros((height, width), np.uint8)
    return np.asarray(cv2.polylines(mask, [bezier.astype(np.int32)], isClosed=False, color=255, thickness=thickness))


def _fill(points: NDArray[np.float64], height: int, width: int) -> Mask:
    """Scale a closed outline to the window and fill it."""
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-6) * (width - 1, height - 1)
    mask = np.zeros((height, width), np.uint8)
    return np.asarray(cv2.fillPoly(mask, [scaled.round().astype(np.int32)], 255))
