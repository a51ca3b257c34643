"""Chained clicks on one object: each answer starts from the answer to the clicks before it.

A request names no person, and holds all clicks of its object. So the answer before is found by what was asked, not by
who asked: it is a pure function of the image, the clicks before the last and how they were answered. Whoever sent them
got the same answer; two people, objects or images cannot be mixed. An answer that is no longer kept is computed again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from clickmask.decoder.mask_rule import DEFAULT_RULE, MaskRule
from clickmask.decoder.prompts import Prompt

if TYPE_CHECKING:
    from torch import Tensor

    from clickmask.decoder.images import ImageSource
    from clickmask.decoder.segmentation import Segmentation

CHAINED_POINTS = 16  # clicks beyond this many start from the answer to the first 16, so replaying stays short


@dataclass(frozen=True, slots=True)
class _PromptKey:
    """All that an answer of one engine depends on; equal keys have equal answers."""

    image: str
    prompt: tuple[object, ...]
    how: MaskRule


class Segments(Protocol):
    """What answers single prompts: an engine."""

    def segment(self, image: ImageSource, prompt: Prompt, how: MaskRule) -> Segmentation:
        """Answer one prompt; see ``Engine.segment``."""


class ClickChain:
    """Keeps what each answer hands to the next click, the least recently used dropped; threads may share it.

    Args:
        engine: Answers.
        capacity: Most answers kept; each takes 256 KiB.
    """

    def __init__(self, engine: Segments, capacity: int = 256) -> None:
        self._engine = engine
        self._capacity = capacity
        self._logits: OrderedDict[_PromptKey, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def segment(
        self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE, how_before: MaskRule | None = None
    ) -> Segmentation:
        """Answer a prompt, starting from the answer to its clicks before the last, and keep the answer.

        A prompt that brings its own mask, or has nothing before its only click, is answered as it is.

        Args:
            image: What was clicked on.
            prompt: What the person drew, all of it.
            how: How to answer.
            how_before: How the mask was made that the person saw before the last click; None where it was so too.

        Raises:
            PromptError: If the prompt means nothing on this image.
            ImageError: If the image cannot be read.
        """
        before = _before_last_click(prompt)
        if before is None:
            continued = prompt
        else:
            continued = replace(prompt, mask_logits=self._logits_of(image, before, how_before or how))
        answer = self._engine.segment(image, continued, how)
        if prompt.mask_logits is None:
            self._keep(_key(image, prompt, how), answer.mask_prompt)
        return answer

    def _logits_of(self, image: ImageSource, prompt: Prompt, how: MaskRule) -> Tensor:
        """What the answer to a prompt hands to the next one, kept or computed again."""
        kept = self._recall(_key(image, prompt, how))
        return self.segment(image, prompt, how).mask_prompt if kept is None else kept

    def _recall(self, key: _PromptKey) -> Tensor | None:
        with self._lock:
            if key in self._logits:
                self._logits.move_to_end(key)
            return self._logits.get(key)

    def _keep(self, key: _PromptKey, logits: Tensor) -> None:
        with self._lock:
            self._logits[key] = logits.clone()  # a row is a view that would keep all four rows alive
            self._logits.move_to_end(key)
            while len(self._logits) > self._capacity:
                self._logits.popitem(last=False)


def _before_last_click(prompt: Prompt) -> Prompt | None:
    """The prompt one click earlier; None if there was nothing before this click."""
    points = prompt.points[:-1][:CHAINED_POINTS]
    if prompt.mask_logits is not None or not prompt.points or (not points and prompt.box is None):
        return None
    return replace(prompt, points=points)


def _key(image: ImageSource, prompt: Prompt, how: MaskRule) -> _PromptKey:
    return _PromptKey(image.key, (prompt.points, prompt.box), how)
