"""Coarse answers get the picture's edges, whatever was asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clickmask.decoder.prompts import Box, Point, Prompt, Size
from clickmask.decoder.refine.edges import sharpen
from clickmask.decoder.refine.window import Window
from clickmask.decoder.refine.zoom import zoom_in
from clickmask.decoder.segment import ImageEmbedding, MaskSet, binarize

BOX = Prompt(box=Box(118.0, 98.0, 282.0, 222.0))
CLICK = Prompt(points=(Point(200.0, 160.0),))


def picture() -> NDArray[np.uint8]:
    """An orange square, x 120 to 280, y 100 to 220, on noisy grey."""
    grey = np.random.default_rng(0).integers(90, 110, (300, 400, 3), dtype=np.uint8)
    grey[100:220, 120:280] = (210, 120, 30)
    return grey


def truth() -> NDArray[np.bool_]:
    mask = np.zeros((300, 400), np.bool_)
    mask[100:220, 120:280] = True
    return mask


def rough_answer() -> torch.Tensor:
    """The square on 64x64 cells, a cell too large all round, with soft edges."""
    rows, columns = torch.meshgrid(torch.arange(64.0) + 0.5, torch.arange(64.0) + 0.5, indexing="ij")
    beyond = torch.maximum((rows - 34.1).abs() - 12.8, (columns - 32).abs() - 12.8)  # cells from the square's edge
    return (1.5 * (1 - beyond)).clamp(-6, 6)


def iou(mask: NDArray[np.bool_]) -> float:
    return float((mask & truth()).sum() / (mask | truth()).sum())


@pytest.mark.parametrize(("prompt", "least"), [(CLICK, 0.9), (BOX, 0.94)])
def test_a_blob_takes_the_squares_edges(prompt: Prompt, least: float) -> None:
    assert iou(binarize(rough_answer(), Size(300, 400))) < 0.87
    assert iou(sharpen(rough_answer(), picture(), prompt)) >= least


def test_nothing_lies_far_outside_the_box() -> None:
    mask = sharpen(rough_answer(), picture(), Prompt(box=Box(120.0, 100.0, 200.0, 220.0)))
    assert mask[120:200, 140:190].all()
    assert not mask[:, 215:].any()


def test_a_click_past_a_box_that_was_drawn_too_small_opens_it() -> None:
    halved = Prompt(box=Box(120.0, 100.0, 200.0, 220.0), points=(Point(250.0, 160.0),))
    assert iou(sharpen(rough_answer(), picture(), halved)) > 0.9


def test_an_object_is_grown_until_it_fills_its_box() -> None:
    """A tail the network doubts, in front of its own colour far away."""
    tailed = picture()
    tailed[150:170, 280:380] = (210, 120, 30)
    tailed[:60] = (210, 120, 30)
    answer = rough_answer()
    answer[32:36, 46:62] = -4.0
    tight = sharpen(answer, tailed, BOX)
    assert not tight[150:170, 300:].any()
    whole = sharpen(answer, tailed, Prompt(box=Box(120.0, 100.0, 380.0, 220.0)))
    assert whole[155:165, 290:370].mean() > 0.9
    assert not whole[:90].any()


def test_specks_go_unless_they_were_clicked() -> None:
    answer = rough_answer()
    answer[5:8, 5:8] = 6.0  # a loose part at x 31 to 50, y 23 to 38
    answer[33:36, 31:34] = -6.0  # a hole in the middle
    plain = np.full((300, 400, 3), 128, np.uint8)
    plain[23:38, 31:50] = plain[154:169, 193:213] = 220
    tidy = sharpen(answer, plain, Prompt(points=(Point(150.0, 130.0),)))
    assert not tidy[30, 40]
    assert tidy[161, 203]
    kept = sharpen(answer, plain, Prompt(points=(Point(40.0, 30.0), Point(203.0, 161.0, positive=False))))
    assert kept[30, 40]
    assert not kept[161, 203]


def test_a_cut_that_loses_the_object_is_not_taken() -> None:
    """Where the colours inside say nothing, a graph cut shrinks to what is certain: once from 70,000 px to 5,000."""
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    unsure = rough_answer().clamp(max=1.0)
    unsure[33:35, 31:33] = 6.0
    before = binarize(unsure, Size(300, 400)).sum()
    assert sharpen(unsure, noise, BOX).sum() > 0.3 * before


def test_equal_questions_get_equal_answers() -> None:
    first = sharpen(rough_answer(), picture(), BOX)
    assert np.array_equal(first, sharpen(rough_answer(), picture(), BOX))


@pytest.mark.parametrize("logit", [-9.0, 9.0])
@pytest.mark.parametrize("box", [None, Box(0.0, 0.0, 400.0, 300.0)])
def test_nothing_stays_nothing_and_everything_everything(logit: float, box: Box | None) -> None:
    mask = sharpen(torch.full((64, 64), logit), picture(), Prompt(box=box))
    assert mask.all() == (logit > 0)
    assert mask.any() == (logit > 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (700, 2)])
def test_pictures_of_any_shape_are_taken(shape: tuple[int, int]) -> None:
    thin = np.full((*shape, 3), 50, np.uint8)
    assert sharpen(rough_answer(), thin, CLICK).shape == shape
    assert sharpen(rough_answer(), thin, Prompt(box=Box(0, 0, shape[1], shape[0]))).shape == shape


def _never_encode(window: Window) -> ImageEmbedding:
    raise AssertionError(f"{window} was encoded")


def _never_answer(embedding: ImageEmbedding, prompt: Prompt) -> MaskSet:
    raise AssertionError(f"{prompt} was asked")


def _answer(logits: torch.Tensor) -> MaskSet:
    return MaskSet(logits.expand(4, -1, -1), torch.full((4,), 0.5), 1.0, Size(300, 400))


def test_an_object_that_fills_the_picture_is_sharpened_without_another_encoding() -> None:
    full = torch.full((64, 64), 5.0)
    full[:3] = -5.0
    look = zoom_in(picture(), BOX, _answer(full), "auto", encode=_never_encode, answer=_never_answer)
    assert look is not None
    assert look.size == Size(300, 400)
    assert look.predicted_iou == 0.5


def test_fine_masks_keep_their_edges() -> None:
    """SAM 2's grid of 256 cells is finer than what the edges are looked for on."""
    full = torch.full((256, 256), 5.0)
    assert zoom_in(picture(), BOX, _answer(full), "auto", encode=_never_encode, answer=_never_answer) is None


def test_nothing_is_looked_at_where_there_is_nothing() -> None:
    empty = torch.full((64, 64), -5.0)
    assert zoom_in(picture(), BOX, _answer(empty), "auto", encode=_never_encode, answer=_never_answer) is None
