"""A short video to track in, made of two photos: round pieces of one wander over the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import Box, load_image, whole_file

FRAMES, RATE = 60, 25
WIDTH, HEIGHT = 640, 360


@dataclass(frozen=True, slots=True)
class Piece:
    """A round piece of a photo on its way.

    Args:
        source: Its centre on the photo, as shares of width and height.
        radius: In pixels of the video.
        start: Its centre on the first frame [px].
        step: How far it goes from frame to frame [px].
        wave: How far it swings up and down on the way [px].
    """

    source: tuple[float, float]
    radius: int
    start: tuple[float, float]
    step: float
    wave: float

    def centre(self, frame: int) -> tuple[int, int]:
        """Where it is on a frame, from 0 [px]."""
        swing = self.wave * math.sin(2 * math.pi * frame / FRAMES)
        return round(self.start[0] + self.step * frame), round(self.start[1] + swing)

    def box(self, frame: int) -> Box:
        """The box around it on a frame, from 0 [px]."""
        x, y = self.centre(frame)
        return Box(x - self.radius, y - self.radius, x + self.radius + 1, y + self.radius + 1)


PIECES = (
    Piece(source=(0.5, 0.35), radius=55, start=(110, 120), step=6.0, wave=40),
    Piece(source=(0.1, 0.2), radius=40, start=(520, 275), step=-5.0, wave=-30),
)


def sample_clip(folder: Path, photos: Sequence[Path]) -> Path:
    """Write the clip into a folder, once; pieces of the middle photo go over the first."""
    path = folder / "clip.mp4"
    if not path.exists():
        with whole_file(path) as part:
            _write(part, load_image(photos[0]), load_image(photos[len(photos) // 2]))
    return path


def _write(path: Path, ground: NDArray[np.uint8], photo: NDArray[np.uint8]) -> None:
    import av  # slow to import

    still = cv2.resize(ground, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    cut = [_cut(photo, piece) for piece in PIECES]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(FRAMES):
            picture = still.copy()
            for piece, pixels in zip(PIECES, cut, strict=True):
                _paste(picture, pixels, piece.centre(frame))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _cut(photo: NDArray[np.uint8], piece: Piece) -> NDArray[np.uint8]:
    """A square of the photo around the piece, twice its radius and one pixel wide."""
    height, width = photo.shape[:2]
    side = min(height, width) // 2
    x, y = (round(share * (length - side)) for share, length in zip(piece.source, (width, height), strict=True))
    diameter = 2 * piece.radius + 1
    square = cv2.resize(photo[y : y + side, x : x + side], (diameter, diameter), interpolation=cv2.INTER_AREA)
    return np.asarray(square, dtype=np.uint8)


def _paste(picture: NDArray[np.uint8], square: NDArray[np.uint8], centre: tuple[int, int]) -> None:
    """Put the disc inside a square onto a picture, where it fits on whole."""
    radius = len(square) // 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = x * x + y * y <= radius * radius
    column, row = centre
    there = picture[row - radius : row + radius + 1, column - radius : column + radius + 1]
    there[disc] = square[disc]
