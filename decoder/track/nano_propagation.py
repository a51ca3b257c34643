"""Tracking with nano's learned memory: every frame asks the frames remembered what its places are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decoder.modeling.nano_memory import Looks, NanoMemory, Remembered
from decoder.models import Model
from decoder.segment import LOGIT_LIMIT, ImageEmbedding, encode_image
from decoder.track.appearance import GRID, colour_grid
from decoder.track.memory import Direction, FrameMemory, MemoryBank, MemoryRule, Selection, select_memories
from decoder.track.prompted import answer_prompt
from decoder.track.propagation import FrameView, PromptedObject

RULE = MemoryRule(maps=4, pointers=1, prompted=2)  # three frames just passed, the two closest prompted ones

NanoFrameMemory = FrameMemory[Remembered]


@dataclass(frozen=True, slots=True, eq=False)
class NanoPropagation:
    """Nano for prompts, its memory from frame to frame."""

    model: Model
    memory: NanoMemory
    rule: MemoryRule = field(default_factory=lambda: RULE)

    @property
    def reach(self) -> int:
        """Memories of frames further away than this are never looked at, prompted ones apart."""
        return self.rule.reach

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode a frame (H, W, 3)."""
        return encode_image(self.model, image)

    def answer(self, view: FrameView, asked: PromptedObject[Remembered]) -> NanoFrameMemory:
        """Answer a prompt; clicks correct the answer known for this frame, if there is one."""
        known = asked.bank.at(view.index)
        answer = answer_prompt(self.model, view, asked.prompt, known)
        with torch.inference_mode(), self.model.autocast():
            shares = answer.shares(GRID)[None, None].to(self.model.device)
            seen = self.memory.remember(view.embedding().features, self._looks(view), shares)
        passed = None if known is None else known.passed
        return FrameMemory(view.index, True, answer.logits, answer.predicted_iou, answer.object_score, seen, passed)

    def follow(
        self, view: FrameView, banks: Sequence[MemoryBank[Remembered]], direction: Direction
    ) -> list[NanoFrameMemory]:
        """Find objects that nobody pointed at on this frame; those that look at the same frames in one batch."""
        selections = [select_memories(bank.without(view.index), view.index, direction, self.rule) for bank in banks]
        alike: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
        for row, selection in enumerate(selections):
            alike[tuple((age, memory.frame) for age, memory in selection.maps)].append(row)
        found: dict[int, NanoFrameMemory] = {}
        with torch.inference_mode(), self.model.autocast():
            looks = self._looks(view)
            for rows in alike.values():
                memories = self._follow_alike(view, looks, [selections[row] for row in rows], direction)
                found.update(zip(rows, memories, strict=True))
        return [found[row] for row in range(len(banks))]

    def _follow_alike(
        self, view: FrameView, looks: Looks, selections: Sequence[Selection[Remembered]], direction: Direction
    ) -> list[NanoFrameMemory]:
        """Find objects that look at memories of the same frames."""
        frames = [
            (maps[0][0], _together([memory.content for _, memory in maps]))
            for maps in zip(*(selection.maps for selection in selections), strict=True)
        ]
        prompted = [frame for age, frame in frames if age == 0]
        passed = [frame for age, frame in sorted(frames, key=lambda pair: pair[0]) if age > 0]
        features = view.embedding().features
        output = self.memory.find(features, looks, prompted, passed)
        scores = output.object_score.float()
        logits = output.logits.float().clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
        logits = torch.where(scores[:, None, None, None] > 0, logits, -LOGIT_LIMIT)
        seen = self.memory.remember(features, looks, logits.sigmoid())
        ious = output.predicted_iou.float().sigmoid().tolist()
        return [
            FrameMemory(
                view.index,
                False,
                logits[row, 0].cpu(),
                ious[row],
                float(scores[row]),
                Remembered(looks, seen.shares[row : row + 1], seen.values[row : row + 1]),
                direction,
            )
            for row in range(len(selections))
        ]

    def _looks(self, view: FrameView) -> Looks:
        colours = colour_grid(view.image)[None].to(self.model.device)
        return self.memory.looks(view.embedding().features, colours)  # type: ignore[no-any-return]


def _together(objects: Sequence[Remembered]) -> Remembered:
    """One frame's memories of several objects as one."""
    shares: list[Tensor] = [one.shares for one in objects]
    return Remembered(objects[0].looks, torch.cat(shares), torch.cat([one.values for one in objects]))
