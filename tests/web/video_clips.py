"""Short clips for tests: a disc that crosses a patterned floor, and its true masks."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT, RADIUS = 160, 120, 18
FRAMES = 20


def disc_centre(frame: int) -> tuple[float, float]:
    """Where the disc is (x, y) [px]; it moves 4 px a frame to the right."""
    return 30.5 + 4 * frame, 60.5


def disc_mask(frame: int) -> NDArray[np.bool_]:
    """The disc's pixels, (HEIGHT, WIDTH)."""
    x, y = disc_centre(frame)
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    return np.asarray(np.hypot(xx - x, yy - y) < RADIUS)


def disc_picture(frame: int, colour: tuple[int, int, int] = (220, 60, 40)) -> NDArray[np.uint8]:
    """One frame (HEIGHT, WIDTH, 3)."""
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH]
    floor = 110 + 25 * np.sin(xx / 7) * np.cos(yy / 5)
    picture = np.stack([floor * 0.7, floor, floor * 0.8], axis=-1)
    picture[disc_mask(frame)] = colour
    return picture.astype(np.uint8)


def write_clip(file: Path, frames: int = FRAMES, colour: tuple[int, int, int] = (220, 60, 40)) -> Path:
    """An H.264 file at 10 frames per second."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "14", "g": "8"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in range(frames):
            picture = av.VideoFrame.from_ndarray(disc_picture(frame, colour), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file


def write_frames(folder: Path, frames: int = 6) -> Path:
    """A folder of numbered pictures."""
    folder.mkdir(parents=True)
    for frame in range(frames):
        Image.fromarray(disc_picture(frame)).save(folder / f"frame{frame:03d}.png")
    return folder


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 if both are empty."""
    union = np.logical_or(one, other).sum()
    return float(np.logical_and(one, other).sum() / union) if union else 1.0
