"""The zoom looks where it should and pastes back where it looked."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from clickmask.decoder import ImageEmbedding, Model, Point, Prompt, Size, encode_image, predict_masks
from clickmask.decoder.mask_rule import Rule
from clickmask.decoder.prompts import Box
from clickmask.decoder.refine.window import Window, crop_logits, pointed_window, zoom_window
from clickmask.decoder.refine.zoom import ZoomedMask, zoom_in
from clickmask.decoder.segment import MaskSet

SIZE = Size(480, 640)


def _logits(x0: int, y0: int, x1: int, y1: int) -> torch.Tensor:
    logits = torch.full((64, 64), -6.0)
    logits[y0:y1, x0:x1] = 6.0
    return logits


def test_the_window_surrounds_mask_box_and_positive_clicks() -> None:
    prompt = Prompt(
        points=(Point(250.0, 200.0), Point(600.0, 10.0, positive=False)), box=Box(100.0, 150.0, 220.0, 240.0)
    )
    window = zoom_window(_logits(16, 24, 24, 32), prompt, SIZE)  # x 160 to 240, y 180 to 240
    assert window is not None
    assert window.left <= 100 - 0.2 * 150
    assert 250 + 0.2 * 150 <= window.right < 600
    assert window.top <= 150 - 0.2 * 90
    assert 240 + 0.2 * 90 <= window.bottom < 300


def test_nearly_equal_answers_share_a_window() -> None:
    """So that the next click finds the crop encoded already."""
    prompt = Prompt(points=(Point(200.0, 200.0),))
    windows = {zoom_window(_logits(16, 24, 24, 32), Prompt(points=(Point(200.0 + d, 200.0),)), SIZE) for d in range(9)}
    assert windows == {zoom_window(_logits(16, 24, 24, 32), prompt, SIZE)}


def test_there_is_nothing_to_zoom_into_on_an_empty_or_full_answer() -> None:
    prompt = Prompt(points=(Point(5.0, 5.0),))
    assert zoom_window(torch.full((64, 64), -1.0), prompt, SIZE) is None
    assert zoom_window(_logits(0, 0, 60, 64), prompt, SIZE) is None


def test_a_speck_at_the_border_gets_a_window_inside_the_image() -> None:
    window = zoom_window(_logits(63, 63, 64, 64), Prompt(points=(Point(639.0, 479.0),)), SIZE)
    assert window is not None
    assert window.right == 640
    assert window.bottom == 480
    assert min(window.size.width, window.size.height) >= 16


SMALL_BOX = Box(300.0, 200.0, 340.0, 230.0)


def test_a_small_box_says_where_to_look() -> None:
    window = pointed_window(Prompt(box=SMALL_BOX), SIZE, 64)
    assert window is not None
    assert window.left <= 292 < 348 <= window.right
    assert window.top <= 194 < 236 <= window.bottom
    assert window.area < SIZE.height * SIZE.width / 16


def test_a_small_mask_and_the_clicks_that_correct_it_say_where_to_look() -> None:
    earlier = _logits(30, 30, 32, 32)  # x 300 to 320, y 225 to 240
    window = pointed_window(Prompt(points=(Point(380.0, 230.0),), mask_logits=earlier), SIZE, 64)
    assert window is not None
    assert window.left <= 284
    assert window.right >= 396


def test_what_the_whole_image_shows_well_enough_is_not_pointed_at() -> None:
    assert pointed_window(Prompt(box=Box(100.0, 100.0, 400.0, 300.0)), SIZE, 64) is None
    assert pointed_window(Prompt(box=SMALL_BOX), SIZE, 256) is None  # SAM 2 sees four times as many cells
    assert pointed_window(Prompt(points=(Point(5.0, 5.0),)), SIZE, 64) is None  # a click does not tell how large
    assert pointed_window(Prompt(points=(Point(5.0, 5.0),), mask_logits=torch.full((64, 64), -1.0)), SIZE, 64) is None


def test_cropped_logits_show_the_windows_part() -> None:
    cropped = crop_logits(_logits(16, 16, 32, 32), Window(160, 120, 320, 240), SIZE)
    assert bool((cropped[1:-1, 1:-1] > 0).all())
    cropped = crop_logits(_logits(16, 16, 32, 32), Window(320, 240, 480, 360), SIZE)
    assert not bool((cropped[2:, 2:] > 0).any())


def test_a_closer_look_lies_in_its_window(nano: Model) -> None:
    image = np.full((480, 640, 3), 120, np.uint8)
    image[200:260, 300:380] = (200, 40, 40)
    looked_at: list[Window] = []

    def encode(window: Window) -> ImageEmbedding:
        looked_at.append(window)
        return encode_image(nano, window.crop(image))

    look = zoom_in(
        image,
        Prompt(points=(Point(340.0, 230.0),)),
        MaskSet(_logits(30, 26, 38, 35).expand(4, -1, -1), torch.full((4,), 0.5), 1.0, SIZE),
        "auto",
        encode=encode,
        answer=lambda crop, inner: predict_masks(nano, crop, inner),
    )
    assert look is not None
    assert looked_at == [look.window]
    mask = look.mask()
    assert mask.shape == (480, 640)
    assert mask[230, 340]
    mask[look.window.top : look.window.bottom, look.window.left : look.window.right] = False
    assert not mask.any()


def _two_meanings() -> MaskSet:
    """One click may mean the small or the large square; the first look thinks the large one a little better."""
    small, large = _logits(30, 26, 38, 35), _logits(15, 12, 45, 42)
    return MaskSet(torch.stack([small, large, small, large]), torch.tensor([0.3, 0.6, 0.55, 0.5]), 1.0, SIZE)


def _zoom_seeing_the_small_one_better(prompt: Prompt, rule: Rule | int) -> tuple[ZoomedMask, list[Window]]:
    looked_at: list[Window] = []

    def encode(window: Window) -> ImageEmbedding:
        looked_at.append(window)
        return cast(ImageEmbedding, window)  # the answer asks for nothing else

    def answer(crop: ImageEmbedding, inner: Prompt) -> MaskSet:
        window = cast(Window, crop)
        iou = 0.9 if window.size.width < SIZE.width / 2 else 0.6
        assert inner.mask_logits is not None
        return MaskSet(inner.mask_logits.expand(4, -1, -1), torch.full((4,), iou), 1.0, window.size)

    look = zoom_in(np.full((480, 640, 3), 120, np.uint8), prompt, _two_meanings(), rule, encode=encode, answer=answer)
    assert look is not None
    return look, looked_at


def test_the_second_look_decides_between_the_meanings_of_one_click() -> None:
    look, looked_at = _zoom_seeing_the_small_one_better(Prompt(points=(Point(340.0, 230.0),)), "auto")
    assert look.row == 2
    assert look.predicted_iou == pytest.approx(0.9)
    assert len(looked_at) == 2  # equal answers are looked at once


@pytest.mark.parametrize("rule", [1, "iou"])
def test_a_row_that_was_asked_for_is_looked_at_alone(rule: Rule | int) -> None:
    look, looked_at = _zoom_seeing_the_small_one_better(Prompt(points=(Point(340.0, 230.0),)), rule)
    assert (look.row, len(looked_at)) == (1, 1)


def test_two_clicks_mean_one_thing() -> None:
    prompt = Prompt(points=(Point(340.0, 230.0), Point(330.0, 225.0)))
    assert len(_zoom_seeing_the_small_one_better(prompt, "auto")[1]) == 1
