"""Following an object by its looks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.shapes import mask_iou, rle_to_mask
from clickmask.decoder.track.appearance import Remembered
from clickmask.decoder.track.matching import MatchPropagation
from clickmask.decoder.track.tracker import Step, Tracker
from clickmask.decoder.video.frames import ArrayVideo

SIDE = 128


def truth(left: int, *, size: int = 40) -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[44 : 44 + size, left : left + size] = True
    return mask


def picture(*squares: tuple[NDArray[np.bool_], tuple[int, int, int]]) -> NDArray[np.uint8]:
    """Coloured squares over noise, the last on top."""
    image = np.random.default_rng(0).integers(60, 110, (SIDE, SIDE, 3), dtype=np.uint8)
    for mask, colour in squares:
        image[mask] = colour
    return image


RED, GREEN, BLUE = (220, 40, 30), (40, 200, 60), (40, 60, 220)


def as_prompt(mask: NDArray[np.bool_]) -> Prompt:
    return Prompt(mask_logits=torch.from_numpy(np.where(mask, 1.0, -1.0)))


def overlap(step: Step[Remembered], object_id: int, mask: NDArray[np.bool_]) -> float:
    return mask_iou(rle_to_mask(step.masks[object_id].rle), mask)


def test_two_objects_cross_and_keep_their_colours(nano: Model) -> None:
    lefts = list(range(0, 88, 4))
    images = [picture((truth(88 - left), BLUE), (truth(left), RED)) for left in lefts]
    tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
    state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(0))).state
    state = tracker.prompt(state, 0, 2, as_prompt(truth(88))).state
    steps = list(tracker.propagate(state, range(len(lefts))))
    assert min(overlap(step, 1, truth(left)) for step, left in zip(steps, lefts, strict=True)) > 0.85
    assert overlap(steps[5], 2, truth(88 - lefts[5])) > 0.85


def test_objects_do_not_change_each_other(nano: Model) -> None:
    images = [picture((truth(88 - 3 * t), BLUE), (truth(3 * t), RED)) for t in range(6)]
    tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
    red = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(0))).state
    both = tracker.prompt(red, 0, 2, as_prompt(truth(88))).state
    for alone, together in zip(tracker.propagate(red, range(6)), tracker.propagate(both, range(6)), strict=True):
        assert alone.masks[1] == together.masks[1]


def test_backward_is_as_good(nano: Model) -> None:
    images = [picture((truth(3 * t), RED)) for t in range(12)]
    tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
    state = tracker.prompt(tracker.start(), 11, 1, as_prompt(truth(33))).state
    steps = list(tracker.propagate(state, range(11, -1, -1)))
    assert min(overlap(step, 1, truth(3 * step.frame)) for step in steps) > 0.85


def test_an_object_that_disappears_is_lost(nano: Model) -> None:
    images = [picture((truth(20), RED))] * 3 + [picture()] * 4
    tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
    state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(20))).state
    steps = list(tracker.propagate(state, range(7), lost_after=2))
    assert [step.masks[1].present for step in steps] == [True, True, True, False, False]


def test_it_is_found_again_near_where_it_was(nano: Model) -> None:
    images = (
        [picture((truth(20), RED))] * 2 + [picture((truth(10, size=60), GREEN))] * 3 + [picture((truth(24), RED))] * 2
    )
    tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
    state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(20))).state
    steps = list(tracker.propagate(state, range(7)))
    assert [step.masks[1].present for step in steps] == [True, True, False, False, False, True, True]
    assert overlap(steps[-1], 1, truth(24)) > 0.8


def test_a_correction_is_followed_from_then_on(nano: Model) -> None:
    images = [picture((truth(70), BLUE), (truth(10 + 2 * t), RED)) for t in range(8)]
    tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
    state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(70))).state  # the wrong one
    state = list(tracker.propagate(state, range(8)))[-1].state
    corrected = tracker.prompt(state, 4, 1, as_prompt(truth(18))).state
    *_, last = tracker.propagate(corrected, range(4, 8))
    assert overlap(last, 1, truth(24)) > 0.85


@pytest.mark.parametrize("objects", [1, 4, 16])
def test_any_number_of_objects(nano: Model, objects: int) -> None:
    tracker = Tracker(MatchPropagation(nano), ArrayVideo([picture((truth(3 * t), RED)) for t in range(3)]))
    state = tracker.start()
    for object_id in range(objects):
        state = tracker.prompt(state, 0, object_id, as_prompt(truth(0))).state
    *_, last = tracker.propagate(state, range(3))
    assert set(last.masks) == set(range(objects))
    assert len({str(mask.rle) for mask in last.masks.values()}) == 1  # all were shown the same


def passing_its_like() -> tuple[list[int], list[NDArray[np.uint8]], NDArray[np.bool_]]:
    """A red square moves over a small red one that stays."""
    lefts = list(range(0, 84, 6))
    stays = np.zeros((SIDE, SIDE), dtype=np.bool_)
    stays[60:72, 56:68] = True
    return lefts, [picture((stays, RED), (truth(left), RED)) for left in lefts], stays


def test_nothing_stays_behind_on_what_it_passed(nano: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    lefts, images, stays = passing_its_like()

    def left_behind() -> int:
        tracker = Tracker(MatchPropagation(nano), ArrayVideo(images))
        state = tracker.prompt(tracker.start(), 0, 1, as_prompt(truth(0))).state
        last = list(tracker.propagate(state, range(len(lefts))))[-1]
        assert overlap(last, 1, truth(lefts[-1])) > 0.8
        return int((rle_to_mask(last.masks[1].rle) & stays).sum())

    assert left_behind() == 0
    monkeypatch.setattr("clickmask.decoder.track.matching.crumbs", lambda shares, prompted: shares > 1)
    assert left_behind() > 50  # the rule is what takes it away
