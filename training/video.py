"""Clips: a few frames of objects that move over a moving background, with what is seen of each on every frame.

The background is a pool image under a moving camera, and its labelled regions are objects too. Over it move
cut-outs and regions cut out of other photos: they turn, grow, bend, change their light and cover one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from training.composites import random_object
from training.material import Material
from training.scene import LEVELS, NOTHING, Alpha, Patch, Rgb

SIDE = 256  # of a clip [px]
FRAMES = 6
OBJECTS = 8  # a bit each
POOL_MIX: Mapping[str, float] = {"pseudo": 0.6, "composite": 0.25, "leaves": 0.15}  # of the backgrounds
AREA_SHARE = (0.004, 0.5)  # of the picture, for a region to be an object
CENTRE = np.array([SIDE / 2, SIDE / 2])

Pool = Mapping[str, Sequence[NDArray[np.uint8]]]  # shards by kind
Places = NDArray[np.float32]  # (SIDE, SIDE, 2) where each pixel comes from, (x, y) [px]


class Clip(NamedTuple):
    """Frames and objects."""

    pixels: NDArray[np.uint8]  # (FRAMES, SIDE, SIDE, 3) RGB
    objects: NDArray[np.uint8]  # (FRAMES, SIDE, SIDE), bit n set where object n is seen


@dataclass(frozen=True)
class Motion:
    """How a thing moves: everything per frame, smooth, around its own centre."""

    start: NDArray[np.float64]  # (2,) centre on the first frame [px]
    velocity: NDArray[np.float64]  # (2,) [px]
    acceleration: NDArray[np.float64]  # (2,) [px]
    growth: float  # of the logarithm of the size
    stretch: float  # of the logarithm of the width, and less the height
    spin: float  # [rad]
    bend: NDArray[np.float64]  # (4, 4, 2) offsets of a coarse grid [shares of the size] at the height of a swing
    pace: float  # of the swing [rad]
    phase: float

    def centre(self, frame: int) -> NDArray[np.float64]:
        """(2,) [px]."""
        return np.asarray(self.start + self.velocity * frame + self.acceleration * frame**2 / 2)

    def places(self, frame: int, size: tuple[int, int]) -> Places:
        """Where in a picture of this size (width, height) each pixel of a frame comes from."""
        scale = np.exp(-frame * np.array([self.growth + self.stretch, self.growth - self.stretch]))
        cos, sin = np.cos(-self.spin * frame), np.sin(-self.spin * frame)
        matrix = np.array([[cos, -sin], [sin, cos]]) * scale[:, None]  # from frame to picture
        y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5
        dx, dy = x - self.centre(frame)[0], y - self.centre(frame)[1]
        picture = np.stack([matrix[0, 0] * dx + matrix[0, 1] * dy, matrix[1, 0] * dx + matrix[1, 1] * dy], axis=-1)
        return (picture + self._bent(frame, size, picture) + np.array(size) / 2 - 0.5).astype(np.float32)

    def _bent(self, frame: int, size: tuple[int, int], picture: NDArray[np.float64]) -> NDArray[np.float64]:
        """Offsets of a smooth swing [px], (SIDE, SIDE, 2); none on the first frame."""
        if not self.bend.any():
            return np.zeros_like(picture)
        swing = np.sin(self.phase + self.pace * frame) - np.sin(self.phase)
        grid = (picture / np.array(size) + 0.5) * 3  # in the coarse grid's own units
        coarse = (self.bend * swing * np.array(size)).astype(np.float32)
        x, y = (np.clip(grid[..., axis], 0, 3).astype(np.float32) for axis in (0, 1))
        return np.asarray(cv2.remap(coarse, x, y, cv2.INTER_LINEAR), np.float64)


@dataclass(frozen=True)
class Layer:
    """A thing with its way of moving."""

    rgba: NDArray[np.uint8]  # (h, w, 4)
    motion: Motion
    fade: float  # change of brightness per frame, of the whole

    def at(self, frame: int) -> tuple[NDArray[np.float32], Alpha]:
        """Colour (SIDE, SIDE, 3) and coverage (SIDE, SIDE) on a frame."""
        size = (self.rgba.shape[1], self.rgba.shape[0])
        seen = cv2.remap(self.rgba, self.motion.places(frame, size), None, cv2.INTER_LINEAR)
        colour = np.asarray(seen[..., :3], np.float32) * (1 + self.fade * frame)
        return colour, np.asarray(seen[..., 3] / 255, np.float32)


def make_clip(material: Material, pool: Pool, rng: np.random.Generator) -> Clip:
    """Draw a clip; it has at least one object as a rule, but may have none."""
    background = _background(pool, rng)
    camera = _camera(rng)
    layers = _layers(material, pool, rng)
    regions = _regions(background[..., 3:], OBJECTS - len(layers), rng)
    drift = rng.normal(0, 0.02)
    finish = _Finish.draw(rng)
    frames = [_frame(background, camera, layers, regions, frame) for frame in range(FRAMES)]
    pixels = [finish.photograph(image * (1 + drift * number), rng) for number, (image, _) in enumerate(frames)]
    return Clip(np.stack(pixels), np.stack([objects for _, objects in frames]))


def _frame(
    background: NDArray[np.uint8],
    camera: Motion,
    layers: Sequence[Layer],
    regions: Sequence[tuple[int, int]],
    frame: int,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Paint one frame: the picture, and the bits of what is seen."""
    places = camera.places(frame, (background.shape[1], background.shape[0]))
    picture = cv2.remap(background[..., :3], places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    image = np.asarray(picture, np.float32)
    labels = cv2.remap(background[..., 3:], places, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    objects = np.zeros((SIDE, SIDE), np.uint8)
    for index, (level, label) in enumerate(regions):
        objects |= (labels[..., level] == label).astype(np.uint8) << (len(layers) + index)
    for index, layer in enumerate(layers):
        colour, alpha = layer.at(frame)
        image += alpha[..., None] * (colour - image)
        covered = alpha > 0.5
        objects[covered] = 1 << index
    return image, objects


def _background(pool: Pool, rng: np.random.Generator) -> NDArray[np.uint8]:
    kinds = [kind for kind in POOL_MIX if pool.get(kind)]
    weights = np.array([POOL_MIX[kind] for kind in kinds])
    return _pool_image(pool[str(rng.choice(kinds, p=weights / weights.sum()))], rng)


def _pool_image(shards: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> NDArray[np.uint8]:
    shard = shards[int(rng.integers(len(shards)))]
    return np.array(shard[int(rng.integers(len(shard)))])


def _speed(rng: np.random.Generator, slowest: float, fastest: float) -> NDArray[np.float64]:
    """A velocity in any direction, its logarithm spread evenly [px per frame]."""
    angle = rng.uniform(0, 2 * np.pi)
    length = np.exp(rng.uniform(np.log(slowest), np.log(fastest)))
    return np.array([length * np.cos(angle), length * np.sin(angle)])


def _camera(rng: np.random.Generator) -> Motion:
    still = rng.random() < 0.2
    return Motion(
        start=CENTRE + rng.uniform(-10, 10, 2),
        velocity=np.zeros(2) if still else _speed(rng, 0.3, 10),
        acceleration=rng.normal(0, 0.0 if still else 0.4, 2),
        growth=0.0 if still else rng.normal(0, 0.015),
        stretch=0.0,
        spin=0.0 if still else rng.normal(0, 0.015),
        bend=np.zeros((4, 4, 2)) if rng.random() < 0.5 else rng.normal(0, 0.02, (4, 4, 2)),
        pace=rng.uniform(0.2, 0.8),
        phase=rng.uniform(0, 2 * np.pi),
    )


def _layers(material: Material, pool: Pool, rng: np.random.Generator) -> list[Layer]:
    """One to four things; one time in four the last two are of the same kind."""
    count = int(rng.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.25, 0.1]))
    layers: list[Layer] = []
    for index in range(count):
        patch = _thing(material, pool, rng)
        rgba = np.dstack([patch.rgb, (255 * patch.alpha).astype(np.uint8)])
        if index > 0 and index == count - 1 and rng.random() < 0.25:
            rgba = layers[-1].rgba
        layers.append(Layer(rgba, _thing_motion(rng), fade=rng.normal(0, 0.02)))
    return layers


def _thing(material: Material, pool: Pool, rng: np.random.Generator) -> Patch:
    """A cut-out, or a region of a photo."""
    side = int(SIDE * np.exp(rng.uniform(np.log(0.15), np.log(0.7))))
    if rng.random() < 0.4:
        found = _photo_region(pool, side, rng)
        if found is not None:
            return found
    return random_object(material, side, rng)


def _photo_region(pool: Pool, side: int, rng: np.random.Generator) -> Patch | None:
    image = _pool_image(pool["pseudo"], rng)
    regions = _regions(image[..., 3:], 1, rng)
    if not regions:
        return None
    level, label = regions[0]
    inside = image[..., 3 + level] == label
    rows, columns = inside.any(axis=1).nonzero()[0], inside.any(axis=0).nonzero()[0]
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    height, width = inside[window].shape
    scale = side / max(height, width)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    rgb: Rgb = np.asarray(cv2.resize(np.ascontiguousarray(image[..., :3][window]), size), np.uint8)
    alpha = np.asarray(cv2.resize(inside[window].astype(np.float32), size), np.float32)
    return Patch(rgb, alpha)


def _thing_motion(rng: np.random.Generator) -> Motion:
    rigid = rng.random() < 0.4
    return Motion(
        start=rng.uniform(0.15, 0.85, 2) * SIDE,
        velocity=_speed(rng, 0.3, 18),
        acceleration=rng.normal(0, 0.8, 2),
        growth=rng.normal(0, 0.03),
        stretch=0.0 if rigid else rng.normal(0, 0.02),
        spin=rng.normal(0, 0.06),
        bend=np.zeros((4, 4, 2)) if rigid else rng.normal(0, 0.06, (4, 4, 2)),
        pace=rng.uniform(0.2, 0.9),
        phase=rng.uniform(0, 2 * np.pi),
    )


def _regions(labels: NDArray[np.uint8], most: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Some (level, label) of regions (H, W, LEVELS) of a size to be objects."""
    found = []
    for level in range(LEVELS):
        names, areas = np.unique(labels[::2, ::2, level], return_counts=True)
        shares = 4 * areas / labels[..., level].size
        kept = (names != 0) & (names != NOTHING) & (shares > AREA_SHARE[0]) & (shares < AREA_SHARE[1])
        found += [(level, int(name)) for name in names[kept]]
    chosen = rng.permutation(len(found))[: min(most, 4)]
    return [found[index] for index in chosen]


@dataclass(frozen=True)
class _Finish:
    """What the camera does to all frames of a clip alike."""

    blur: float  # [px]
    noise: float
    quality: int | None  # of JPEG

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Finish:
        return cls(
            blur=float(rng.uniform(0.3, 1.2)) if rng.random() < 0.4 else 0.0,
            noise=float(rng.uniform(1, 6)) if rng.random() < 0.4 else 0.0,
            quality=int(rng.integers(40, 92)) if rng.random() < 0.5 else None,
        )

    def photograph(self, image: NDArray[np.float32], rng: np.random.Generator) -> Rgb:
        if self.blur:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur), np.float32)
        if self.noise:
            image = image + rng.normal(0, self.noise, image.shape).astype(np.float32)
        picture: Rgb = np.clip(image, 0, 255).astype(np.uint8)
        if self.quality is None:
            return picture
        _, code = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        return np.ascontiguousarray(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
