"""Find similar: the others of a kind on drawn pictures, with the shipped model, and the parts it is made of."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from benchmarks.drawn_kinds import DrawnPicture, draw_pictures
from clickmask.decoder import Box, Engine, ImageSource, Point, Size, load_model
from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.refine.window import Window
from clickmask.decoder.shapes import mask_iou, mask_to_rle
from clickmask.decoder.similar.evidence import NAMES, Evidence
from clickmask.decoder.similar.examples import Example, Kind, shape_of
from clickmask.decoder.similar.find import SimilarObject, keep_each_once
from clickmask.decoder.similar.score import chances
from clickmask.decoder.similar.windows import MOST_WINDOWS, search_windows, window_around
from tests.decoder.similar.discs import discs, pixels
from tests.decoder.track.small_sam2 import small_model


@cache
def engine() -> Engine:
    return Engine(load_model("nano"))


@cache
def picture() -> DrawnPicture:
    return draw_pictures(3, 1)[0]


def source(drawn: DrawnPicture, name: str = "drawn") -> ImageSource:
    return ImageSource(name, lambda: drawn.pixels)


def example(mask: np.ndarray, of: ImageSource) -> Example:  # type: ignore[type-arg]
    described = engine().describe(of, mask)
    assert described is not None
    return described


def good(found: list[SimilarObject], masks: tuple[np.ndarray, ...]) -> int:  # type: ignore[type-arg]
    """How many of the objects are among what was found."""
    return sum(any(mask_iou(one.found.mask(), mask) >= 0.7 for one in found) for mask in masks)


@cache
def proposed() -> list[SimilarObject]:
    """From the first object of the picture."""
    image, first = source(picture()), picture().kind[0]
    return engine().find_similar(image, Kind((example(first, image),)), [mask_to_rle(first)])


def test_one_example_finds_most_of_the_others_and_little_else() -> None:
    found, (first, *rest) = proposed(), picture().kind
    assert good(found, tuple(rest)) >= 0.6 * len(rest)
    assert good(found, tuple(rest)) >= 0.6 * len(found)
    assert good(found, (first,)) == 0  # it is annotated already
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(0.0 <= one.score <= 1.0 for one in found)


def score_of(found: list[SimilarObject], mask: np.ndarray) -> float:  # type: ignore[type-arg]
    """Of the proposal that is this object; 0 if there is none."""
    return max((one.score for one in found if mask_iou(one.found.mask(), mask) >= 0.7), default=0.0)


def test_what_a_person_dropped_scores_lower_at_once() -> None:
    image, (first, *_) = ImageSource("discs", lambda: pixels(0)), discs()
    known, kind = [mask_to_rle(first)], Kind((example(first, image),))
    before = engine().find_similar(image, kind, known)
    dropped = before[0].found.mask()
    refused = Kind(kind.examples, counterexamples=(example(dropped, image),))
    assert score_of(engine().find_similar(image, refused, known), dropped) < before[0].score


def test_nothing_is_described_where_nothing_is() -> None:
    assert engine().describe(source(picture()), np.zeros(picture().pixels.shape[:2], np.bool_)) is None


@pytest.mark.parametrize(("height", "width", "diameter"), [(480, 640, 9.0), (40, 3000, 30.0), (5, 5, 2.0)])
def test_windows_show_every_object_whole(height: int, width: int, diameter: float) -> None:
    windows = search_windows(Size(height, width), diameter, 32)
    assert 1 <= len(windows) <= MOST_WINDOWS
    half = diameter / 2
    for x in np.arange(half, width - half + 0.1, 1.7):
        for y in np.arange(half, height - half + 0.1, 1.7):
            assert any(
                window.left <= x - half
                and x + half <= window.right
                and window.top <= y - half
                and y + half <= window.bottom
                for window in windows
            )


def test_a_window_around_a_place_stays_in_the_picture() -> None:
    assert window_around(Size(100, 200), (5.0, 95.0), 50) == Window(0, 50, 50, 100)
    assert window_around(Size(30, 200), (100.0, 15.0), 50) == Window(75, 0, 125, 30)


def test_a_shape_stays_the_same_when_it_is_turned_or_larger() -> None:
    bar = np.zeros((80, 80), np.bool_)
    bar[30:40, 10:60] = True
    larger = np.kron(bar, np.ones((2, 2), np.bool_))
    disc = np.hypot(*np.mgrid[-40:40, -40:40]) < 20
    assert torch.allclose(shape_of(bar), shape_of(bar.T), atol=1e-4)
    assert torch.allclose(shape_of(bar), shape_of(larger), atol=0.05)
    assert (shape_of(bar) - shape_of(disc)).abs().sum() > 0.5


def made(left: int, top: int, side: int, score: float) -> SimilarObject:
    mask = np.zeros((60, 60), np.bool_)
    mask[top : top + side, left : left + side] = True
    found = FoundMask(
        mask_to_rle(mask), side * side, Box(left, top, left + side, top + side), 0.9, 0.9, Point(left, top),
        Window(0, 0, 60, 60),
    )  # fmt: skip
    return SimilarObject(found, score, torch.zeros(len(NAMES)))


def test_each_object_is_kept_once() -> None:
    better, shifted, inside, speck, apart = (
        made(10, 10, 20, 0.9),
        made(12, 10, 20, 0.8),
        made(12, 12, 12, 0.7),
        made(14, 14, 3, 0.6),
        made(35, 35, 20, 0.5),
    )
    judged = [apart, inside, shifted, better, speck]
    assert keep_each_once(judged) == [better, speck, apart]
    assert keep_each_once(judged, [better.found.rle]) == [speck, apart]


def test_the_chance_falls_with_likeness_to_what_was_refused() -> None:
    values = torch.full((2, len(NAMES)), 0.8)
    low, high = chances(Evidence(values, torch.tensor([1.0, 0.0]))).tolist()
    assert low < high


def test_sam_2_finds_similar_objects_too() -> None:
    """With random weights: any proposals, but all in order."""
    image, other = ImageSource("discs", lambda: pixels(0)), Engine(small_model())
    described = other.describe(image, discs()[0])
    assert described is not None
    assert [part.shape[1] for part in described.vectors] == [1, 1, 1]
    found = other.find_similar(image, Kind((described,)))
    assert all(0.0 <= one.score <= 1.0 and one.found.area > 0 for one in found)
