"""Small videos whose truth is known: bright squares that walk over a dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from clickmask.decoder import Box

WIDTH, HEIGHT, SIDE = 160, 96, 30
PICTURES = 24
CLIP = "/data/upload/1/clip.mp4"  # where the tests' Label Studio has one
COLOURS = ((220, 40, 40), (40, 200, 60))


def square(number: int, picture: int) -> Box:
    """Where a square is on a picture, from 0 [px]: the first walks to the right, the second to the left."""
    x = 10 + 3 * picture if number == 0 else WIDTH - SIDE - 10 - 3 * picture
    y = 10 + 50 * number
    return Box(x, y - 5 * number, x + SIDE, y + SIDE - 5 * number)


def write_clip(
    path: Path,
    pictures: int = PICTURES,
    *,
    times: Sequence[int] | None = None,
    rate: int = 25,
    hidden: range = range(0),
    codec: str = "libx264",
) -> Path:
    """Write a video.

    Args:
        pictures: How many.
        times: When each is shown [1 / rate s]; one after another by default.
        rate: Frames per second.
        hidden: Pictures on which no square is seen.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for index in range(pictures):
            pixels = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
            for number, colour in enumerate(COLOURS):
                if index not in hidden:
                    box = square(number, index)
                    pixels[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = colour
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index if times is None else times[index], Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
