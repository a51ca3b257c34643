"""Tracking with nano's learned memory: the object is followed by its colours, and what that gives is corrected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.modeling.nano_memory import MemoryOutput, NanoMemory, Remembered
from clickmask.decoder.models import Model
from clickmask.decoder.segment import ImageEmbedding, encode_image
from clickmask.decoder.track import appearance
from clickmask.decoder.track.appearance import GRID, LEAST_SHARE, colour_grid
from clickmask.decoder.track.crumbs import crumbs
from clickmask.decoder.track.matching import RULE, guess_from, shown_to
from clickmask.decoder.track.memory import Direction, FrameMemory, MemoryBank, Selection, select_memories
from clickmask.decoder.track.prompted import answer_prompt
from clickmask.decoder.track.propagation import FrameView, PromptedObject

LOGIT_LIMIT = 32.0  # of the logits to show


class Content(NamedTuple):
    """What one object's frame is remembered by."""

    colours: appearance.Remembered
    learned: Remembered  # of this one object


@dataclass(frozen=True, slots=True, eq=False)
class NanoPropagation:
    """Nano for prompts, its memory from frame to frame."""

    model: Model
    memory: NanoMemory

    @property
    def reach(self) -> int:
        """Memories of frames further away than this are never looked at, prompted ones apart."""
        return RULE.reach

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode a frame (H, W, 3)."""
        return encode_image(self.model, image)

    def answer(self, view: FrameView, asked: PromptedObject[Content]) -> FrameMemory[Content]:
        """Answer a prompt; clicks correct the answer known for this frame, if there is one."""
        known = asked.bank.at(view.index)
        answer = answer_prompt(self.model, view, asked.prompt, known)
        colours = colour_grid(view.image)
        with self.model.computing():
            shares = answer.shares(GRID)
            learned = self._remember(view, self._looks(view, colours), shares[None, None])
        content = Content(appearance.Remembered(colours, shares), learned)
        passed = None if known is None else known.passed
        return FrameMemory(view.index, True, answer.logits, answer.predicted_iou, answer.object_score, content, passed)

    def follow(
        self, view: FrameView, banks: Sequence[MemoryBank[Content]], direction: Direction
    ) -> list[FrameMemory[Content]]:
        """Find objects that nobody pointed at on this frame; those that look at the same frames in one batch."""
        selections = [select_memories(bank.without(view.index), view.index, direction, RULE) for bank in banks]
        colours = colour_grid(view.image)
        guesses = [guess_from(bank, view.index, direction, colours, lambda known: known.colours) for bank in banks]
        alike: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
        for row, selection in enumerate(selections):
            alike[tuple((age, memory.frame) for age, memory in selection.maps)].append(row)
        found: dict[int, FrameMemory[Content]] = {}
        with self.model.computing():
            looks = self._looks(view, colours)
            for rows in alike.values():
                chosen = [selections[row] for row in rows]
                output = self._correct(view, looks, torch.stack([guesses[row] for row in rows]), chosen)
                cleaned = without_crumbs(output, [shown_to(banks[row], lambda known: known.colours) for row in rows])
                found.update(zip(rows, self._memories(view, colours, looks, cleaned, direction), strict=True))
        return [found[row] for row in range(len(banks))]

    def _correct(
        self, view: FrameView, looks: Tensor, guesses: Tensor, selections: Sequence[Selection[Content]]
    ) -> MemoryOutput:
        """Correct guesses (B, 64, 64) of objects that look at memories of the same frames."""
        frames = [
            (maps[0][0], _together([memory.content.learned for _, memory in maps]))
            for maps in zip(*(selection.maps for selection in selections), strict=True)
        ]
        prompted = [frame for age, frame in frames if age == 0]
        passed = [frame for age, frame in sorted(frames, key=lambda pair: pair[0]) if age > 0]
        shares = guesses[:, None].to(self.model.device)
        return self.memory.correct(view.embedding().features, looks, shares, prompted, passed)

    def _memories(
        self, view: FrameView, colours: Tensor, looks: Tensor, output: MemoryOutput, passed: Direction
    ) -> list[FrameMemory[Content]]:
        """Remember what was found, object by object."""
        logits, shares = settle(output)
        learned = self._remember(view, looks, shares)
        scores, ious = output.object_score.float().tolist(), output.predicted_iou.float().sigmoid().tolist()
        memories = []
        for row, (score, iou) in enumerate(zip(scores, ious, strict=True)):
            labels = appearance.Remembered(colours, shares[row, 0].cpu())
            content = Content(labels, Remembered(looks, shares[row : row + 1], learned.values[row : row + 1]))
            memories.append(FrameMemory(view.index, False, logits[row, 0].cpu(), iou, score, content, passed))
        return memories

    def _remember(self, view: FrameView, looks: Tensor, shares: Tensor) -> Remembered:
        return self.memory.remember(view.embedding().features, looks, shares.to(self.model.device))

    def _looks(self, view: FrameView, colours: Tensor) -> Tensor:
        features = view.embedding().features
        return self.memory.looks(features, colours[None].to(self.model.device))  # type: ignore[no-any-return]


def without_crumbs(output: MemoryOutput, shown: Sequence[Sequence[Tensor]]) -> MemoryOutput:
    """Take away what objects left on things that they passed.

    Args:
        output: Of B objects.
        shown: Of each, where it is on the frames that a person pointed at, (64, 64) in [0, 1].
    """
    shares = output.logits[:, 0].float().sigmoid()
    left = torch.stack([crumbs(one, frames) for one, frames in zip(shares, shown, strict=True)])
    return output._replace(logits=output.logits.masked_fill(left[:, None], -LOGIT_LIMIT))


def settle(output: MemoryOutput) -> tuple[Tensor, Tensor]:
    """Logits to show and shares to remember, both (B, 1, 64, 64): nothing where the object is not in the frame."""
    logits = output.logits.float().clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
    logits = torch.where(output.object_score[:, None, None, None] > 0, logits, -LOGIT_LIMIT)
    shares = logits.sigmoid()
    return logits, shares * (shares > LEAST_SHARE)


def _together(objects: Sequence[Remembered]) -> Remembered:
    """One frame's memories of several objects as one."""
    shares: list[Tensor] = [one.shares for one in objects]
    return Remembered(objects[0].looks, torch.cat(shares), torch.cat([one.values for one in objects]))
