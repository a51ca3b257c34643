"""Tracking with a network that has no memory: it answers prompts, and the object is followed by its looks.

Each cell of a frame takes the label of what looked most like it, near its place, on the frames
just passed and on the prompted frame, which is moved along with the object first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.models import Model
from clickmask.decoder.segment import ImageEmbedding, encode_image
from clickmask.decoder.track.appearance import GRID, Remembered, centre_of, colour_grid, match, shifted
from clickmask.decoder.track.crumbs import crumbs
from clickmask.decoder.track.memory import ContentT, Direction, FrameMemory, MemoryBank, MemoryRule, select_memories
from clickmask.decoder.track.prompted import STEEPNESS, answer_prompt
from clickmask.decoder.track.propagation import FrameView, PromptedObject

RULE = MemoryRule(maps=3, pointers=1, prompted=2)  # two frames just passed, the two closest prompted ones


@dataclass(frozen=True, slots=True, eq=False)
class MatchPropagation:
    """The network for prompts, appearance from frame to frame."""

    model: Model

    @property
    def reach(self) -> int:
        """Memories of frames further away than this are never looked at, prompted ones apart."""
        return RULE.reach

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode a frame (H, W, 3)."""
        return encode_image(self.model, image)

    def answer(self, view: FrameView, asked: PromptedObject[Remembered]) -> FrameMemory[Remembered]:
        """Answer a prompt; clicks correct the answer known for this frame, if there is one."""
        known = asked.bank.at(view.index)
        answer = answer_prompt(self.model, view, asked.prompt, known)
        looks = Remembered(colour_grid(view.image), answer.shares(GRID))
        passed = None if known is None else known.passed
        return FrameMemory(view.index, True, answer.logits, answer.predicted_iou, answer.object_score, looks, passed)

    def follow(
        self, view: FrameView, banks: Sequence[MemoryBank[Remembered]], direction: Direction
    ) -> list[FrameMemory[Remembered]]:
        """Find objects that nobody pointed at on this frame, each by itself."""
        colours = colour_grid(view.image)
        guesses = [guess_from(bank, view.index, direction, colours, lambda looks: looks) for bank in banks]
        clean = [
            labels.masked_fill(crumbs(labels, shown_to(bank, lambda looks: looks)), 0.0)
            for labels, bank in zip(guesses, banks, strict=True)
        ]
        return [_memory(view.index, colours, labels, direction) for labels in clean]


def shown_to(bank: MemoryBank[ContentT], looks: Callable[[ContentT], Remembered]) -> list[Tensor]:
    """Where the object is on the frames that a person pointed at, (64, 64) each."""
    return [looks(memory.content).labels for memory in bank.prompted.values()]


def guess_from(
    bank: MemoryBank[ContentT],
    frame: int,
    direction: Direction,
    colours: Tensor,
    looks: Callable[[ContentT], Remembered],
) -> Tensor:
    """Where an object is on a frame of these colours (12, 64, 64), by what its bank remembers: (64, 64) in [0, 1]."""
    maps = select_memories(bank.without(frame), frame, direction, RULE).maps
    latest = bank.at(frame - direction)
    return guess(
        colours,
        [looks(memory.content) for age, memory in maps if age],
        [looks(memory.content) for age, memory in maps if not age],
        None if latest is None else looks(latest.content).labels,
    )


def guess(
    colours: Tensor, passed: Sequence[Remembered], prompted: Sequence[Remembered], latest: Tensor | None
) -> Tensor:
    """Where an object is, by the colours near where it was.

    Args:
        colours: (12, 64, 64) of this frame.
        passed: Frames just passed.
        prompted: Frames that a person pointed at; they are moved to where the object was last seen.
        latest: (64, 64) shares of the object where it was last seen, None if nobody knows.

    Returns:
        (64, 64) shares in [0, 1].
    """
    there = None if latest is None else centre_of(latest)
    return match(colours, [*passed, *(_moved_to(there, looks) for looks in prompted)])


def _moved_to(there: Tensor | None, looks: Remembered) -> Remembered:
    here = centre_of(looks.labels)
    if there is None or here is None:
        return looks
    rows, columns = (round(offset) for offset in (there - here).tolist())
    return Remembered(shifted(looks.colours, rows, columns), shifted(looks.labels, rows, columns))


def _memory(frame: int, colours: Tensor, labels: Tensor, passed: Direction) -> FrameMemory[Remembered]:
    logits = STEEPNESS * (labels - 0.5)
    inside = labels > 0.5
    sureness = float(labels[inside].mean()) if bool(inside.any()) else 0.0
    return FrameMemory(frame, False, logits, sureness, float(logits.max()), Remembered(colours, labels), passed)
