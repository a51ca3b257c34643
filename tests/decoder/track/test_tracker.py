"""The tracker: objects on their own, pause and resume, corrections, both directions, bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch

from clickmask.decoder.errors import PromptError, VideoError
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.shapes import mask_iou, rle_to_mask
from clickmask.decoder.track.sam2_memory import Sam2Memory
from clickmask.decoder.track.sam2_propagation import Sam2Propagation
from clickmask.decoder.track.tracker import Step, Tracker, TrackState
from clickmask.decoder.video.frames import ArrayVideo, LiveVideo
from tests.decoder.track.small_sam2 import moving_square, small_model

FRAMES = 9
BOX = Prompt(box=Box(16, 16, 32, 32))
CLICK = Prompt(points=(Point(40, 40),))
CLICKS = Prompt(points=(Point(24, 20), Point(50, 50, positive=False)))

State = TrackState[Sam2Memory]


@pytest.fixture(scope="module")
def model() -> Model:
    return small_model()


@pytest.fixture(scope="module")
def tracker(model: Model) -> Tracker[Sam2Memory]:
    return Tracker(Sam2Propagation(model), ArrayVideo(moving_square(FRAMES)))


def last(steps: Iterable[Step[Sam2Memory]]) -> Step[Sam2Memory]:
    return list(steps)[-1]


def logits(state: State, object_id: int, frame: int) -> torch.Tensor:
    memory = state.banks[object_id].at(frame)
    assert memory is not None
    return memory.logits


def assert_same(ours: State, theirs: State, object_id: int) -> None:
    assert set(ours.banks[object_id].memories) == set(theirs.banks[object_id].memories)
    for frame in ours.banks[object_id].memories:
        torch.testing.assert_close(logits(ours, object_id, frame), logits(theirs, object_id, frame), atol=1e-3, rtol=0)


def test_objects_do_not_change_each_other(tracker: Tracker[Sam2Memory]) -> None:
    """In one batch or alone, pointed at in any order, some first seen later: each object's masks are its own."""
    prompts = {1: (0, BOX), 2: (0, CLICK), 3: (4, CLICKS)}
    together = tracker.start()
    for key in (3, 1, 2):
        together = tracker.prompt(together, prompts[key][0], key, prompts[key][1]).state
    together = last(tracker.propagate(together, range(FRAMES))).state
    for key, (frame, prompt) in prompts.items():
        alone = tracker.prompt(tracker.start(), frame, key, prompt).state
        assert_same(last(tracker.propagate(alone, range(FRAMES))).state, together, key)


def test_pause_and_resume_is_as_if_nothing_happened(tracker: Tracker[Sam2Memory]) -> None:
    start = tracker.prompt(tracker.start(), 0, 1, BOX).state
    paused = last(tracker.propagate(start, range(4))).state
    resumed = last(tracker.propagate(paused, range(4, FRAMES))).state
    assert_same(resumed, last(tracker.propagate(start, range(FRAMES))).state, 1)


def test_a_state_is_never_changed(tracker: Tracker[Sam2Memory]) -> None:
    start = tracker.prompt(tracker.start(), 0, 1, BOX).state
    before = dict(start.banks[1].memories)
    list(tracker.propagate(start, range(FRAMES)))
    tracker.prompt(start, 3, 1, CLICK)
    assert dict(start.banks[1].memories) == before
    assert not tracker.start().banks


def test_a_correction_sticks_and_changes_what_follows(tracker: Tracker[Sam2Memory]) -> None:
    start = tracker.prompt(tracker.start(), 0, 1, BOX).state
    tracked = last(tracker.propagate(start, range(FRAMES))).state
    corrected = tracker.prompt(tracked, 4, 1, CLICKS).state
    again = last(tracker.propagate(corrected, range(4, FRAMES))).state
    assert torch.equal(logits(again, 1, 4), logits(corrected, 1, 4))
    assert not torch.allclose(logits(again, 1, 4), logits(tracked, 1, 4))
    assert not torch.allclose(logits(again, 1, 6), logits(tracked, 1, 6))
    assert torch.equal(logits(again, 1, 2), logits(tracked, 1, 2))


def test_a_correction_starts_from_the_answer_it_corrects(tracker: Tracker[Sam2Memory]) -> None:
    start = tracker.prompt(tracker.start(), 0, 1, BOX).state
    tracked = last(tracker.propagate(start, range(FRAMES))).state
    known = tracker.prompt(tracked, 4, 1, CLICKS).state
    given = Prompt(points=CLICKS.points, mask_logits=logits(tracked, 1, 4))
    assert torch.equal(logits(known, 1, 4), logits(tracker.prompt(tracked, 4, 1, given).state, 1, 4))
    other = Prompt(points=CLICKS.points, mask_logits=-logits(tracked, 1, 4))
    assert not torch.allclose(logits(known, 1, 4), logits(tracker.prompt(tracked, 4, 1, other).state, 1, 4))


def test_backward_reaches_the_first_frame(tracker: Tracker[Sam2Memory]) -> None:
    start = tracker.prompt(tracker.start(), FRAMES - 1, 1, BOX).state
    steps = list(tracker.propagate(start, range(FRAMES - 1, -1, -1)))
    assert [step.frame for step in steps] == list(range(FRAMES - 1, -1, -1))
    assert [step.masks[1].prompted for step in steps] == [True] + [False] * (FRAMES - 1)


