"""Pictures for tests: sample photos, and files that are hard to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from clickmask.web.gate import Gate
from clickmask.web.photos.dataset import unite
from clickmask.web.photos.imports import adopt_labels
from clickmask.web.photos.library import Library
from clickmask.web.photos.samples import make_sample_folder


def sample_folder(place: Path) -> Path:
    """The sample photos of a first start."""
    return make_sample_folder(place)


def open_library(root: Path, home: Path) -> Library:
    """The library of a server that may open one folder; uploads are beside its home."""
    uploads = home.parent / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    return Library(Gate.of(root, uploads=uploads), home, adopt_labels, unite)


def write_photo(file: Path, width: int = 60, height: int = 40) -> Path:
    """A small picture with a gradient and a bright disc."""
    yy, xx = np.mgrid[0:height, 0:width]
    disc = np.hypot(xx - width / 2, yy - height / 2) < min(width, height) / 4
    pixels = np.stack([xx * 255 // width, yy * 255 // height, disc * 255], axis=-1).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file
