"""Tracks drawn on their video, one colour per object, as MP4."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import VideoError
from clickmask.decoder.shapes import rle_to_mask
from clickmask.decoder.track.tracker import TrackedMask
from clickmask.decoder.video.container import import_av
from clickmask.decoder.video.frames import Frame, Video

GOLDEN_TURN = 0.618034  # hues this far apart never come close to each other
OPACITY = 0.5


def colour_of(object_id: int) -> tuple[int, int, int]:
    """RGB of an object, the same in every picture.

    Example:
        >>> colour_of(1), colour_of(2)
        ((89, 138, 255), (186, 255, 89))
    """
    red, green, blue = colorsys.hsv_to_rgb(object_id * GOLDEN_TURN % 1, 0.65, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_tracks(image: NDArray[np.uint8], masks: Mapping[int, TrackedMask]) -> NDArray[np.uint8]:
    """Tint and outline every object on a frame (H, W, 3); the frame is not changed."""
    picture = image.copy()
    line = max(1, round(max(image.shape[:2]) / 600))  # [px]
    for object_id, tracked in masks.items():
        if not tracked.present:
            continue
        mask, colour = rle_to_mask(tracked.rle), colour_of(object_id)
        picture[mask] = ((1 - OPACITY) * picture[mask] + OPACITY * np.array(colour)).astype(np.uint8)
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outlines, -1, colour, line)
    return picture


def write_overlay(video: Video, tracks: Mapping[int, Mapping[int, TrackedMask]], path: Path) -> None:
    """Write the frames that have tracks, with their tracks, as an H.264 video.

    Args:
        video: Decoded once more, frame by frame.
        tracks: Masks by object id, by frame index.
        path: The file to write; its suffix names the container, such as .mp4.

    Raises:
        VideoError: If nothing was tracked or the file cannot be written.
    """
    if not tracks:
        raise VideoError(f"{path}: no frame was tracked, nothing to draw")
    av = import_av(path)
    try:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(video.rate).limit_denominator(1001))
            # The codec halves the colours' grid, so both sides must be even.
            stream.height, stream.width = (side - side % 2 for side in (video.size.height, video.size.width))
            stream.pix_fmt = "yuv420p"
            for frame in video.frames(range(min(tracks), max(tracks) + 1)):
                container.mux(stream.encode(_picture(frame, tracks.get(frame.index, {}), stream, av)))
            container.mux(stream.encode())
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path} cannot be written: {error}") from error


def _picture(frame: Frame, masks: Mapping[int, TrackedMask], stream: Any, av: Any) -> Any:
    drawn = draw_tracks(frame.image, masks)[: stream.height, : stream.width]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), format="rgb24")
