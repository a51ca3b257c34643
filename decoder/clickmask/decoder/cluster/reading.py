"""The first step of labeling on a cluster: a picture's file becomes pixels, in processes that need no PyTorch."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from clickmask.decoder.errors import ClickMaskError, ImageError
from clickmask.decoder.images import Pixels

Row = dict[str, Any]


def read_picture(row: Row) -> Row:
    """Read the picture of a row by its pickled ``load``; it gets ``pixels`` and ``shape``, or an ``error``."""
    load = pickle.loads(row.pop("load"))
    try:
        pixels = load()
    except ClickMaskError as error:
        return {**row, "pixels": b"", "shape": [0, 0], "error": str(error)}
    return {**row, "pixels": np.ascontiguousarray(pixels).tobytes(), "shape": list(pixels.shape[:2]), "error": ""}


def pixels_of(row: Row) -> Pixels:
    """The picture of a row.

    Raises:
        ImageError: If it could not be read.
    """
    if row["error"]:
        raise ImageError(row["error"])
    height, width = row["shape"]
    return np.frombuffer(row["pixels"], np.uint8).reshape(height, width, 3)
