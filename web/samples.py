"""The folder of sample photos a first start opens."""

from __future__ import annotations

import shutil
from pathlib import Path

import gradio

PHOTOS = ("cheetah.jpg", "tower.jpg", "lion.jpg", "cheetah1.jpg")  # they come with Gradio


def make_sample_folder(home: Path) -> Path:
    """Copy the photos to ``home/samples`` unless they are there, and return the folder."""
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(gradio.__file__).parent / "media_assets" / "images"
    for name in PHOTOS:
        if not (folder / name).exists():
            shutil.copyfile(source / name, folder / name)
    return folder
