"""Drawn pictures with many objects of a few kinds and their masks, made from a seed: parts, cells and shelves.

Nothing of them is in any training set, and they may be shipped: whoever has the seed has the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = (480, 640)  # height and width [px]
FINER = 3  # drawn so much larger, then scaled down: edges like a photo's
TRIES = 60  # to place an object beside the others

Rgb = NDArray[np.uint8]  # (H, W, 3)
Mask = NDArray[np.bool_]  # (H, W)
Stencil = tuple[Rgb, Mask]  # an object alone, on a square
Draw = Callable[["Looks", np.random.Generator], Stencil]


@dataclass(frozen=True)
class Looks:
    """What the objects of one kind have in common."""

    draw: Draw
    colour: tuple[int, int, int]
    accent: tuple[int, int, int]
    side: int  # of the square an object fits into [px]
    shape: float  # what else tells kinds of one draw apart, in [0, 1]


@dataclass(frozen=True, eq=False)
class DrawnPicture:
    """A picture with the masks of the objects of one kind, and those of the others."""

    pixels: Rgb
    kind: tuple[Mask, ...]
    others: tuple[Mask, ...]


def draw_pictures(seed: int, count: int, *, same_looks: bool = False) -> list[DrawnPicture]:
    """Draw pictures.

    Args:
        seed: Equal seeds give equal pictures.
        count: How many.
        same_looks: Whether all show the same kinds of objects, as the pictures of one project do.
    """
    rng = np.random.default_rng(seed)
    scene = _scene(rng)
    pictures = []
    for _ in range(count):
        if not same_looks:
            scene = _scene(rng)
        pictures.append(_draw_picture(*scene, rng))
    return pictures


def _scene(rng: np.random.Generator) -> tuple[list[Looks], int]:
    """Three kinds that go together and what lies under them; the first is the one that is looked for."""
    family = _FAMILIES[int(rng.integers(len(_FAMILIES)))]
    draws = [family[int(index)] for index in rng.permutation(len(family))[:3]]
    return [_looks(draw, rng) for draw in draws], int(rng.integers(2**31))


def _looks(draw: Draw, rng: np.random.Generator) -> Looks:
    colour, accent = (tuple(int(value) for value in rng.integers(40, 225, 3)) for _ in range(2))
    return Looks(draw, colour, accent, int(rng.integers(44, 92)), float(rng.random()))  # type: ignore[arg-type]


def _draw_picture(kinds: Sequence[Looks], ground: int, rng: np.random.Generator) -> DrawnPicture:
    pixels = _ground(np.random.default_rng(ground), rng)
    taken = np.zeros(SIDE, np.bool_)
    masks: list[list[Mask]] = [[], []]
    for number, looks in enumerate(kinds):
        for _ in range(int(rng.integers(6, 13)) if number == 0 else int(rng.integers(3, 7))):
            placed = _place(pixels, taken, *_varied(looks, rng), rng)
            if placed is not None:
                masks[min(number, 1)].append(placed)
    light = np.linspace(rng.uniform(0.8, 1.0), rng.uniform(0.8, 1.0), SIDE[1])[None, :, None]
    noisy = cv2.GaussianBlur(pixels.astype(np.float64) * light, (3, 3), 0.6) + rng.normal(0, 4, (*SIDE, 3))
    return DrawnPicture(noisy.clip(0, 255).astype(np.uint8), tuple(masks[0]), tuple(masks[1]))


def _varied(looks: Looks, rng: np.random.Generator) -> Stencil:
    """One object of a kind: turned, a little larger or smaller, a little lighter or darker."""
    pixels, mask = looks.draw(looks, rng)
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(0, 360), rng.uniform(0.85, 1.0))
    pixels = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpAffine(mask.astype(np.uint8), turn, (width, height), flags=cv2.INTER_NEAREST) > 0
    return (pixels * rng.uniform(0.85, 1.1)).clip(0, 255).astype(np.uint8), mask


def _place(pixels: Rgb, taken: Mask, stencil: Rgb, mask: Mask, rng: np.random.Generator) -> Mask | None:
    """Put an object where it touches no other, with a shadow; None where there is no room."""
    side = mask.shape[0] // FINER
    small = np.asarray(cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA))
    over = np.asarray(cv2.resize(stencil, (side, side), interpolation=cv2.INTER_AREA))
    for _ in range(TRIES):
        top, left = (int(rng.integers(0, length - side)) for length in SIDE)
        place = slice(top, top + side), slice(left, left + side)
        if (taken[place] & (small > 0)).any():
            continue
        shadow = cv2.GaussianBlur(small, (0, 0), 2.5)[..., None]
        ground = pixels[place] * (1 - 0.35 * shadow)
        pixels[place] = (ground * (1 - small[..., None]) + over * small[..., None]).astype(np.uint8)
        whole = np.zeros(SIDE, np.bool_)
        whole[place] = small >= 0.5
        taken |= whole
        return whole
    return None


def _ground(fixed: np.random.Generator, rng: np.random.Generator) -> Rgb:
    """A surface with a colour, a grain and cloudy patches."""
    colour = fixed.uniform(60, 200, 3)
    stretch, depth = fixed.integers(1, 12), fixed.uniform(4, 18)
    grain = cv2.resize(rng.normal(0, 1, (SIDE[0], SIDE[1] // int(stretch) + 1)), SIDE[::-1])
    clouds = cv2.resize(rng.normal(0, 1, (5, 6)), SIDE[::-1], interpolation=cv2.INTER_CUBIC)
    surface = colour + depth * (grain + 0.8 * clouds)[..., None] * fixed.uniform(0.7, 1.0, 3)
    return np.asarray(surface.clip(0, 255), np.uint8)


def _canvas(looks: Looks) -> tuple[Rgb, Rgb, int]:
    """Pixels, mask and side of a square to draw on."""
    side = FINER * looks.side
    return np.full((side, side, 3), looks.colour, np.uint8), np.zeros((side, side), np.uint8), side


def _shine(pixels: Rgb) -> Rgb:
    """Light from one side, as on something round."""
    side = len(pixels)
    slope = np.linspace(1.25, 0.7, side)
    return np.asarray((pixels * np.sqrt(slope[:, None] * slope[None])[..., None]).clip(0, 255), np.uint8)


def _washer(looks: Looks, _: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    middle = (side // 2, side // 2)
    cv2.circle(mask, middle, side * 44 // 100, 1, -1)
    cv2.circle(mask, middle, int(side * (0.12 + 0.14 * looks.shape)), 0, -1)
    cv2.circle(pixels, middle, side * 40 // 100, looks.accent, side // 40)
    return _shine(pixels), mask > 0


def _nut(looks: Looks, _: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    corners = 4 + 2 * int(looks.shape * 3)
    angles = 2 * np.pi * np.arange(corners) / corners
    ring = (side / 2 + 0.44 * side * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.int32)
    cv2.fillPoly(mask, [ring], 1)
    cv2.circle(pixels, (side // 2, side // 2), side * 17 // 100, looks.accent, -1)
    return _shine(pixels), mask > 0


def _screw(looks: Looks, _: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    half = int(side * (0.05 + 0.05 * looks.shape))
    cv2.rectangle(mask, (side // 5, side // 2 - half), (side * 95 // 100, side // 2 + half), 1, -1)
    cv2.rectangle(mask, (side * 5 // 100, side * 32 // 100), (side // 5, side * 68 // 100), 1, -1)
    for x in range(side // 4, side, side // 18):
        cv2.line(pixels, (x, 0), (x + side // 30, side), looks.accent, side // 60)
    return _shine(pixels), mask > 0


def _cell(looks: Looks, rng: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    middle = (side // 2, side // 2)
    longer = int(side * (0.36 + 0.1 * rng.random()))
    cv2.ellipse(mask, middle, (longer, int(longer * (0.95 - 0.35 * looks.shape))), 0, 0, 360, 1, -1)
    away = tuple(int(side / 2 + rng.normal() * side / 20) for _ in range(2))
    cv2.circle(pixels, away, int(side * (0.08 + 0.08 * looks.shape)), looks.accent, -1)
    speckle = rng.normal(0, 10, (side // 4 + 1, side // 4 + 1, 1))
    rough = pixels + cv2.resize(speckle, (side, side))[..., None]
    return rough.clip(0, 255).astype(np.uint8), mask > 0


def _rod(looks: Looks, rng: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    half = int(side * (0.1 + 0.08 * looks.shape))
    ends = (
        (side // 2 - side * 3 // 10, side // 2),
        (side // 2 + side * 3 // 10, side // 2 + int(rng.normal() * half / 3)),
    )
    cv2.line(mask, *ends, 1, 2 * half)
    cv2.line(pixels, *ends, looks.accent, half)
    return _shine(pixels), mask > 0


def _star(looks: Looks, rng: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    arms = 5 + int(looks.shape * 4)
    angles = np.pi * np.arange(2 * arms) / arms
    radius = side * np.where(np.arange(2 * arms) % 2, 0.26, 0.46) * rng.uniform(0.93, 1.07, 2 * arms)
    ring = (side / 2 + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.int32)
    cv2.fillPoly(mask, [ring], 1)
    cv2.circle(pixels, (side // 2, side // 2), side * 12 // 100, looks.accent, -1)
    return pixels, mask > 0


def _pack(looks: Looks, _: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    narrow = int(side * (0.12 + 0.18 * looks.shape))
    cv2.rectangle(mask, (narrow, side * 8 // 100), (side - narrow, side * 92 // 100), 1, -1)
    cv2.rectangle(pixels, (0, side // 3), (side, side // 2), looks.accent, -1)
    for row in range(3):
        y = side * (60 + 8 * row) // 100
        cv2.line(pixels, (narrow + side // 20, y), (side * 7 // 10, y), (240, 240, 240), side // 50)
    return pixels, mask > 0


def _bottle(looks: Looks, _: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    half = int(side * (0.14 + 0.08 * looks.shape))
    cv2.rectangle(mask, (side // 2 - half, side * 35 // 100), (side // 2 + half, side * 95 // 100), 1, -1)
    cv2.rectangle(mask, (side // 2 - half // 2, side * 5 // 100), (side // 2 + half // 2, side * 38 // 100), 1, -1)
    cv2.rectangle(pixels, (0, side * 5 // 100), (side, side * 14 // 100), (235, 235, 235), -1)
    cv2.rectangle(pixels, (0, side * 55 // 100), (side, side * 80 // 100), looks.accent, -1)
    return _shine(pixels), mask > 0


def _can(looks: Looks, _: np.random.Generator) -> Stencil:
    pixels, mask, side = _canvas(looks)
    half = int(side * (0.22 + 0.1 * looks.shape))
    cv2.ellipse(mask, (side // 2, side // 4), (half, side // 9), 0, 0, 360, 1, -1)
    cv2.ellipse(mask, (side // 2, side * 3 // 4), (half, side // 9), 0, 0, 360, 1, -1)
    cv2.rectangle(mask, (side // 2 - half, side // 4), (side // 2 + half, side * 3 // 4), 1, -1)
    cv2.circle(pixels, (side // 2, side // 2), half * 6 // 10, looks.accent, -1)
    cv2.ellipse(pixels, (side // 2, side // 4), (half * 9 // 10, side // 11), 0, 0, 360, (200, 200, 205), -1)
    return _shine(pixels), mask > 0


_FAMILIES: tuple[tuple[Draw, ...], ...] = (
    (_washer, _nut, _screw, _nut, _washer),
    (_cell, _rod, _star, _cell),
    (_pack, _bottle, _can, _pack),
)
