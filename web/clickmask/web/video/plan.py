"""Which frames still have to be tracked, and in what order: the tracker itself knows nothing of missing or outdated.

A track is outdated when a prompt that was passed on the way to it is not what it was.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from clickmask.web.video.records import Direction, FramePrompt, Passed

Prompts = Mapping[int, FramePrompt]  # by frame


@dataclass(frozen=True, slots=True)
class Leg:
    """One object to follow, from after a frame where it is known to the last frame wanted."""

    object: int
    start: int  # a person pointed there, or a run that was stopped came so far
    last: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Place:
    """A frame, and the way time ran there."""

    frame: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of frames on which the same objects are followed; ``joining`` are new on it."""

    frames: range
    joining: tuple[Leg, ...]
    leaving: tuple[int, ...]  # objects


class Basis:
    """Names, for every frame, the prompts of one object that are passed on the way to it."""

    def __init__(self, prompts: Prompts) -> None:
        self._frames = sorted(prompts)
        keys = [f"{frame}:{prompts[frame].key}" for frame in self._frames]
        self._forward = list(accumulate(keys, _mix, initial=""))
        self._backward = list(accumulate(reversed(keys), _mix, initial=""))

    def of(self, frame: int, direction: Direction) -> str:
        """The name; empty if no prompt is passed."""
        if direction > 0:
            return self._forward[bisect_right(self._frames, frame)]
        return self._backward[len(self._frames) - bisect_left(self._frames, frame)]

    def is_current(self, track: Passed) -> bool:
        """Whether the prompts passed are still what they were."""
        return track.basis == self.of(track.frame, track.direction)


def _mix(before: str, key: str) -> str:
    return hashlib.sha256(f"{before} {key}".encode()).hexdigest()[:16]


def plan_all(
    object_id: int, prompts: Prompts, passed: Sequence[Passed], frame_count: int, stopped: Place | None = None
) -> list[Leg]:
    """The legs that make an object known on every frame: forward from its first prompt, then backward from it.

    Frames whose tracks are current are not done again, as far as tracking can start after them:
    at a prompt, or where the last run was ``stopped``.
    """
    seen = _seen(prompts)
    if not seen:
        return []
    basis, first = Basis(prompts), seen[0]
    done = {track.frame for track in passed if basis.is_current(track)} | set(prompts)
    forward = [t for t in range(first, frame_count) if t not in done]
    backward = [t for t in range(first, -1, -1) if t not in done]
    return [
        *_leg(object_id, _starts(prompts, passed, stopped, 1), forward, 1),
        *_leg(object_id, _starts(prompts, passed, stopped, -1), backward, -1),
    ]


def plan_from(
    object_id: int,
    prompts: Prompts,
    passed: Sequence[Passed],
    frame_count: int,
    frame: int,
    direction: Direction,
    stopped: Place | None = None,
) -> list[Leg]:
    """The leg that follows an object in one direction, from the last prompt before a frame.

    Frames are done again unless they were already reached in this direction, past the same prompts.
    """
    seen = _seen(prompts)
    if not seen:
        return []
    basis = Basis(prompts)
    behind = [t for t in seen if (frame - t) * direction >= 0]
    nearest = max(behind, key=lambda t: t * direction) if behind else min(seen, key=lambda t: t * direction)
    done = {track.frame for track in passed if track.direction == direction and basis.is_current(track)} | set(prompts)
    ahead = range(nearest, frame_count) if direction > 0 else range(nearest, -1, -1)
    wanted = [t for t in ahead if t not in done]
    return _leg(object_id, _starts(prompts, passed, stopped, direction), wanted, direction)


def plan_back(object_id: int, prompts: Prompts, passed: Sequence[Passed], frame: int) -> list[Leg]:
    """The leg that carries what was said on a frame back to the prompt before it.

    Frames in between were followed to from there; once they are followed to from here too, there is nothing to do.
    """
    earlier = [t for t in prompts if t < frame]
    if frame not in _seen(prompts) or not earlier:
        return []
    basis = Basis(prompts)
    done = {track.frame for track in passed if track.direction == -1 and basis.is_current(track)}
    wanted = [t for t in range(frame - 1, max(earlier), -1) if t not in done]
    return _leg(object_id, {frame}, wanted, -1)


def _seen(prompts: Prompts) -> list[int]:
    """Frames on which a person showed the object."""
    return sorted(frame for frame, prompt in prompts.items() if not prompt.absent)


def _starts(prompts: Prompts, passed: Sequence[Passed], stopped: Place | None, direction: Direction) -> set[int]:
    """Frames after which an object can be followed: those with a prompt, and where a run stopped if it is current."""
    if stopped is None or stopped.direction != direction:
        return set(prompts)
    basis = Basis(prompts)
    here = [track for track in passed if stopped == Place(track.frame, track.direction) and basis.is_current(track)]
    return set(prompts) | {track.frame for track in here}


def _leg(object_id: int, starts: set[int], wanted: Sequence[int], direction: Direction) -> list[Leg]:
    if not wanted:
        return []
    start = max((frame for frame in starts if (wanted[0] - frame) * direction > 0), key=lambda frame: frame * direction)
    return [Leg(object_id, start, wanted[-1], direction)]


def sweep(legs: Sequence[Leg], direction: Direction) -> Iterator[Stage]:
    """Put the legs of one direction together, so that every frame is decoded and encoded once for all objects.

    Example:
        >>> for stage in sweep([Leg(1, 0, 9, 1), Leg(2, 4, 6, 1)], 1):
        ...     print(stage.frames, [leg.object for leg in stage.joining], stage.leaving)
        range(1, 5) [1] ()
        range(5, 7) [2] ()
        range(7, 10) [] (2,)
    """
    ours = [leg for leg in legs if leg.direction == direction]
    begins = {leg.start + direction for leg in ours}
    ends = {leg.last + direction for leg in ours}
    for here, there in pairwise(sorted(begins | ends, key=lambda frame: frame * direction)):
        followed = any((here - leg.start) * direction > 0 and (leg.last - here) * direction >= 0 for leg in ours)
        yield Stage(
            frames=range(here, there if followed else here, direction),
            joining=tuple(leg for leg in ours if leg.start + direction == here),
            leaving=tuple(leg.object for leg in ours if leg.last + direction == here),
        )
