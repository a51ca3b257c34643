"""A picture of 12,000 x 9,000 pixels is looked through in tiles; no object is cut or comes twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder import Engine, Model
from clickmask.decoder.auto.generate import AnswerPrompts
from clickmask.decoder.auto.settings import people_settings
from clickmask.decoder.auto.tiles import segment_tiles, tile_windows
from clickmask.decoder.images import ImageSource
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.segment import MaskSet
from tests.peak import forget_peak, peak_kib

SIZE = Size(9_000, 12_000)
CELLS = 64
Floats = NDArray[np.float64]
SETTINGS = replace(
    people_settings("sam2"), points_per_side=6, min_stability=0.8, min_area=0.0, min_region_px=0, points_per_batch=12
)


def ellipses() -> list[tuple[float, float, float, float]]:
    """Centre and radii [px]: in tiles, on seams, on corners of four tiles, wider than an overlap, and a huge one."""
    rng = np.random.default_rng(4)
    middles = [(x, y, *rng.uniform(180, 420, 2)) for x in range(600, 11_500, 1_150) for y in range(600, 5_200, 1_150)]
    return [*middles, (4_000.0, 7_200.0, 3_000.0, 1_200.0), (9_500.0, 7_000.0, 800.0, 300.0)]


ELLIPSES = ellipses()


def depth(ellipse: tuple[float, float, float, float], x: Floats, y: Floats) -> Floats:
    """About how far inside an ellipse places are, > 0 inside [px]."""
    center_x, center_y, radius_x, radius_y = ellipse
    away = np.hypot((x - center_x) / radius_x, (y - center_y) / radius_y)
    return np.asarray((1 - away) * min(radius_x, radius_y))


def open_drawn_crop(window: Window) -> AnswerPrompts:
    """A perfect network: a click on an ellipse gives its part in the crop, on the cells of a small grid."""
    x = window.left + (np.arange(CELLS) + 0.5) * window.size.width / CELLS
    y = window.top + (np.arange(CELLS) + 0.5) * window.size.height / CELLS

    def answer(prompts: Sequence[Prompt]) -> list[MaskSet]:
        return [_answer(prompt.points[0].x + window.left, prompt.points[0].y + window.top) for prompt in prompts]

    def _answer(at_x: float, at_y: float) -> MaskSet:
        hit = [e for e in ELLIPSES if depth(e, np.array(at_x), np.array(at_y)) > 0]
        inside = depth(hit[0], x[None], y[:, None]) if hit else np.full((CELLS, CELLS), -9.0)
        logits = torch.from_numpy(inside.astype(np.float32)).clamp(-32, 32)
        return MaskSet(logits.expand(4, -1, -1), torch.tensor([0.9, 0.9, 0.1, 0.1]), 5.0, window.size)

    return answer


def truth(ellipse: tuple[float, float, float, float]) -> dict[str, object]:
    """As run lengths, from a polygon of many corners."""
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    x, y = ellipse[0] + ellipse[2] * np.cos(angles), ellipse[1] + ellipse[3] * np.sin(angles)
    ring = np.stack([x, y], axis=1).reshape(-1).tolist()
    return dict(coco_mask.frPyObjects([ring], SIZE.height, SIZE.width)[0])


def test_every_object_is_found_whole_and_once() -> None:
    shares: list[float] = []
    forget_peak()
    before = peak_kib()
    found = segment_tiles(open_drawn_crop, SIZE, SETTINGS, shares.append)
    assert peak_kib() - before < 200 * 1024  # the picture itself would be 324 MB
    assert shares[-1] == 1.0
    masks = [{"size": mask.rle["size"], "counts": mask.rle["counts"].encode()} for mask in found]
    overlaps = np.asarray(coco_mask.iou([truth(ellipse) for ellipse in ELLIPSES], masks, [0] * len(masks)))
    assert overlaps.max(axis=1).min() > 0.9
    assert len(found) == len(ELLIPSES)


@pytest.mark.parametrize("size", [Size(9_000, 12_000), Size(2_049, 2_048), Size(100, 7_000)], ids=str)
def test_tiles_cover_the_picture_and_overlap(size: Size) -> None:
    windows = tile_windows(size, 2_048)
    covered = np.zeros((size.height // 20 + 1, size.width // 20 + 1), np.bool_)
    for window in windows:
        covered[window.top // 20 : -(-window.bottom // 20), window.left // 20 : -(-window.right // 20)] = True
        assert 0 <= window.left < window.right <= size.width
        assert 0 <= window.top < window.bottom <= size.height
    assert covered[: -(-size.height // 20), : -(-size.width // 20)].all()
    lefts = sorted({window.left for window in windows})
    assert all(b - a <= 0.75 * 2_048 for a, b in pairwise(lefts))


def test_the_engine_looks_through_large_pictures_in_tiles(nano: Model) -> None:
    """A bright square of 40 px is nothing on the whole picture, but something in its tile."""
    pixels = np.random.default_rng(0).integers(0, 60, (300, 900, 3), dtype=np.uint8)
    pixels[100:140, 700:740] = 250
    loads = 0

    def load() -> NDArray[np.uint8]:
        nonlocal loads
        loads += 1
        return pixels

    settings = replace(
        people_settings("nano"), tile_px=300, points_per_side=8, min_predicted_iou=0.2, min_stability=0.3, min_area=0
    )
    found = Engine(nano).segment_everything(ImageSource("wide", load), settings)
    square = np.zeros((300, 900), np.bool_)
    square[100:140, 700:740] = True
    overlaps = [(square & mask.mask()).sum() / (square | mask.mask()).sum() for mask in found]
    assert max(overlaps) > 0.6
    assert loads == 1
