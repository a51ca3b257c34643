"""Following a plan: the tracker does the work, this only says from which prompts to which frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from web.video_plan import Leg, sweep
from web.video_records import Direction

if TYPE_CHECKING:
    from decoder.track.memory import FrameMemory
    from decoder.track.tracker import Step, Tracker, TrackState

WAYS: tuple[Direction, Direction] = (1, -1)


def frames_to_do(legs: Sequence[Leg]) -> int:
    """How many steps ``follow`` will take."""
    return sum(len(stage.frames) for direction in WAYS for stage in sweep(legs, direction))


def follow(
    tracker: Tracker[Any], legs: Sequence[Leg], memories: Mapping[int, Sequence[FrameMemory[Any]]]
) -> Iterator[tuple[Direction, Step[Any]]]:
    """Do the legs, forward ones first.

    Args:
        tracker: Of the video.
        legs: Whom to follow, from where to where.
        memories: What the prompts of each object left behind, by object.

    Yields:
        The direction and the step of one frame; frames in between that a person pointed at are steps too.
    """
    for direction in WAYS:
        state: TrackState[Any] = tracker.start()
        for stage in sweep(legs, direction):
            for object_id in stage.leaving:
                state = state.without(object_id)
            for object_id in stage.joining:
                for memory in memories[object_id]:
                    state = state.with_memories({object_id: memory}, reach=0)
            if stage.frames:
                for step in tracker.propagate(state, stage.frames):
                    state = step.state
                    yield direction, step


def taking_turns(steps: Iterator[tuple[Direction, Step[Any]]], turn: Lock) -> Iterator[tuple[Direction, Step[Any]]]:
    """The same steps, each done while holding the lock, so that several videos share the device frame by frame."""
    while True:
        with turn:
            step = next(steps, None)
        if step is None:
            return
        yield step
