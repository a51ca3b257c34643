"""What tracking remembers, as values: memories of single frames, a bank of them, and which to look at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from torch import Tensor

ContentT = TypeVar("ContentT")
Direction = Literal[1, -1]  # forward or backward in time


@dataclass(frozen=True, slots=True, eq=False)
class FrameMemory(Generic[ContentT]):
    """What one object left behind on one frame."""

    frame: int
    prompted: bool  # a person pointed here: never forgotten, never tracked over
    logits: Tensor  # (h, w) float32 on the CPU; > 0 is object
    predicted_iou: float  # in [0, 1]
    object_score: float  # logit, > 0: the object is in the frame
    content: ContentT  # what the way of tracking needs of this frame later
    passed: Direction | None = None  # how propagation last came by; None: not yet

    @property
    def present(self) -> bool:
        """Whether the object is in the frame."""
        return self.object_score > 0

    @property
    def worth(self) -> float:
        """How much the memory is to be relied on: predicted IoU times how surely the object is there, in [0, 1].

        Source: SAM 3 (Carion et al., 2025).
        """
        return self.predicted_iou * math.tanh(max(self.object_score, 0.0) / 2)


@dataclass(frozen=True, slots=True)
class MemoryRule:
    """How far tracking looks back."""

    maps: int = 7  # memories with a map, one of them for the prompted frames
    pointers: int = 16  # frames whose object pointers are looked at
    stride: int = 1  # between the maps, except the newest
    prompted: int | None = None  # prompted frames looked at, the closest; None: all
    least_worth: float | None = None  # of a frame that is looked at, see ``FrameMemory.worth``; None: whatever it is

    @property
    def reach(self) -> int:
        """Frames that lie further away, and were not prompted, are never looked at."""
        return max(self.pointers - 1, (self.maps - 1) * self.stride + 1)


@dataclass(frozen=True, slots=True, eq=False)
class MemoryBank(Generic[ContentT]):
    """One object's memories by frame; adding to it makes another bank."""

    memories: Mapping[int, FrameMemory[ContentT]] = field(default_factory=lambda: MappingProxyType({}))
    done: range = range(0)  # from the first frame ever remembered to the last, forgotten ones included

    def add(self, memory: FrameMemory[ContentT], reach: int) -> MemoryBank[ContentT]:
        """Remember a frame, and forget those more than ``reach`` frames away that nobody pointed at."""
        kept = {
            frame: old for frame, old in self.memories.items() if old.prompted or abs(frame - memory.frame) <= reach
        }
        first, last = (self.done[0], self.done[-1]) if self.done else (memory.frame, memory.frame)
        done = range(min(first, memory.frame), max(last, memory.frame) + 1)
        return MemoryBank(MappingProxyType(kept | {memory.frame: memory}), done)

    def without(self, frame: int) -> MemoryBank[ContentT]:
        """The bank that does not know this frame."""
        return replace(self, memories=MappingProxyType({t: m for t, m in self.memories.items() if t != frame}))

    def forgot(self, frame: int) -> bool:
        """Whether the frame was passed and is no longer remembered."""
        return frame in self.done and frame not in self.memories

    def at(self, frame: int) -> FrameMemory[ContentT] | None:
        """The memory of this frame, if there is one."""
        return self.memories.get(frame)

    @property
    def prompted(self) -> dict[int, FrameMemory[ContentT]]:
        """Memories of the frames a person pointed at, oldest prompt first."""
        return {frame: memory for frame, memory in self.memories.items() if memory.prompted}

    def lost_for(self, frame: int, direction: Direction) -> int:
        """Count the frames just before this one, on the way to it, in which the object was not seen."""
        lost = 0
        while (memory := self.at(frame - direction * (lost + 1))) is not None and not memory.present:
            lost += 1
        return lost


