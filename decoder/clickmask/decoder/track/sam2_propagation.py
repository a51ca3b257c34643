"""Tracking the way SAM 2 was trained to: every frame looks at memories of others before it is decoded.

Source: "SAM 2: Segment Anything in Images and Videos" (Ravi et al., 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.choose import CANDIDATES, is_stable
from clickmask.decoder.errors import VideoError
from clickmask.decoder.frame import resize_logits, video_pixels
from clickmask.decoder.modeling.mask_decoder import DecoderOutput
from clickmask.decoder.modeling.prompt_encoder import PADDING
from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.models import Model
from clickmask.decoder.segment import ImageEmbedding, encode_with, stack_points
from clickmask.decoder.track.memory import (
    Direction,
    FrameMemory,
    MemoryBank,
    MemoryRule,
    pointer_reach,
    select_memories,
)
from clickmask.decoder.track.propagation import FrameView, PromptedObject
from clickmask.decoder.track.sam2_memory import (
    MASK_BIAS,
    MASK_SCALE,
    Sam2FrameMemory,
    Sam2Memory,
    condition,
    encode_memories,
    upsample,
)

ABSENT_LOGIT = -1024.0  # of every pixel of an object that is not in the frame


class Found(NamedTuple):
    """One mask for each of B objects."""

    logits: Tensor  # (B, 1, 4h, 4w)
    predicted_iou: Tensor  # (B,)
    object_score: Tensor  # (B, 1) logit
    pointer: Tensor  # (B, C)


@dataclass(frozen=True, slots=True, eq=False)
class Sam2Propagation:
    """SAM 2's memory of past frames."""

    model: Model
    rule: MemoryRule = field(default_factory=MemoryRule)

    @property
    def network(self) -> Sam2:
        """The model's network.

        Raises:
            VideoError: If it is not a SAM 2.
        """
        if not isinstance(self.model.network, Sam2):
            raise VideoError(f"the model {self.model.name} has no memory of past frames, wanted a SAM 2 model")
        return self.model.network

    @property
    def reach(self) -> int:
        """Memories of frames further away than this are never looked at, prompted ones apart."""
        return self.rule.reach

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode a frame (H, W, 3), before any memory is mixed in."""
        return encode_with(self.model, image, self.network.encode_frame, video_pixels)

    def answer(self, view: FrameView, asked: PromptedObject[Sam2Memory]) -> Sam2FrameMemory:
        """Answer a prompt; on a frame that was tracked before, in the light of the other memories."""
        with self.model.computing():
            if not asked.prompt.points and asked.prompt.box is None:
                found = self._take_mask(view, asked)
            else:
                found = self._decode_prompt(view, asked)
            # What a person pointed at is certain: its memory is of the binary mask.
            masks = (upsample(found.logits, self.network.config.geometry) > 0).float()
            return self._remember(view, found, masks, prompted=True, passed=_passed(asked.bank, view.index))[0]

    def follow(
        self, view: FrameView, banks: Sequence[MemoryBank[Sam2Memory]], direction: Direction
    ) -> list[Sam2FrameMemory]:
        """Find objects that nobody pointed at on this frame, all in one batch."""
        with self.model.computing():
            image = self._look_back(view, [bank.without(view.index) for bank in banks], direction)
            points = image.new_zeros(len(banks), 1, 2)
            labels = torch.full((len(banks), 1), PADDING, device=image.device)
            features = view.embedding().features._replace(image=image)
            found = best_candidates(self.network, self.network.decode(features, points, labels, None))
            masks = upsample(found.logits, self.network.config.geometry).sigmoid()
            return self._remember(view, found, masks, prompted=False, passed=direction)

    def _look_back(self, view: FrameView, banks: Sequence[MemoryBank[Sam2Memory]], direction: Direction) -> Tensor:
        """The frame's embedding as each object's memories change it: (B, C, h, w)."""
        selections = [select_memories(bank, view.index, direction, self.rule, view.frame_count) for bank in banks]
        reach = pointer_reach(self.rule, view.frame_count)
        return condition(self.network, view.embedding().features.image, selections, reach)

    def _decode_prompt(self, view: FrameView, asked: PromptedObject[Sam2Memory]) -> Found:
        prompt, features = asked.prompt, view.embedding().features
        points, labels = stack_points([(view.embedding(), prompt)], self.network.config.geometry, self.model.device)
        output = self.network.decode(
            features._replace(image=self._prompt_image(view, asked)), points, labels, self._earlier(view, asked)
        )
        choose = best_candidates if points.shape[1] <= 1 else single_if_stable
        return choose(self.network, output)

    def _prompt_image(self, view: FrameView, asked: PromptedObject[Sam2Memory]) -> Tensor:
        """A first prompt stands alone; a correction of a tracked frame looks at the memories.

        That of the frame itself is among them if a person pointed there before, for all frames look at such.
        """
        memory, direction = asked.bank.at(view.index), _passed(asked.bank, view.index)
        prompted_before = memory is not None and memory.prompted
        others = asked.bank if prompted_before else asked.bank.without(view.index)
        if direction is None or not others.prompted:
            return view.embedding().features.image + self.network.no_mem_embed.view(1, -1, 1, 1)
        return self._look_back(view, [others], direction)

    def _earlier(self, view: FrameView, asked: PromptedObject[Sam2Memory]) -> Tensor | None:
        """Logits of the answer being corrected, (1, 1, 4h, 4w)."""
        memory = asked.bank.at(view.index)
        logits = asked.prompt.mask_logits
        if logits is None and memory is not None:
            logits = memory.logits
        if logits is None:
            return None
        limit = self.network.config.choice.logit_limit
        logits = logits.to(self.model.device, torch.float32)
        return resize_logits(logits.clamp(-limit, limit) if limit else logits, self.network.config.geometry.mask_side)

    def _take_mask(self, view: FrameView, asked: PromptedObject[Sam2Memory]) -> Found:
        """A mask prompt is the answer; the decoder only makes its pointer."""
        assert asked.prompt.mask_logits is not None  # check_prompt refuses empty prompts
        geometry = self.network.config.geometry
        side, grid = geometry.memory_side, geometry.mask_side
        given = asked.prompt.mask_logits.to(self.model.device, torch.float32)[None, None]
        mask = (F.interpolate(given, size=(side, side), mode="bilinear", antialias=True) > 0).float()
        points = mask.new_zeros(1, 1, 2)
        labels = torch.full((1, 1), PADDING, device=mask.device)
        output = self.network.decode(view.embedding().features, points, labels, self.network.mask_downsample(mask))
        logits = F.interpolate(mask * MASK_SCALE + MASK_BIAS, size=(grid, grid), mode="bilinear", antialias=True)
        score = mask.amax((2, 3)) * MASK_SCALE + MASK_BIAS  # (1, 1)
        pointer = single_if_stable(self.network, output).pointer
        pointer = torch.where(score > 0, pointer, self.network.no_obj_ptr)
        return Found(logits, torch.ones_like(score[0]), score, pointer)

    def _remember(
        self, view: FrameView, found: Found, masks: Tensor, *, prompted: bool, passed: Direction | None
    ) -> list[Sam2FrameMemory]:
        maps = encode_memories(self.network, view.embedding().features.image, masks, found.object_score > 0)
        logits, ious = found.logits[:, 0].float().cpu(), found.predicted_iou.float().tolist()
        scores = found.object_score[:, 0].float().tolist()
        return [
            FrameMemory(
                view.index, prompted, logits[row], ious[row], scores[row], Sam2Memory(maps[row], pointer), passed
            )
            for row, pointer in enumerate(found.pointer.float())
        ]


def best_candidates(network: Sam2, output: DecoderOutput) -> Found:
    """Take the candidate of best predicted IoU: for tracking and for a single click."""
    rows = CANDIDATES.start + output.predicted_iou[:, CANDIDATES].argmax(dim=1)  # (B,)
    return _found(network, output, rows, pointer_rows=rows)


def single_if_stable(network: Sam2, output: DecoderOutput) -> Found:
    """Take the single mask, or the best candidate where that one is unstable."""
    stable = is_stable(output.logits[:, 0].float(), network.config.choice)
    best = CANDIDATES.start + output.predicted_iou[:, CANDIDATES].argmax(dim=1)
    single = torch.zeros_like(best)
    return _found(network, output, torch.where(stable, single, best), pointer_rows=single)


def _found(network: Sam2, output: DecoderOutput, rows: Tensor, *, pointer_rows: Tensor) -> Found:
    objects = torch.arange(len(rows), device=rows.device)
    present = output.object_score > 0  # (B, 1)
    logits = torch.where(present[..., None], output.logits[objects, rows].float(), ABSENT_LOGIT)
    pointer = network.obj_ptr_proj(output.tokens[objects, pointer_rows])
    pointer = torch.where(present, pointer, network.no_obj_ptr)
    return Found(logits[:, None], output.predicted_iou[objects, rows], output.object_score, pointer)


def _passed(bank: MemoryBank[Sam2Memory], frame: int) -> Direction | None:
    memory = bank.at(frame)
    return None if memory is None else memory.passed
