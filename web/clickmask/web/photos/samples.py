"""The folder of sample photos a first start opens."""

from __future__ import annotations

import shutil
from pathlib import Path

from gradio.media import get_image

PHOTOS = ("cheetah.jpg", "tower.jpg", "lion.jpg", "cheetah1.jpg")  # they come with Gradio


def make_sample_folder(home: Path) -> Path:
    """Copy the photos to ``home/samples`` unless they are there, and return the folder."""
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        if not (folder / name).exists():
            shutil.copyfile(sample_photo(name), folder / name)
    return folder


def sample_photo(name: str) -> Path:
    """The file of a photo that is always there."""
    return Path(get_image(name))
