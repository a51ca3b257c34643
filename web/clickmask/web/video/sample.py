"""A short clip to try things out: the camera wanders over a photo, so that what is on it comes and goes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import VideoError, load_image
from clickmask.web.photos.imports import free_name

NAME = "sample-clip.mp4"
FRAMES = 60
RATE = 20
WIDTH_PX, HEIGHT_PX = 480, 320
PATH = ((300, 170, 1.5), (215, 150, 1.25), (120, 190, 1.7), (260, 185, 1.1))  # where the camera looks, and how close


def make_sample_clip(folder: Path, photo: Path) -> Path:
    """Write the clip of a photo into a folder and return its path.

    Raises:
        VideoError: If it cannot be written.
    """
    target = free_name(folder, NAME)
    image = load_image(photo)
    try:
        _write(target, [_view(image, time) for time in np.linspace(0, len(PATH) - 1, FRAMES)])
    except OSError as error:
        target.unlink(missing_ok=True)
        raise VideoError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _view(photo: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
    """What the camera sees at a time; it stops for a moment at every place of its path."""
    leg = min(int(time), len(PATH) - 2)
    share = (1 - np.cos(np.pi * (time - leg))) / 2
    x, y, zoom = (1 - share) * np.array(PATH[leg]) + share * np.array(PATH[leg + 1])
    place = np.array([[zoom, 0, WIDTH_PX / 2 - zoom * x], [0, zoom, HEIGHT_PX / 2 - zoom * y]])
    view = cv2.warpAffine(photo, place, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(view, dtype=np.uint8)


def _write(target: Path, pictures: list[NDArray[np.uint8]]) -> None:
    import av  # slow to import

    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