@dataclass(frozen=True, slots=True, eq=False)
class Selection(Generic[ContentT]):
    """The memories one frame looks at."""

    maps: tuple[tuple[int, FrameMemory[ContentT]], ...]  # (age, memory); age 0: prompted, 1 the newest before
    pointers: tuple[tuple[int, FrameMemory[ContentT]], ...]  # (frames back on the way to this frame, memory)


def select_memories(
    bank: MemoryBank[ContentT],
    frame: int,
    direction: Direction,
    rule: MemoryRule,
    frame_count: int | None = None,
) -> Selection[ContentT]:
    """Choose what to look at: the prompted frames, the frames just passed, and their pointers.

    A prompted frame that is too far to be among the closest still counts as an ordinary one.
    Pointers never come from the frames ahead. Where the rule asks for a least worth, frames of less are passed over,
    all but the newest, and those before them take their ages: SAM 3's way.

    Args:
        bank: Of one object.
        frame: The frame to be tracked.
        direction: In which tracking comes to it.
        rule: How far to look back.
        frame_count: Of the video, None if nobody knows; short videos look at fewer pointers.

    Source: SAM 2 (Ravi et al., 2024), SAM 3 (Carion et al., 2025).
    """
    prompted = bank.prompted
    closest = closest_frames(prompted, frame, rule.prompted)
    ordinary = {t: memory for t, memory in bank.memories.items() if t not in closest}
    maps = [(0, prompted[t]) for t in prompted if t in closest]
    behind = [((frame - t) * direction, prompted[t]) for t in prompted if t in closest]
    pointers = [(back, memory) for back, memory in behind if back >= 0]
    reach = pointer_reach(rule, frame_count)
    if rule.least_worth is not None:
        worthy = _worthy(ordinary, frame, direction, rule.least_worth, reach)
        maps += [(age, memory) for age, memory in reversed(worthy) if age < rule.maps]
        return Selection(tuple(maps), tuple(pointers + worthy))
    for age in range(rule.maps - 1, 0, -1):
        memory = ordinary.get(_aged(frame, age, direction, rule.stride))
        maps += [] if memory is None else [(age, memory)]
    for back in range(1, reach + 1):
        memory = ordinary.get(frame - direction * back)
        pointers += [] if memory is None else [(back, memory)]
    return Selection(tuple(maps), tuple(pointers))


def _worthy(
    ordinary: Mapping[int, FrameMemory[ContentT]], frame: int, direction: Direction, least: float, most: int
) -> list[tuple[int, FrameMemory[ContentT]]]:
    """Frames behind that are worth looking at, and the newest, with their ages counted among themselves."""
    backs = sorted(direction * (frame - t) for t in ordinary if direction * (frame - t) > 0)
    behind = [(back, ordinary[frame - direction * back]) for back in backs]
    kept = [memory for back, memory in behind if back == 1 or memory.worth > least]
    return list(enumerate(kept[:most], start=1))


def pointer_reach(rule: MemoryRule, frame_count: int | None) -> int:
    """How many frames back pointers are looked at, at least 1."""
    frames = rule.pointers if frame_count is None else min(frame_count, rule.pointers)
    return max(frames - 1, 1)


def closest_frames(prompted: Iterable[int], frame: int, most: int | None) -> frozenset[int]:
    """Choose up to ``most`` prompted frames: the nearest on either side, then whichever are nearest.

    Example:
        >>> sorted(closest_frames([0, 10, 20, 90], frame=30, most=2))
        [20, 90]
    """
    frames = sorted(prompted, key=lambda t: abs(t - frame))
    if most is None or len(frames) <= most:
        return frozenset(frames)
    sides = [[t for t in frames if t < frame], [t for t in frames if t >= frame]]
    nearest = [side[0] for side in sides if side]
    return frozenset([*nearest, *(t for t in frames if t not in nearest)][:most])


def _aged(frame: int, age: int, direction: Direction, stride: int) -> int:
    """The frame that stands at this age: the newest is the one just passed, the others lie on the stride's grid."""
    if age == 1:
        return frame - direction
    newest = (frame * direction - 2) // stride * stride
    return direction * (newest - (age - 2) * stride)
