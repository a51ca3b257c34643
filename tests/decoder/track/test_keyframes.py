"""Few keyframes, and every box between them within the promise."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from clickmask.decoder.formats.label_studio.keyframes import Keyframe, choose_keyframes, interpolate
from clickmask.decoder.prompts import Box
from clickmask.decoder.shapes import box_iou

sides = st.integers(5, 60)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), st.integers(0, 50), st.integers(0, 50), sides, sides)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), boxes), max_size=25))
def test_every_box_is_kept_within_the_promise(track: list[Box | None]) -> None:
    keyframes = choose_keyframes(dict(enumerate(track)))
    assert [keyframe.frame for keyframe in keyframes] == sorted({keyframe.frame for keyframe in keyframes})
    for frame, box in enumerate(track):
        drawn = shown(keyframes, frame)
        assert (drawn is None) == (box is None)
        if drawn is not None and box is not None:
            assert box_iou(drawn, box) >= 0.95


def shown(keyframes: list[Keyframe], frame: int) -> Box | None:
    """What a player shows: lines between keyframes, nothing after one that says the object is gone."""
    for before, after in pairwise(keyframes):
        if before.frame <= frame < after.frame:
            return interpolate(before, after, frame) if before.seen else None
    if keyframes and keyframes[-1].frame <= frame and keyframes[-1].seen:
        return keyframes[-1].box
    return None


def test_a_turn_takes_one_keyframe_more() -> None:
    there = {t: Box(2 * t, 0, 2 * t + 40, 40) for t in range(50)}
    back = {50 + t: Box(100 - 2 * t, 0, 140 - 2 * t, 40) for t in range(50)}
    assert [keyframe.frame for keyframe in choose_keyframes(there | back)] == [0, 50, 99]


def test_an_object_that_goes_and_comes_back() -> None:
    track = {t: Box(0, 0, 10, 10) if t not in range(3, 6) else None for t in range(8)}
    assert [(k.frame, k.seen) for k in choose_keyframes(track)] == [
        (0, True), (2, True), (3, False), (6, True), (7, True)
    ]  # fmt: skip


def test_an_object_never_seen() -> None:
    assert choose_keyframes({0: None, 1: None}) == []