def test_time_has_a_direction(tracker: Tracker[Sam2Memory]) -> None:
    """Around a prompt in the middle, the frame after and the frame before are told apart."""
    start = tracker.prompt(tracker.start(), 4, 1, BOX).state
    state = last(tracker.propagate(start, range(4, FRAMES))).state
    forward_only = last(tracker.propagate(start, range(4, 2, -1))).state
    both = last(tracker.propagate(state, range(4, 2, -1))).state
    assert not torch.allclose(logits(both, 1, 3), logits(forward_only, 1, 3))  # 5, 6, ... were known to the first


def test_a_mask_is_the_answer(tracker: Tracker[Sam2Memory]) -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[16:32, 16:40] = True
    given = torch.from_numpy(np.where(mask, 1.0, -1.0))
    step = tracker.prompt(tracker.start(), 0, 1, Prompt(mask_logits=given))
    assert mask_iou(rle_to_mask(step.masks[1].rle), mask) > 0.96  # the network's grid rounds the corners
    assert step.masks[1].present
    assert len(list(tracker.propagate(step.state, range(FRAMES)))) == FRAMES


def test_a_removed_object_is_not_followed(tracker: Tracker[Sam2Memory]) -> None:
    state = tracker.prompt(tracker.start(), 0, 1, BOX).state
    state = tracker.prompt(state, 0, 2, CLICK).state.without(1)
    assert set(last(tracker.propagate(state, range(3))).masks) == {2}


def test_a_lost_object_is_given_up() -> None:
    """A network that sees the object nowhere: two frames, then the end."""
    tracker = Tracker(Sam2Propagation(small_model(seen=-100)), ArrayVideo(moving_square(FRAMES)))
    start = tracker.prompt(tracker.start(), 0, 1, Prompt(mask_logits=torch.ones(64, 64))).state
    steps = list(tracker.propagate(start, range(FRAMES), lost_after=2))
    assert [step.frame for step in steps] == [0, 1, 2]
    assert [step.masks[1].present for step in steps] == [True, False, False]
    assert len(list(tracker.propagate(start, range(FRAMES)))) == FRAMES


def test_a_stream_is_followed_as_it_comes(model: Model, tracker: Tracker[Sam2Memory]) -> None:
    live = Tracker(Sam2Propagation(model), LiveVideo(iter(moving_square(FRAMES))))
    state = live.prompt(live.start(), 0, 1, BOX).state
    steps = list(live.propagate(state, range(1_000_000)))
    assert [step.frame for step in steps] == list(range(FRAMES))
    with pytest.raises(VideoError, match=r"frame 0 of the stream has passed: wanted 8 or a later one"):
        live.prompt(state, 0, 2, CLICK)


@pytest.mark.parametrize("frame", [-1, FRAMES])
def test_a_frame_that_is_not_there(tracker: Tracker[Sam2Memory], frame: int) -> None:
    with pytest.raises(VideoError, match=f"frame {frame} does not exist, wanted 0 to 8"):
        tracker.prompt(tracker.start(), frame, 1, BOX)


def test_following_nothing_or_by_leaps(tracker: Tracker[Sam2Memory]) -> None:
    with pytest.raises(PromptError, match="no object to follow"):
        next(tracker.propagate(tracker.start(), range(3)))
    state = tracker.prompt(tracker.start(), 0, 1, BOX).state
    with pytest.raises(VideoError, match="the range steps by 2, wanted 1 or -1"):
        next(tracker.propagate(state, range(0, 8, 2)))


def test_a_prompt_outside_the_frame(tracker: Tracker[Sam2Memory]) -> None:
    with pytest.raises(PromptError, match=r"point \(80, 3\) is outside the 64x64 image"):
        tracker.prompt(tracker.start(), 0, 1, Prompt(points=(Point(80, 3),)))


def test_a_prompt_far_back_is_answered_as_from_the_state_of_its_frame() -> None:
    """A frame more than 15 back used to be answered as a first prompt, without a word: mask IoU .16 to SAM 2's."""
    tracker = Tracker(Sam2Propagation(small_model()), ArrayVideo(moving_square(24)))
    first = tracker.prompt(tracker.start(), 0, 1, Prompt(points=(Point(20, 25),)))
    steps = list(tracker.propagate(first.state, range(24)))
    correction = Prompt(points=(Point(22, 30), Point(50, 50, positive=False)))
    near = tracker.prompt(steps[5].state, 5, 1, correction)
    far = tracker.prompt(steps[-1].state, 5, 1, correction)
    torch.testing.assert_close(far.state.banks[1].at(5).logits, near.state.banks[1].at(5).logits)  # type: ignore[union-attr]
    assert steps[-1].state.banks[1].at(5) is None  # memory stays bounded


def test_pointing_again_where_a_person_pointed_looks_at_that_too() -> None:
    """Its own memory was left out, so that with no other prompt it was answered as a first one."""
    tracker = Tracker(Sam2Propagation(small_model()), ArrayVideo(moving_square(6)))
    first = tracker.prompt(tracker.start(), 2, 1, Prompt(points=(Point(20, 25),)))
    state = list(tracker.propagate(first.state, range(2, 6)))[-1].state
    again = Prompt(points=(Point(22, 30),))
    alone = tracker.prompt(first.state, 2, 1, again).state.banks[1].at(2)
    looking = tracker.prompt(state, 2, 1, again).state.banks[1].at(2)
    assert alone is not None
    assert looking is not None
    assert (alone.logits - looking.logits).abs().max() > 0.1
