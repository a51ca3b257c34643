"""Following a plan: the tracker does the work, this only says from which prompts to which frames."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from clickmask.web.video.plan import Leg, Place, sweep
from clickmask.web.video.records import Direction

if TYPE_CHECKING:
    from clickmask.decoder.track import FrameMemory, Step, Tracker, TrackState

WAYS: tuple[Direction, Direction] = (1, -1)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a run was stopped, to go on from there."""

    place: Place
    state: TrackState[Any]

    def memories(self, object_id: int) -> list[FrameMemory[Any]]:
        """What following the object left behind, in the order it went."""
        memories = self.state.banks[object_id].memories.values()
        followed = [memory for memory in memories if not memory.prompted]
        return sorted(followed, key=lambda memory: memory.frame * self.place.direction)


def frames_to_do(legs: Sequence[Leg]) -> int:
    """How many steps ``follow`` will take."""
    return sum(len(stage.frames) for direction in WAYS for stage in sweep(legs, direction))


def follow(
    tracker: Tracker[Any], legs: Sequence[Leg], memories: Mapping[Leg, Sequence[FrameMemory[Any]]]
) -> Iterator[tuple[Direction, Step[Any]]]:
    """Do the legs, forward ones first.

    Args:
        tracker: Of the video.
        legs: Whom to follow, from where to where.
        memories: What is known of its object before each leg.

    Yields:
        The direction and the step of one frame; frames in between that a person pointed at are steps too.
    """
    for direction in WAYS:
        state: TrackState[Any] = tracker.start()
        for stage in sweep(legs, direction):
            for object_id in stage.leaving:
                state = state.without(object_id)
            for leg in stage.joining:
                for memory in memories[leg]:
                    state = state.with_memories({leg.object: memory}, reach=sys.maxsize)
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
