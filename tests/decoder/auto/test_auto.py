"""Segment everything for people: each object once, nothing too small or too large, few clicks, little memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clickmask.decoder.auto.doubles import drop_nested, suppress_boxes
from clickmask.decoder.auto.found import FoundMask, as_found, cut_mask
from clickmask.decoder.auto.generate import AnswerPrompts, segment_everything
from clickmask.decoder.auto.grid import grid_levels, grid_points
from clickmask.decoder.auto.settings import NANO, OFFICIAL, AutoSettings, model_settings, people_settings
from clickmask.decoder.auto.small_regions import drop_small_islands, fill_small_holes
from clickmask.decoder.prompts import Point, Prompt, Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.segment import MaskSet, binarize
from clickmask.decoder.shapes import rle_to_mask
from tests.decoder.auto.drawn import draw_answer
from tests.peak import forget_peak, peak_kib

SIZE = Size(240, 320)
WHOLE = Window(0, 0, SIZE.width, SIZE.height)
CELLS = 64


def disc(center: tuple[float, float], radius: float, size: Size = SIZE) -> torch.Tensor:
    """Logits of a disc [px]."""
    x = (torch.arange(CELLS) + 0.5) * size.width / CELLS - center[0]
    y = (torch.arange(CELLS) + 0.5) * size.height / CELLS - center[1]
    return radius - torch.hypot(x[None], y[:, None])


def found(center: tuple[float, float], radius: float, score: float) -> FoundMask:
    """A disc as a found mask."""
    cut = cut_mask(disc(center, radius), SIZE, replace(OFFICIAL, min_stability=0))
    assert cut is not None
    return as_found(cut, score, Point(*center), WHOLE, SIZE)


def discs(centers: Sequence[tuple[float, float]], radius: float) -> tuple[AnswerPrompts, list[Point]]:
    """A picture of discs on a table: a click on one finds it, without its rim and with; and the clicks made."""
    clicks: list[Point] = []

    def answer(prompts: Sequence[Prompt]) -> list[MaskSet]:
        clicks.extend(prompt.points[0] for prompt in prompts)
        return [_answer(prompt.points[0]) for prompt in prompts]

    def _answer(point: Point) -> MaskSet:
        hit = [center for center in centers if np.hypot(center[0] - point.x, center[1] - point.y) < radius]
        rows = [disc(hit[0], radius * scale) for scale in (1, 0.8, 1, 1.15)] if hit else [disc((160, 120), 400)] * 4
        return MaskSet(torch.stack(rows) * 2, torch.tensor([0.9, 0.85, 0.95, 0.9]), 5.0, SIZE)

    return answer, clicks


COINS = [(40.0 + 60 * column, 40.0 + 60 * row) for row in range(3) for column in range(5)]


def test_a_coin_is_found_once_by_people_and_thrice_officially() -> None:
    answer, _ = discs(COINS, 22)
    official = segment_everything(lambda window: answer, SIZE, replace(OFFICIAL, min_stability=0.8))
    people = segment_everything(lambda window: answer, SIZE, replace(people_settings("sam2"), min_stability=0.8))
    assert len(official) > 2 * len(COINS)
    assert len(people) == len(COINS)  # without the table, which is larger than nine tenths of the picture
    assert {round(mask.predicted_iou, 2) for mask in people} == {0.95}


def test_what_lies_within_something_much_larger_stays() -> None:
    car, wheel, wheel_and_tyre = found((160, 120), 100, 0.9), found((120, 150), 20, 0.8), found((120, 150), 24, 0.7)
    assert drop_nested([wheel_and_tyre, wheel, car], max_nesting=0.5) == [car, wheel]
    assert drop_nested([wheel_and_tyre, wheel, car], max_nesting=0.8) == [car, wheel, wheel_and_tyre]


def test_neighbours_that_overlap_a_little_stay() -> None:
    left, right = found((100, 100), 40, 0.9), found((150, 100), 40, 0.8)
    assert drop_nested([left, right], max_nesting=0.1) == [left, right]


@pytest.mark.parametrize("seed", range(20))
def test_boxes_are_suppressed_as_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 40, (60, 2))
    boxes = np.hstack([corners, corners + rng.integers(1, 30, (60, 2))]).astype(np.float32)
    scores = rng.integers(0, 9, 60) / 9  # with ties
    kept: list[int] = []
    for index in sorted(range(60), key=lambda index: (-scores[index], index)):
        if all(box_iou(boxes[index], boxes[other]) <= 0.4 for other in kept):
            kept.append(index)
    assert suppress_boxes(boxes, scores, 0.4) == kept


def box_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = max(float(width), 0) * max(float(height), 0)
    return shared / (float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - shared)


def test_nothing_makes_no_trouble() -> None:
    assert suppress_boxes(np.zeros((0, 4), np.float32), [], 0.7) == []
    empty = MaskSet(torch.full((4, CELLS, CELLS), -5.0), torch.ones(4), -5.0, SIZE)
    for settings in (OFFICIAL, replace(people_settings("nano"), crop_layers=1), replace(OFFICIAL, min_stability=0)):
        found = segment_everything(lambda window: lambda prompts: [empty] * len(prompts), SIZE, settings)
        assert found == []


def test_areas_and_numbers_are_limited() -> None:
    answer, _ = discs(COINS, 22)
    base = AutoSettings(min_stability=0.5)
    share = np.pi * 22**2 / (SIZE.height * SIZE.width)
    areas = [mask.area for mask in segment_everything(lambda window: answer, SIZE, base)]
    assert max(areas) == SIZE.height * SIZE.width
    few = segment_everything(lambda window: answer, SIZE, replace(base, min_area=0.9 * share, max_area=1.1 * share))
    assert few
    assert {mask.area for mask in few} < set(areas)
    assert all(0.9 * share <= mask.area / (SIZE.height * SIZE.width) <= 1.1 * share for mask in few)
    best = segment_everything(lambda window: answer, SIZE, replace(base, most=4))
    assert len(best) == 4


def test_progress_rises_to_the_end_over_all_crops() -> None:
    shares: list[float] = []
    settings = AutoSettings(points_per_side=5, crop_layers=1)
    answer, clicks = discs(COINS, 22)
    segment_everything(lambda window: answer, SIZE, settings, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(clicks) == 5 * 25


def test_the_grid_goes_row_by_row() -> None:
    places = [(point.x, point.y) for point in grid_points(Size(30, 60), 3)]
    assert places[:4] == [(10.0, 5.0), (30.0, 5.0), (50.0, 5.0), (10.0, 15.0)]


@pytest.mark.parametrize("side", [1, 2, 7, 16])
def test_every_level_of_an_adaptive_search_together_is_the_grid(side: int) -> None:
    assert sorted(position for level in grid_levels(side) for position in level) == list(range(side * side))


def test_an_adaptive_search_finds_the_same_with_fewer_clicks() -> None:
    answer, clicks = discs(COINS, 22)
    settings = replace(people_settings("sam2"), min_stability=0.8)
    all_found = segment_everything(lambda window: answer, SIZE, settings)
    everywhere = len(clicks)
    clicks.clear()
    shares: list[float] = []
    adaptive = segment_everything(lambda window: answer, SIZE, replace(settings, adaptive=True), shares.append)
    assert {mask.area for mask in adaptive} == {mask.area for mask in all_found}
    assert len(adaptive) == len(all_found)
    assert len(clicks) < everywhere
    assert shares[-1] == 1.0


def test_a_cut_mask_is_the_mask_and_its_stability_is_that_at_full_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        logits = disc((rng.uniform(0, 320), rng.uniform(0, 240)), rng.uniform(5, 100)) + torch.from_numpy(
            rng.normal(0, 1, (CELLS, CELLS)).astype(np.float32)
        )
        cut = cut_mask(logits, SIZE, replace(OFFICIAL, min_stability=0))
        assert cut is not None
        made = as_found(cut, 0.9, Point(1, 2), WHOLE, SIZE)
        assert np.array_equal(made.mask(), binarize(logits, SIZE))
        assert made.area == np.count_nonzero(made.mask())
        inner, outer = (np.count_nonzero(binarize(logits + shift, SIZE)) for shift in (-1.0, 1.0))
        assert made.stability == pytest.approx(inner / outer, abs=1e-3)


def test_holes_that_the_crop_only_seems_to_close_stay() -> None:
    """A mask from top to bottom: what lies beside it is the rest of the image, not a hole."""
    band = np.ones((10, 4), np.bool_)
    band[:, 0] = False  # one column of background beside it, behind which the image goes on
    goes_on = np.zeros_like(band)
    goes_on[:, 0] = True
    assert np.array_equal(fill_small_holes(band, 100, goes_on), band)
    assert fill_small_holes(band, 100, np.zeros_like(band)).all()


def test_the_largest_island_stays_even_if_it_is_small() -> None:
    mask = np.zeros((9, 9), np.bool_)
    mask[1, 1:3] = mask[5, 5] = True
    assert drop_small_islands(mask, 100).sum() == 2
    assert drop_small_islands(np.zeros_like(mask), 100).sum() == 0


def test_thresholds_fit_the_model() -> None:
    """nano's thresholds used to be taken for SAM 2 as well."""
    assert model_settings("nano") == NANO
    assert model_settings("sam2.1_hiera_large") == OFFICIAL
    assert (OFFICIAL.min_predicted_iou, OFFICIAL.min_stability, OFFICIAL.points_per_side) == (0.8, 0.95, 32)


def test_memory_does_not_grow_with_the_number_of_clicks() -> None:
    """Every found mask used to keep its whole batch alive: 2 GB at 32 points a side."""
    size = Size(1500, 2000)

    def answer(prompts: Sequence[Prompt]) -> list[MaskSet]:
        drawn = [draw_answer((0, 0, size.width, size.height), p.points[0].x, p.points[0].y) for p in prompts]
        return [MaskSet(logits, scores, 1.0, size) for logits, scores in drawn]

    loose = AutoSettings(min_predicted_iou=0.1, min_stability=0.1)
    segment_everything(lambda window: answer, size, replace(loose, points_per_side=4))
    forget_peak()
    before = peak_kib()
    found = segment_everything(lambda window: answer, size, replace(loose, points_per_side=24))
    assert len(found) > 200
    assert peak_kib() - before < 60 * 1024
    assert rle_to_mask(found[0].rle).shape == (1500, 2000)
