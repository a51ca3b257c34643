from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from clickmask.web.video.plan import Basis, Leg, Place, plan_all, plan_back, plan_from, sweep
from clickmask.web.video.records import Direction, FramePrompt, Passed
from clickmask.web.video.run import frames_to_do

HERE = FramePrompt(points=((1.0, 2.0, True),))
THERE = FramePrompt(points=((5.0, 2.0, True),))
GONE = FramePrompt(absent=True)


def passed(prompts: dict[int, FramePrompt], frames: range, direction: Direction) -> list[Passed]:
    basis = Basis(prompts)
    return [Passed(frame, 0.9, True, direction, basis.of(frame, direction)) for frame in frames if frame not in prompts]


def test_a_first_prompt_is_followed_to_both_ends() -> None:
    assert plan_all(7, {4: HERE}, [], 10) == [Leg(7, 4, 9, 1), Leg(7, 4, 0, -1)]
    assert plan_all(7, {0: HERE}, [], 10) == [Leg(7, 0, 9, 1)]
    assert plan_all(7, {9: HERE}, [], 10) == [Leg(7, 9, 0, -1)]


def test_what_was_never_shown_is_not_followed() -> None:
    assert plan_all(7, {}, [], 10) == []
    assert plan_all(7, {3: GONE}, [], 10) == []
    assert plan_from(7, {3: GONE}, [], 10, 3, 1) == []


def test_nothing_is_done_twice() -> None:
    prompts = {4: HERE}
    done = passed(prompts, range(4, 10), 1) + passed(prompts, range(3, -1, -1), -1)
    assert plan_all(7, prompts, done, 10) == []
    assert plan_from(7, prompts, done, 10, 4, 1) == []


def test_a_correction_outdates_what_was_reached_past_it_and_nothing_else() -> None:
    first = {0: HERE}
    done = passed(first, range(0, 10), 1)
    corrected = {0: HERE, 6: THERE}
    basis = Basis(corrected)
    assert [track.frame for track in done if not basis.is_current(track)] == [6, 7, 8, 9]
    assert plan_all(7, corrected, done, 10) == [Leg(7, 6, 9, 1)]
    assert all(Basis(first).is_current(track) for track in done)  # undone, all is as before


def test_a_correction_is_carried_back_to_the_prompt_before_it_once() -> None:
    prompts = {2: HERE, 8: THERE}
    forward = passed(prompts, range(3, 8), 1)
    assert plan_back(1, prompts, forward, 8) == [Leg(1, 8, 3, -1)]
    assert plan_back(1, prompts, passed(prompts, range(3, 8), -1), 8) == []
    assert plan_back(1, prompts, passed(prompts, range(5, 8), -1), 8) == [Leg(1, 8, 3, -1)]
    for frame in (2, 5):  # the first one, and one on which nothing was said
        assert plan_back(1, prompts, forward, frame) == []


def test_a_run_that_was_stopped_goes_on_from_the_last_prompt_before_the_gap() -> None:
    prompts = {0: HERE, 3: THERE}
    assert plan_all(7, prompts, passed(prompts, range(0, 6), 1), 10) == [Leg(7, 3, 9, 1)]


def test_a_run_whose_end_is_remembered_goes_on_from_there() -> None:
    prompts = {3: HERE}
    done = passed(prompts, range(3, 6), 1)
    assert plan_all(7, prompts, done, 10, Place(5, 1)) == [Leg(7, 5, 9, 1), Leg(7, 3, 0, -1)]
    assert plan_from(7, prompts, done, 10, 3, 1, Place(5, 1)) == [Leg(7, 5, 9, 1)]
    assert plan_from(7, prompts, done, 10, 3, 1, Place(5, -1)) == [Leg(7, 3, 9, 1)]  # it went the other way
    corrected = {3: HERE, 4: THERE}
    assert plan_all(7, corrected, done, 10, Place(5, 1)) == [Leg(7, 4, 9, 1), Leg(7, 3, 0, -1)]
    assert plan_all(7, {3: THERE}, done, 10, Place(5, 1)) == [Leg(7, 3, 9, 1), Leg(7, 3, 0, -1)]


def test_a_frame_where_the_object_is_said_to_be_gone_counts_as_a_prompt() -> None:
    prompts = {0: HERE, 5: GONE}
    assert plan_all(7, prompts, [], 10) == [Leg(7, 0, 9, 1)]
    assert plan_all(7, prompts, passed({0: HERE}, range(0, 10), 1), 10) == [Leg(7, 5, 9, 1)]


def test_one_way_goes_from_the_last_prompt_before_the_frame() -> None:
    prompts = {2: HERE, 6: THERE}
    assert plan_from(7, prompts, [], 10, 5, 1) == [Leg(7, 2, 9, 1)]
    assert plan_from(7, prompts, [], 10, 5, -1) == [Leg(7, 6, 0, -1)]
    assert plan_from(7, prompts, [], 10, 0, 1) == [Leg(7, 2, 9, 1)]
    assert plan_from(7, prompts, [], 10, 9, -1) == [Leg(7, 6, 0, -1)]
    assert plan_from(7, prompts, passed(prompts, range(2, 10), 1), 10, 6, -1) == [Leg(7, 6, 0, -1)]  # the other way


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 15)), min_size=1, max_size=6))
def test_a_sweep_passes_every_frame_once_and_each_object_on_all_of_its_own(ends: list[tuple[int, int]]) -> None:
    legs = [Leg(number, start, start + length, 1) for number, (start, length) in enumerate(ends)]
    legs += [Leg(leg.object, leg.last, leg.start, -1) for leg in legs]
    directions: tuple[Direction, Direction] = (1, -1)
    for direction in directions:
        followed: dict[int, list[int]] = {leg.object: [] for leg in legs}
        there: set[int] = set()
        passed_frames: list[int] = []
        for stage in sweep(legs, direction):
            there = there - set(stage.leaving) | {leg.object for leg in stage.joining}
            passed_frames += stage.frames
            for frame in stage.frames:
                for number in there:
                    followed[number].append(frame)
        assert passed_frames == sorted(set(passed_frames), reverse=direction < 0)
        for leg in legs:
            if leg.direction == direction:
                assert followed[leg.object] == list(range(leg.start + direction, leg.last + direction, direction))
    assert frames_to_do(legs) == sum(
        len({frame for start, length in ends for frame in range(start + first, start + first + length)})
        for first in (1, 0)
    )
