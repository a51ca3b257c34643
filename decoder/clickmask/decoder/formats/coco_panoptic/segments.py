"""COCO panoptic's pictures: every pixel's segment as a colour, its number as red + 256 green + 65536 blue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.output import make_folder
from clickmask.decoder.formats.png_files import open_labels

MAX_SEGMENT = 0xFFFFFF
VOID = 0  # the number of pixels that are no segment

Segments = NDArray[np.int32]  # (H, W)


def read_segments(path: Path) -> Segments:
    """Return the segment's number of every pixel, shape (H, W).

    Raises:
        DatasetError: If it is not there or no picture.
    """
    with open_labels(path) as picture:
        color = np.array(picture.convert("RGB")).astype(np.int32)  # (H, W, 3)
    segments: Segments = color[..., 0] + (color[..., 1] << 8) + (color[..., 2] << 16)
    return segments


def write_segments(path: Path, segments: Segments) -> None:
    """Write the segments' numbers as a PNG.

    Raises:
        DatasetError: If it cannot be written.
    """
    color = np.stack([segments & 255, segments >> 8 & 255, segments >> 16], axis=-1).astype(np.uint8)  # (H, W, 3)
    make_folder(path.parent)
    try:
        Image.fromarray(color).save(path, format="PNG")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be written: {error}") from None
