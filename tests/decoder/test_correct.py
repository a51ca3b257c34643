"""Corrections keep what is there: properties on random masks, and on real objects with nano."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from clickmask.decoder import Box, Engine, ImageSource, Model, Point, Prompt, load_image
from clickmask.decoder.correct import REACH, correct, is_small_correction, keep_to_box, keep_what_was_asked
from clickmask.decoder.shapes import deepest_point
from clickmask.web.photos.samples import PHOTOS, sample_photo
from tests.plugin.discs import disc_model

Mask = NDArray[np.bool_]

HEIGHT, WIDTH = 14, 18
masks = arrays(np.bool_, (HEIGHT, WIDTH))
clicks = st.builds(Point, st.floats(0, WIDTH), st.floats(0, HEIGHT), st.booleans())


def pixel(click: Point) -> tuple[int, int]:
    """(row, column) under a click."""
    return min(int(click.y), HEIGHT - 1), min(int(click.x), WIDTH - 1)


def blob(row: int, column: int, radius: float, size: tuple[int, int] = (120, 160)) -> Mask:
    """A disc."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.asarray((y - row) ** 2 + (x - column) ** 2 <= radius**2)


@given(masks, masks, st.lists(clicks, min_size=1, max_size=6))
def test_every_click_is_honoured(before: Mask, answer: Mask, points: list[Point]) -> None:
    corrected = correct(before, answer, points)
    last = {pixel(point): point.positive for point in points}
    assert {place: bool(corrected[place]) for place in last} == last


@given(masks, st.lists(clicks, min_size=1, max_size=6))
def test_every_click_of_a_draft_is_honoured(answer: Mask, points: list[Point]) -> None:
    kept = keep_what_was_asked(answer, Prompt(points=tuple(points)))
    last = {pixel(point): point.positive for point in points}
    assert {place: bool(kept[place]) for place in last} == last


@given(masks, masks, clicks)
def test_a_positive_click_never_takes_away_and_a_negative_one_never_adds(
    before: Mask, answer: Mask, click: Point
) -> None:
    corrected = correct(before, answer, [click])
    lost, added = before & ~corrected, corrected & ~before
    assert not (lost if click.positive else added).any()


@given(masks, masks, clicks)
def test_nothing_far_from_the_click_changes(before: Mask, answer: Mask, click: Point) -> None:
    """Farther than ``REACH`` times the distance to what was there: the nearest pixel of the other kind bounds it."""
    corrected = correct(before, answer, [click])
    row, column = pixel(click)
    others = np.argwhere(before == click.positive)
    changed = np.argwhere(corrected != before)
    if len(others) and len(changed):
        nearest = np.hypot(*(others - (row, column)).T).min()
        assert np.hypot(*(changed - (row, column)).T).max() <= REACH * (nearest + 1) + 1


@given(masks, st.lists(clicks, max_size=4))
def test_inputs_stay_as_they_are(before: Mask, points: list[Point]) -> None:
    copy = before.copy()
    correct(before, ~before, points)
    assert np.array_equal(before, copy)


def test_a_click_takes_over_the_part_it_lies_in_only() -> None:
    before, missing, elsewhere = blob(60, 50, 20), blob(60, 80, 15), blob(20, 140, 8)
    answer = missing | elsewhere  # the network forgot what was there, and found something else too
    corrected = correct(before, answer, [Point(85.5, 60.5)])
    assert np.array_equal(corrected, before | missing)


def test_a_negative_click_takes_away_around_itself() -> None:
    before, leak = blob(60, 50, 30) | blob(60, 95, 15), blob(60, 95, 15) & ~blob(60, 50, 30)
    corrected = correct(before, np.zeros_like(before), [Point(97.5, 60.5, positive=False)])
    assert not corrected[60, 97]
    assert (leak & ~corrected).sum() > 0.9 * leak.sum()
    assert corrected[60, 40]


@given(masks, st.floats(0, 12), st.floats(0, 9), st.floats(1, 6), st.floats(1, 5))
def test_an_answer_keeps_to_its_box(answer: Mask, x: float, y: float, width: float, height: float) -> None:
    box = Box(x, y, x + width, y + height)
    rows, columns = np.nonzero(keep_to_box(answer, box, ()))
    if len(rows):
        assert columns.min() >= x - 0.05 * width
        assert columns.max() + 1 <= x + 1.05 * width
        assert rows.min() >= y - 0.05 * height
        assert rows.max() + 1 <= y + 1.05 * height


def test_a_click_outside_its_box_lets_the_answer_go_on_there() -> None:
    answer = np.ones((HEIGHT, WIDTH), np.bool_)
    box = Box(2, 2, 8, 8)
    assert np.array_equal(keep_to_box(answer, box, [Point(12, 5)]), answer)
    assert not keep_to_box(answer, box, [Point(12, 5, positive=False)])[5, 12]


@pytest.mark.parametrize("network", ["nano", "discs"])
def test_corrections_on_a_photo_keep_the_rest(nano: Model, network: str) -> None:
    """A disc that was drawn over a photo loses nothing to a click beside it, whatever the model thinks of it."""
    engine = Engine(nano if network == "nano" else disc_model())
    pixels = load_image(sample_photo(PHOTOS[0]))
    photo = ImageSource("photo", lambda: pixels)
    height, width = pixels.shape[:2]
    drawn = blob(height // 2, width // 2, height // 6, (height, width))
    beside = Point(width / 2 + height / 4, height / 2)
    added = engine.segment(photo, Prompt(points=(beside,), mask=drawn))
    assert not (drawn & ~added.mask()).any()
    assert added.mask()[int(beside.y), int(beside.x)]
    deepest = deepest_point(drawn)
    assert deepest is not None
    hole = replace(deepest[0], x=deepest[0].x + height / 8, positive=False)
    taken = engine.segment(photo, Prompt(points=(hole,), mask=drawn))
    assert not (taken.mask() & ~drawn).any()
    assert not taken.mask()[int(hole.y), int(hole.x)]
    assert taken.mask().sum() > 0.5 * drawn.sum()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.builds(Point, st.integers(0, 127), st.integers(0, 127), st.booleans()), min_size=1, max_size=5))
def test_a_chain_honours_its_clicks(points: list[Point]) -> None:
    engine = Engine(disc_model())
    image = ImageSource("grey", lambda: np.full((128, 128, 3), 100, np.uint8))
    mask = engine.chain.segment(image, Prompt(points=tuple(points))).mask()
    last = {(int(point.y), int(point.x)): point.positive for point in points}
    assert {place: bool(mask[place]) for place in last} == last


@pytest.mark.parametrize(
    ("click", "is_small"),
    [
        (Point(82.5, 60.5), True),  # 2 px beside a disc of radius 30
        (Point(110.5, 60.5), False),  # far from it: perhaps another object
        (Point(78.5, 60.5, positive=False), True),
        (Point(50.5, 60.5, positive=False), False),
        (Point(50.5, 60.5), False),  # honoured already
    ],
)
def test_a_click_near_the_edge_of_a_draft_mends_it_there(click: Point, is_small: bool) -> None:
    assert is_small_correction(blob(60, 50, 30), click) is is_small
    assert not is_small_correction(np.zeros((120, 160), np.bool_), click)
