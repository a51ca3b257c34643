"""A training image being painted: pixels and, under them, what belongs to what on three levels.

Level 0 holds parts, level 1 whole objects, level 2 groups (an object with what is attached to it).
Within a level regions do not overlap; 0 means nothing named here, ``NOTHING`` on level 1 means that a click
here hits no object at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 288  # of a stored training image [px]; training crops it down
LEVELS = 3
NOTHING = 255
PART, WHOLE, GROUP = range(LEVELS)

Rgb = NDArray[np.uint8]  # (H, W, 3)
Alpha = NDArray[np.float32]  # (H, W) in [0, 1]


@dataclass(frozen=True)
class Patch:
    """Something to paint: colour, coverage, and optionally the part of it that has a name of its own."""

    rgb: Rgb
    alpha: Alpha
    part: NDArray[np.bool_] | None = None  # (H, W)


class Scene:
    """Pixels (SIDE, SIDE, 3) and labels (SIDE, SIDE, 3), both uint8; later objects cover earlier ones."""

    def __init__(self, background: Rgb, *, empty: bool) -> None:
        self.pixels = background.astype(np.float32)
        self.labels = np.zeros((SIDE, SIDE, LEVELS), np.uint8)
        if empty:
            self.labels[..., WHOLE] = NOTHING
        self._next_label = 1

    def new_label(self) -> int:
        """A label not used before; at most 250 per scene."""
        self._next_label += 1
        return min(self._next_label - 1, NOTHING - 5)

    def paint(self, patch: Patch, left: int, top: int, *, group: int = 0, whole: int | None = None) -> int:
        """Paint a patch with its top-left corner at (left, top), which may lie outside; return its label."""
        label = self.new_label() if whole is None else whole
        rows, columns, inner = _overlap(patch.alpha.shape, left, top)
        if inner is None:
            return label
        alpha = patch.alpha[inner]
        area = self.pixels[rows, columns]
        area += alpha[..., None] * (patch.rgb[inner] - area)
        covered = alpha > 0.5
        labels = self.labels[rows, columns]
        labels[covered] = (0, label, group)
        if patch.part is not None:
            labels[covered & patch.part[inner], PART] = self.new_label()
        return label

    def shade(self, alpha: Alpha, left: int, top: int, *, strength: float) -> None:
        """Darken the scene under a mask, as a shadow does; labels stay."""
        rows, columns, inner = _overlap(alpha.shape, left, top)
        if inner is not None:
            self.pixels[rows, columns] *= 1 - strength * alpha[inner][..., None]

    def mean_colour(self, left: int, top: int, height: int, width: int) -> NDArray[np.float32] | None:
        """Mean RGB of a window, (3,), or None where it lies outside."""
        rows, columns, inner = _overlap((height, width), left, top)
        return None if inner is None else self.pixels[rows, columns].mean(axis=(0, 1))

    def finish(self, rng: np.random.Generator) -> tuple[Rgb, NDArray[np.uint8]]:
        """The scene as a camera would give it (light, blur, noise, JPEG), and its cleaned labels."""
        return _photograph(self.pixels, rng), clean_labels(self.labels, rng)


def clean_labels(labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Drop slivers; keep only the largest piece of three in four regions, all pieces of the rest.

    Args:
        labels: (H, W, levels) uint8.

    Returns:
        The same shape; what was dropped is 0.
    """
    cleaned = np.zeros_like(labels)
    for level in range(labels.shape[2]):
        for label in np.unique(labels[..., level]):
            if label == 0:
                continue
            region = np.ascontiguousarray(labels[..., level] == label, dtype=np.uint8)
            if label == NOTHING:
                cleaned[region > 0, level] = NOTHING
                continue
            _, pieces, stats, _ = cv2.connectedComponentsWithStats(region, connectivity=4)
            areas = stats[1:, cv2.CC_STAT_AREA]
            smallest_kept = areas.max() if rng.random() < 0.75 else max(16, areas.max() // 20)
            kept = np.concatenate([[False], areas >= max(smallest_kept, 40)])
            cleaned[kept[pieces], level] = label
    return cleaned


def _overlap(shape: tuple[int, ...], left: int, top: int) -> tuple[slice, slice, tuple[slice, slice] | None]:
    """Where a patch meets the scene: rows and columns of the scene, and the same window inside the patch."""
    y0, y1 = max(top, 0), min(top + shape[0], SIDE)
    x0, x1 = max(left, 0), min(left + shape[1], SIDE)
    if y0 >= y1 or x0 >= x1:
        return slice(0), slice(0), None
    return slice(y0, y1), slice(x0, x1), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _photograph(pixels: NDArray[np.float32], rng: np.random.Generator) -> Rgb:
    if rng.random() < 0.3:  # light falls off to one side
        slope = np.linspace(-1, 1, SIDE, dtype=np.float32) * rng.uniform(-0.3, 0.3)
        pixels = pixels * (1 + slope[:, None, None] if rng.random() < 0.5 else 1 + slope[None, :, None])
    if rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.3, 1.3)))
    if rng.random() < 0.4:
        pixels = pixels + rng.normal(0, rng.uniform(1, 8), pixels.shape).astype(np.float32)
    image = np.clip(pixels, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(35, 92))
        _, code = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.ascontiguousarray(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
    return image
