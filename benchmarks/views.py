"""Measure clicks on objects of a very large picture, zoomed in until they fill the screen.

    python -m benchmarks.views FOLDER

Photos become the tiles of one picture of 6400x3840. An object is clicked once, at its deepest point: on its photo
alone, in the large picture, and there with what is on the screen as the view.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import Box, Engine, ImageSource, Point, Prompt, load_image, load_model
from clickmask.decoder.evaluation.clicks import Segment, read_segments, sample_segments
from clickmask.decoder.shapes import deepest_point, mask_iou, mask_to_box

TILE = (640, 480)
TILES = (10, 8)
SCREEN_MARGIN = 0.15  # around an object that fills the screen, of its sides, on each side
SCREEN_SHAPE = 1.6  # width by height


def main() -> None:
    """Print the median IoU of each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="objects as `clickmask evaluate` reads them")
    parser.add_argument("--objects", type=int, default=25, help="how many (default: %(default)s)")
    parser.add_argument("--model", default="nano", help="(default: %(default)s)")
    given = parser.parse_args()
    segments = {segment.image: segment for segment in sample_segments(read_segments(given.folder), 10**6, seed=1)}
    shown = list(segments.values())
    picture = mosaic(shown)
    engine, whole = Engine(load_model(given.model)), ImageSource("mosaic", lambda: picture)
    ious: dict[str, list[float]] = {"photo alone": [], "large picture": [], "large picture with view": []}
    for number, segment in list(enumerate(shown[: TILES[0] * TILES[1]]))[: given.objects]:
        truth = np.asarray(cv2.resize(segment.truth().astype(np.uint8), TILE, interpolation=cv2.INTER_NEAREST) > 0)
        deepest = deepest_point(truth)
        if deepest is None:
            continue
        top, left = number // TILES[0] * TILE[1], number % TILES[0] * TILE[0]
        tile = picture[top : top + TILE[1], left : left + TILE[0]]
        alone = ImageSource(str(segment.image), partial(np.ascontiguousarray, tile))
        in_tile = (slice(top, top + TILE[1]), slice(left, left + TILE[0]))
        moved = replace(deepest[0], x=deepest[0].x + left, y=deepest[0].y + top)
        ious["photo alone"].append(mask_iou(engine.segment(alone, Prompt((deepest[0],))).mask(), truth))
        large = np.zeros(picture.shape[:2], np.bool_)
        large[in_tile] = truth
        for name, prompt in (
            ("large picture", Prompt((moved,))),
            ("large picture with view", Prompt((moved,), view=screen_around(large, moved))),
        ):
            ious[name].append(mask_iou(engine.segment(whole, prompt).mask(), large))
    for name, found in ious.items():
        print(f"{name}: median IoU {np.median(found):.3f}, mean {np.mean(found):.3f} ({len(found)} objects)")


def mosaic(segments: list[Segment]) -> NDArray[np.uint8]:
    """Their photos as tiles, row by row, again from the first where they do not suffice."""
    tiles = [
        np.asarray(cv2.resize(load_image(segments[n % len(segments)].image), TILE, interpolation=cv2.INTER_AREA))
        for n in range(TILES[0] * TILES[1])
    ]
    return np.vstack([np.hstack(tiles[n : n + TILES[0]]) for n in range(0, len(tiles), TILES[0])]).astype(np.uint8)


def screen_around(mask: NDArray[np.bool_], click: Point) -> Box:
    """What a screen shows of a picture when the object fills it."""
    box = mask_to_box(mask) or Box(click.x - 50, click.y - 50, click.x + 50, click.y + 50)
    height = max(box.y1 - box.y0, (box.x1 - box.x0) / SCREEN_SHAPE) * (1 + 2 * SCREEN_MARGIN)
    width = height * SCREEN_SHAPE
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return Box(
        max(0, x - width / 2),
        max(0, y - height / 2),
        min(mask.shape[1], x + width / 2),
        min(mask.shape[0], y + height / 2),
    )


if __name__ == "__main__":
    main()
