"""Sixty deterministic masks from 256 to 4000x3000 that break outline code in different ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

BoolMask = NDArray[np.bool_]


def suite() -> Iterator[tuple[str, BoolMask]]:
    """All masks with their names, one at a time: the large ones need not live together."""
    for name, make in _makers().items():
        yield name, make()


def names() -> list[str]:
    """Names of the masks."""
    return list(_makers())


@cache
def make(name: str) -> BoolMask:
    """One mask by name, drawn once: several tests look at it and none may change it."""
    mask = _makers()[name]()
    mask.setflags(write=False)
    return mask


def smooth_noise(height: int, width: int, sigma: float, seed: int) -> NDArray[np.float32]:
    """Gaussian noise blurred by sigma [px], unit variance, shape (height, width)."""
    noise = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.asarray(blurred / blurred.std(), np.float32)


def blob_field(height: int, width: int, sigma: float, seed: int = 0) -> BoolMask:
    """Blobs with holes and islands in holes, about half of the area."""
    return np.asarray(smooth_noise(height, width, sigma, seed) > 0)


def disc(height: int, width: int, radius: float) -> BoolMask:
    """A disc a little off the middle."""
    y, x = np.mgrid[:height, :width] + 0.5
    return np.asarray((x - width / 2 - 0.3) ** 2 + (y - height / 2 + 0.2) ** 2 < radius**2)


def object_mask(height: int, width: int, seed: int, *, bend: float = 0.2, grain: float = 0.0) -> BoolMask:
    """One object without holes: an ellipse bent by coarse noise and roughened by fine noise."""
    side = min(height, width)
    semi_y, semi_x = side * (0.3 + 0.02 * (seed % 5)), side * (0.24 + 0.03 * (seed % 4))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = ((y - height / 2) / semi_y) ** 2 + ((x - width / 2) / semi_x) ** 2
    distance += bend * smooth_noise(height, width, side / 20, seed)
    if grain:
        distance += grain * smooth_noise(height, width, max(2.0, side / 200), seed + 5)
    inside = distance < 0.8
    labels = cv2.connectedComponents(inside.astype(np.uint8))[1]
    largest = labels == np.bincount(labels.reshape(-1))[1:].argmax() + 1
    outside = cv2.connectedComponents((~largest).astype(np.uint8), connectivity=4)[1]
    return np.asarray(outside != outside[0, 0])


def _drawn(height: int, width: int, draw: Callable[[NDArray[np.uint8]], object]) -> BoolMask:
    canvas = np.zeros((height, width), np.uint8)
    draw(canvas)
    return np.asarray(canvas != 0)


def _polygon(height: int, width: int, points: NDArray[np.float64]) -> BoolMask:
    corners = np.round(points * 16).astype(np.int32)
    return _drawn(height, width, lambda canvas: cv2.fillPoly(canvas, [corners], 1, shift=4))


def _star(side: int) -> BoolMask:
    angle = np.arange(10) * np.pi / 5 + 0.1
    radius = np.where(np.arange(10) % 2, 0.2, 0.42) * side
    corners = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None] + side / 2
    return _polygon(side, side, corners)


def _rotated_rectangle(side: int) -> BoolMask:
    box = ((side / 2, side / 2), (side * 0.6, side * 0.3), 27.0)
    return _polygon(side, side, np.asarray(cv2.boxPoints(box), np.float64))


def _lines(side: int, thickness: int) -> BoolMask:
    def draw(canvas: NDArray[np.uint8]) -> None:
        for number, (x0, y0, x1, y1) in enumerate(np.random.default_rng(thickness).integers(0, side, (25, 4)).tolist()):
            cv2.line(canvas, (x0, y0), (x1, y1), number + 1, thickness)

    return _drawn(side, side, draw)


def _text(height: int, width: int) -> BoolMask:
    def draw(canvas: NDArray[np.uint8]) -> None:
        for row in range(40, height, 60):
            cv2.putText(canvas, "BORDER 8&%@ 0Oo", (5, row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 1, 2)

    return _drawn(height, width, draw)


def _targets(side: int) -> BoolMask:
    """Rings within rings: islands in holes in islands."""

    def draw(canvas: NDArray[np.uint8]) -> None:
        for number, radius in enumerate(range(side * 2 // 5, 2, -max(3, side // 24))):
            cv2.circle(canvas, (side // 2 + number, side // 2), radius, (number + 1) % 2, -1)

    return _drawn(side, side, draw)


def _spiral(side: int) -> BoolMask:
    turn = np.linspace(0, 16 * np.pi, 4_000)
    radius = turn / turn.max() * side * 0.45
    points = np.stack([side / 2 + radius * np.cos(turn), side / 2 + radius * np.sin(turn)], axis=1)
    return _drawn(side, side, lambda canvas: cv2.polylines(canvas, [points.astype(np.int32)], False, 1, 2))


def _object_with_holes(height: int, width: int, seed: int) -> BoolMask:
    inside = object_mask(height, width, seed)
    holes = smooth_noise(height, width, min(height, width) / 50, seed + 1) > 1.2
    return inside & ~holes


def _checkerboard(side: int, step: int) -> BoolMask:
    y, x = np.mgrid[:side, :side] // step
    return np.asarray((x + y) % 2 == 0)


def _noise(side: int, density: float) -> BoolMask:
    return np.asarray(np.random.default_rng(3).random((side, side)) < density)


def _pixels(height: int, width: int, *at: tuple[int, int]) -> BoolMask:
    mask = np.zeros((height, width), np.bool_)
    mask[tuple(np.array(at).T)] = True
    return mask


def _frame(side: int) -> BoolMask:
    mask = np.ones((side, side), np.bool_)
    mask[1:-1, 1:-1] = False
    return mask


def _makers() -> dict[str, Callable[[], BoolMask]]:
    makers: dict[str, Callable[[], BoolMask]] = {
        "empty 256": lambda: np.zeros((256, 256), np.bool_),
        "full 256": lambda: np.ones((256, 256), np.bool_),
        "full 1x256": lambda: np.ones((1, 256), np.bool_),
        "full 256x1": lambda: np.ones((256, 1), np.bool_),
        "one pixel 256": lambda: _pixels(256, 256, (100, 31)),
        "corner pixels 256": lambda: _pixels(256, 256, (0, 0), (0, 255), (255, 0), (255, 255)),
        "two pixels on a diagonal 256": lambda: _pixels(256, 256, (9, 9), (10, 10)),
        "row 256": lambda: _pixels(256, 256, *((77, column) for column in range(20, 240))),
        "column 256": lambda: _pixels(256, 256, *((row, 77) for row in range(20, 240))),
        "diagonal 256": lambda: np.eye(256, dtype=np.bool_),
        "frame 256": lambda: _frame(256),
        "frame inverted 256": lambda: ~_frame(256),
        "checkerboard 1 256": lambda: _checkerboard(256, 1),
        "checkerboard 2 256": lambda: _checkerboard(256, 2),
        "checkerboard 64 1024": lambda: _checkerboard(1024, 64),
        "noise 10% 256": lambda: _noise(256, 0.1),
        "noise 50% 256": lambda: _noise(256, 0.5),
        "noise 90% 256": lambda: _noise(256, 0.9),
        "star 256": lambda: _star(256),
        "star 1024": lambda: _star(1024),
        "rotated rectangle 256": lambda: _rotated_rectangle(256),
        "rotated rectangle 1024": lambda: _rotated_rectangle(1024),
        "disc 3 256": lambda: disc(256, 256, 3.0),
        "disc 100 256": lambda: disc(256, 256, 100.0),
        "disc 400 1024": lambda: disc(1024, 1024, 400.0),
        "disc beyond the border 1024": lambda: disc(1024, 1024, 600.0),
        "half plane 1024": lambda: disc(1024, 4096, 1024.0)[:, 1024:2048].copy(),
        "targets 256": lambda: _targets(256),
        "targets 1024": lambda: _targets(1024),
        "spiral 256": lambda: _spiral(256),
        "spiral 1024": lambda: _spiral(1024),
        "lines 1 256": lambda: _lines(256, 1),
        "lines 1 1024": lambda: _lines(1024, 1),
        "lines 3 1024": lambda: _lines(1024, 3),
        "text 256": lambda: _text(256, 256),
        "text 1024": lambda: _text(1024, 1024),
        "text inverted 256": lambda: ~_text(256, 256),
        "blobs 2 256": lambda: blob_field(256, 256, 2.0),
        "blobs 8 256": lambda: blob_field(256, 256, 8.0),
        "blobs 4 1024": lambda: blob_field(1024, 1024, 4.0),
        "blobs 16 1024": lambda: blob_field(1024, 1024, 16.0),
        "blobs 30 3000x4000": lambda: blob_field(3000, 4000, 30.0),
        "object 256": lambda: object_mask(256, 256, 3),
        "object grainy 256": lambda: object_mask(256, 256, 4, grain=0.05),
    }
    for seed in range(3):
        makers[f"object {seed} 1024"] = lambda seed=seed: object_mask(1024, 1024, seed, bend=0.1 + 0.1 * seed)  # type: ignore[misc]
        makers[f"object grainy {seed} 1024"] = lambda seed=seed: object_mask(  # type: ignore[misc]
            1024, 1024, seed + 3, bend=0.25, grain=0.02 + 0.015 * seed
        )
        makers[f"object with holes {seed} 1024"] = lambda seed=seed: _object_with_holes(1024, 1024, seed)  # type: ignore[misc]
    makers |= {
        "object 2048": lambda: object_mask(2048, 2048, 8),
        "object grainy 2048": lambda: object_mask(2048, 2048, 9, grain=0.03),
        "object with holes 2048": lambda: _object_with_holes(2048, 2048, 6),
        "object 3000x4000": lambda: object_mask(3000, 4000, 1),
        "object with holes 3000x4000": lambda: _object_with_holes(3000, 4000, 2),
        "text 3000x4000": lambda: _text(3000, 4000),
        "disc 1000 3000x4000": lambda: disc(3000, 4000, 1000.0),
    }
    return makers
