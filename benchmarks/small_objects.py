"""Write a data set of small objects in large pictures, for ``clickmask evaluate``.

    python -m benchmarks.small_objects FOLDER OUT
    clickmask evaluate OUT --zoom

Each object's photo is one tile of a picture of many, so the object is as sharp as it was and a small part of what is
seen. A first click may well mean the whole tile: what counts is a box, and what further clicks make of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder import load_image
from clickmask.decoder.evaluation.clicks import Segment, read_segments, sample_segments


def main() -> None:
    """Write the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="objects as `clickmask evaluate` reads them")
    parser.add_argument("out", type=Path)
    parser.add_argument("--objects", type=int, default=60, help="how many (default: %(default)s)")
    parser.add_argument("--tiles", type=int, default=6, help="photos a side (default: %(default)s)")
    given = parser.parse_args()
    everything = read_segments(given.folder)
    photos = sorted({segment.image for segment in everything})
    write_tiled(sample_segments(everything, given.objects), photos, given.out, tiles=given.tiles)


def write_tiled(segments: Sequence[Segment], photos: Sequence[Path], out: Path, *, tiles: int) -> None:
    """Put every object's photo somewhere among random others of its size."""
    for name in ("images", "masks"):
        (out / name).mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    index = []
    for segment in segments:
        picture, truth = tile(segment, photos, tiles, random)
        paths = {"image": f"images/{segment.name}.jpg", "mask": f"masks/{segment.name}.png"}
        Image.fromarray(picture).save(out / paths["image"], quality=95)
        Image.fromarray(truth).save(out / paths["mask"])
        index.append(paths)
    (out / "index.json").write_text(json.dumps(index, indent=1))


def tile(
    segment: Segment, photos: Sequence[Path], tiles: int, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture (tiles * H, tiles * W, 3) and the object's mask in it, 0 or 255."""
    truth = segment.truth()
    height, width = truth.shape
    picture = np.zeros((tiles * height, tiles * width, 3), np.uint8)
    mask = np.zeros(picture.shape[:2], np.uint8)
    own = int(random.integers(tiles * tiles))
    for number in range(tiles * tiles):
        photo = segment.image if number == own else photos[int(random.integers(len(photos)))]
        rows, columns = (
            slice(at * side, (at + 1) * side) for at, side in zip(divmod(number, tiles), (height, width), strict=True)
        )
        picture[rows, columns] = cv2.resize(load_image(photo), (width, height))
        if number == own:
            mask[rows, columns] = 255 * truth
    return picture, mask


if __name__ == "__main__":
    main()
