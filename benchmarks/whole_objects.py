"""Write two data sets of whole objects for ``clickmask evaluate``, from files nano was never trained on.

    python -m benchmarks.whole_objects TRAINING_PACK OUT
    clickmask evaluate OUT/photos --refine
    clickmask evaluate OUT/composites --refine

``photos``: objects (fruit, cartons, bottles, flowers, people, animals, cars) on held-out photos of the pack and on the
pictures that gradio ships (the ``web`` extra). Each was outlined by eye, without a model, as a polygon or an ellipse on
the photo enlarged with a grid, drawn back over it and corrected, to about 3 px; ``whole_objects.json`` holds the
outlines. A hand in front of an object is left out; sky seen through the tower is not. ``composites``: 100 whole objects
on composites of held-out cut-outs and photos.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from gradio.media import get_image
from numpy.typing import NDArray
from PIL import Image

from benchmarks.held_out import write_held_out
from training.material import is_held_out

OUTLINES = Path(__file__).with_name("whole_objects.json")


def main() -> None:
    """Write both sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path, help="training pack: manifest.json, photos/, cutouts/")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    write_photos(arguments.pack, arguments.out / "photos")
    write_held_out(arguments.pack, arguments.out / "composites", objects=100)


def write_photos(pack: Path, folder: Path) -> None:
    """Draw the outlines as masks beside copies of their photos."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    index = []
    for number, outline in enumerate(json.loads(OUTLINES.read_text())):
        photo = find_photo(outline, pack)
        paths = {"image": f"images/{photo.name}", "mask": f"masks/{number:03d}_{photo.stem}.png"}
        shutil.copyfile(photo, folder / paths["image"])
        with Image.open(photo) as picture:
            mask = draw_outline(outline, picture.height, picture.width)
        Image.fromarray(mask).save(folder / paths["mask"])
        index.append(paths)
    (folder / "index.json").write_text(json.dumps(index, indent=1))


def find_photo(outline: Mapping[str, Any], pack: Path) -> Path:
    """Find an entry's picture: one that gradio ships (``gradio``) or a held-out photo of the pack (``photo``)."""
    if "gradio" in outline:
        return Path(get_image(outline["gradio"]))
    photo = pack / "photos" / str(outline["photo"])
    assert is_held_out(photo.name), f"{photo.name} was trained on"
    return photo


def draw_outline(outline: Mapping[str, Any], height: int, width: int) -> NDArray[np.uint8]:
    """Fill a polygon (``outline``: x, y pairs) or an ellipse (``ellipse``: left, top, right, bottom), in pixels."""
    mask = np.zeros((height, width), np.uint8)
    if "outline" in outline:
        cv2.fillPoly(mask, [np.round(outline["outline"]).astype(np.int32)], 255)
    else:
        left, top, right, bottom = outline["ellipse"]
        cv2.ellipse(mask, (((left + right) / 2, (top + bottom) / 2), (right - left, bottom - top), 0), 255, -1)
    return mask


if __name__ == "__main__":
    main()
