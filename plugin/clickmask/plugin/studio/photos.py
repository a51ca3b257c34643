"""Sample photos to click in, so that a new project is not empty."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PIL import Image, ImageDraw

PHOTO_NAMES = ("cheetah.jpg", "lion.jpg", "tower.jpg", "groot.jpeg", "cheetah1.jpg")


def sample_photos(folder: Path) -> tuple[Path, ...]:
    """Return the photos that ship inside Gradio, or, without Gradio, one drawn into ``folder``."""
    return _gradio_photos() or (_draw_shapes(folder / "shapes.png"),)


def _gradio_photos() -> tuple[Path, ...]:
    spec = importlib.util.find_spec("gradio")  # finds the package without importing it
    if spec is None or spec.origin is None:
        return ()
    images = Path(spec.origin).parent / "media_assets" / "images"
    return tuple(path for name in PHOTO_NAMES if (path := images / name).exists())


def _draw_shapes(path: Path) -> Path:
    """Three plain objects on a plain ground."""
    picture = Image.new("RGB", (640, 480), "#c8d2c0")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 60, 260, 240), fill="#b03a2e")
    draw.rectangle((360, 90, 560, 300), fill="#1f618d")
    draw.polygon([(120, 430), (230, 280), (340, 430)], fill="#7d6608")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path
