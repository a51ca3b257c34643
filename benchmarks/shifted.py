"""Pictures unlike any a model was trained on, with known masks: cells under a microscope, and printed parts on a belt.

Both are drawn from a seed. What is one object is a convention of the project that a click alone does not tell: a cell
is its whole body, not the nucleus that catches the eye; a part goes with its print, without its holes.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 384, 512

Mask = NDArray[np.bool_]  # (H, W)
Canvas = NDArray[np.float32]  # (H, W, 3)


class Shifted(NamedTuple):
    """A picture and all its objects."""

    pixels: NDArray[np.uint8]
    masks: tuple[Mask, ...]


def draw_cells(number: int) -> Shifted:
    """Stained cells, some touching: a faint body with a grainy rim, and a dark nucleus off its middle."""
    rng = np.random.default_rng([1, number])
    canvas = np.full((HEIGHT, WIDTH, 3), rng.uniform((205, 190, 205), (235, 225, 235)), np.float32)
    canvas += _clouds(rng, 8)[..., None] * 14
    masks: list[Mask] = []
    taken = np.zeros((HEIGHT, WIDTH), np.bool_)
    for _ in range(40):
        body, place, radius = _blob(rng, rng.uniform(22, 46), 0.12)
        if len(masks) == 9:
            break
        if (body & taken).sum() > 0.06 * body.sum() or body.sum() < 900:
            continue
        body &= ~taken
        taken |= body
        stain = rng.uniform(14, 34)
        inside = cv2.GaussianBlur(body.astype(np.float32), (0, 0), 2.0)
        canvas -= inside[..., None] * (np.array([0.5, 1.0, 0.45], np.float32) * stain + _clouds(rng, 48)[..., None] * 9)
        nucleus, _, _ = _blob(rng, radius * rng.uniform(0.35, 0.5), 0.15, place + rng.normal(0, 0.18 * radius, 2))
        dark = cv2.GaussianBlur((nucleus & body).astype(np.float32), (0, 0), 1.5)
        canvas -= dark[..., None] * (np.array([0.75, 1.0, 0.4], np.float32) * 90)
        masks.append(body)
    for _ in range(60):  # granules
        x, y = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))
        cv2.circle(canvas, (x, y), int(rng.integers(1, 4)), tuple(rng.uniform(120, 190, 3)), -1, cv2.LINE_AA)
    return _finish(canvas, masks, rng, blur=1.4, noise=5)


def draw_parts(number: int) -> Shifted:
    """Flat grey parts with holes and bold print on a ribbed belt of about their own grey, under slanting light."""
    rng = np.random.default_rng([2, number])
    across = np.arange(WIDTH, dtype=np.float32)
    ribs = np.sin(across * rng.uniform(0.25, 0.5)) * 9
    canvas = np.repeat((rng.uniform(95, 150) + ribs)[None, :, None], HEIGHT, 0) + np.zeros((1, 1, 3), np.float32)
    canvas += _clouds(rng, 6)[..., None] * 10
    masks: list[Mask] = []
    taken = np.zeros((HEIGHT, WIDTH), np.bool_)
    for _ in range(40):
        if len(masks) == 7:
            break
        whole, place, radius = _polygon(rng)
        holes = np.zeros_like(whole)
        for _ in range(int(rng.integers(1, 4))):
            hole, _, _ = _blob(rng, radius * rng.uniform(0.12, 0.22), 0.02, place + rng.normal(0, 0.33 * radius, 2))
            holes |= hole
        part = whole & ~holes
        if (whole & taken).any() or part.sum() < 1200:
            continue
        taken |= cv2.dilate(whole.astype(np.uint8), np.ones((5, 5))).astype(bool)
        shadow = cv2.GaussianBlur(np.roll(part, (4, 5), (0, 1)).astype(np.float32), (0, 0), 2.5)
        canvas *= 1 - 0.35 * shadow[..., None]
        grey = float(canvas[part].mean()) + rng.choice([-1, 1]) * rng.uniform(10, 28)
        surface = grey + _clouds(rng, 32)[..., None] * 6 + np.zeros((1, 1, 3), np.float32)
        _print(surface, place, radius, rng)
        canvas = np.where(part[..., None], surface, canvas)
        masks.append(part)
    light = 1 + np.linspace(-0.3, 0.3, HEIGHT, dtype=np.float32)[:, None, None] * rng.uniform(-1, 1)
    return _finish(canvas * light, masks, rng, blur=0.8, noise=4)


def _print(surface: Canvas, place: NDArray[np.float64], radius: float, rng: np.random.Generator) -> None:
    """A bold stripe and a number, in a colour that has nothing to do with the part."""
    colour = tuple(float(value) for value in rng.uniform(20, 230, 3))
    turn = rng.uniform(0, np.pi)
    step = np.array([np.cos(turn), np.sin(turn)]) * 2 * radius
    ends = [tuple(int(v) for v in place + sign * step) for sign in (-1, 1)]
    cv2.line(surface, ends[0], ends[1], colour, max(4, int(radius * 0.3)), cv2.LINE_AA)
    corner = (int(place[0] - radius * 0.5), int(place[1] + radius * 0.4))
    cv2.putText(surface, str(rng.integers(10, 99)), corner, cv2.FONT_HERSHEY_DUPLEX, radius / 40, (25, 25, 25), 2)


def _blob(
    rng: np.random.Generator, radius: float, roughness: float, place: NDArray[np.float64] | None = None
) -> tuple[Mask, NDArray[np.float64], float]:
    place = rng.uniform((radius, radius), (WIDTH - radius, HEIGHT - radius)) if place is None else place
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    around = np.ones_like(angle)
    for frequency in range(2, 6):
        around += rng.normal(0, roughness / (frequency - 1)) * np.cos(frequency * angle + rng.uniform(0, 2 * np.pi))
    outline = place + radius * around[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _filled(outline), place, radius


def _polygon(rng: np.random.Generator) -> tuple[Mask, NDArray[np.float64], float]:
    radius = rng.uniform(32, 58)
    place = rng.uniform((radius, radius), (WIDTH - radius, HEIGHT - radius))
    angle = np.sort(np.linspace(0, 2 * np.pi, int(rng.integers(4, 8)), endpoint=False) + rng.uniform(0, 0.5))
    outline = place + radius * rng.uniform(0.75, 1.05, (len(angle), 1)) * np.stack([np.cos(angle), np.sin(angle)], 1)
    return _filled(outline), place, radius


def _filled(outline: NDArray[np.float64]) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [outline.round().astype(np.int32)], 1)
    return mask.view(np.bool_)


def _clouds(rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _finish(canvas: Canvas, masks: list[Mask], rng: np.random.Generator, *, blur: float, noise: float) -> Shifted:
    blurred = cv2.GaussianBlur(canvas, (0, 0), blur) + rng.normal(0, noise, canvas.shape)
    return Shifted(np.clip(blurred, 0, 255).astype(np.uint8), tuple(masks))
