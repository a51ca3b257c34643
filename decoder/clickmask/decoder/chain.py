"""Chained clicks on one object: each answer starts from the answer to the clicks before it.

A request names no person, and holds all clicks of its object. So the answer before is found by what was asked, not by
who asked: it is a pure function of the image, the clicks before the last and how they were answered. Whoever sent them
got the same answer; two people, objects or images cannot be mixed. An answer that is no longer kept is computed again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.cache import Cache, nbytes
from clickmask.decoder.correct import is_small_correction
from clickmask.decoder.mask_rule import DEFAULT_RULE, MaskRule
from clickmask.decoder.prompts import Prompt, Size

if TYPE_CHECKING:
    from torch import Tensor

    from clickmask.decoder.images import ImageSource
    from clickmask.decoder.segmentation import Segmentation

CHAINED_POINTS = 16  # clicks beyond this many start from the answer to the first 16, so replaying stays short
CACHE_BYTES = 2**26


class Segments(Protocol):
    """What answers single prompts: an engine."""

    def segment(self, image: ImageSource, prompt: Prompt, how: MaskRule) -> Segmentation:
        """Answer one prompt; see ``Engine.segment``."""


@dataclass(frozen=True, slots=True, eq=False)
class _HandedOn:
    """What an answer hands to the next click."""

    logits: Tensor
    bits: NDArray[np.uint8]  # of the mask as it was shown, packed
    size: Size

    @property
    def nbytes(self) -> int:
        """Memory it holds [bytes]."""
        return self.logits.numel() * self.logits.element_size() + self.bits.nbytes

    def mask(self) -> NDArray[np.bool_]:
        """As it was shown, (H, W)."""
        count = self.size.height * self.size.width
        return np.unpackbits(self.bits, count=count).reshape(self.size.height, self.size.width).view(np.bool_)


class ClickChain:
    """Keeps what each answer hands to the next click, the least recently used dropped; threads may share it.

    Args:
        engine: Answers.
        cache_bytes: Memory for answers; one takes 256 KiB, and a bit per pixel.
    """

    def __init__(self, engine: Segments, cache_bytes: int = CACHE_BYTES) -> None:
        self._engine = engine
        self._kept: Cache[str, _HandedOn] = Cache(cache_bytes, nbytes)

    def segment(
        self, image: ImageSource, prompt: Prompt, how: MaskRule = DEFAULT_RULE, how_before: MaskRule | None = None
    ) -> Segmentation:
        """Answer a prompt, starting from the answer to its clicks before the last, and keep the answer.

        A prompt that brings its own logits, or has nothing before its only click, is answered as it is.

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
        continued = prompt if before is None else self._continued(image, prompt, before, how_before or how)
        answer = self._engine.segment(image, continued, how)
        if prompt.mask_logits is None:
            self._kept.put(_key(image, prompt, how), _handed_on(answer))
        return answer

    def _continued(self, image: ImageSource, prompt: Prompt, before: Prompt, how: MaskRule) -> Prompt:
        """The prompt with what the answer to its clicks before the last hands on, kept or computed again."""
        key = _key(image, before, how)
        seen = self._kept.peek(key) or _handed_on(self.segment(image, before, how))
        mask = seen.mask()
        if prompt.mask is not None:
            return replace(prompt, mask=mask)
        mends = is_small_correction(mask, prompt.points[-1])  # else it may find that the object is another one
        return replace(prompt, mask_logits=seen.logits, mask=mask if mends else None)


def _handed_on(answer: Segmentation) -> _HandedOn:
    logits = answer.mask_prompt.clone()  # a row is a view that would keep all four rows alive
    return _HandedOn(logits, np.packbits(answer.mask()), answer.size)


def _before_last_click(prompt: Prompt) -> Prompt | None:
    """The prompt one click earlier; None if there was nothing before this click."""
    points = prompt.points[:-1][:CHAINED_POINTS]
    if prompt.mask_logits is not None or not prompt.points or (not points and prompt.box is None):
        return None
    return replace(prompt, points=points)


def _key(image: ImageSource, prompt: Prompt, how: MaskRule) -> str:
    """All that an answer of one engine depends on; equal keys have equal answers."""
    mask = "" if prompt.mask is None else hashlib.sha256(np.packbits(prompt.mask).tobytes()).hexdigest()
    return repr((image.key, prompt.points, prompt.box, prompt.view, mask, how))
