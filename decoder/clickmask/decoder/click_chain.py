"""Click after click on one object: each answer starts from the answer to the clicks before it.

A request names no person, and holds all clicks of its object. So the earlier answer is found
by what was asked, not by who asked: it is a pure function of the image, the model and the
clicks before the last. Whoever sent them got the same answer; two people, objects or images
cannot be mixed. An earlier answer that is no longer kept is computed again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clickmask.decoder.prompts import Prompt

if TYPE_CHECKING:
    from torch import Tensor

    from clickmask.decoder.choose import Rule
    from clickmask.decoder.engine import Engine, LoadImage, Segmentation

REFINED_POINTS = 16  # clicks beyond this many start from the answer to the first 16, so replaying stays short


@dataclass(frozen=True, slots=True)
class Way:
    """How a prompt is answered.

    Args:
        rule: How a mask is chosen, or the row that a person picked.
        closely: Whether the answer is looked at once more from close by.
    """

    rule: Rule | int = "auto"
    closely: bool = False

    def answer(self, engine: Engine, image_key: str, load_image: LoadImage, prompt: Prompt) -> Segmentation:
        """Answer a prompt so; raises as ``Engine.segment``."""
        look = engine.segment_closely if self.closely else engine.segment
        return look(image_key, load_image, prompt, rule=self.rule)


@dataclass(frozen=True, slots=True)
class _Question:
    """All that an answer depends on; equal questions have equal answers."""

    model: str
    image_key: str
    prompt: tuple[object, ...]
    way: Way


class EarlierAnswers:
    """Mask logits by question, the least recently used dropped; any number of threads may share it.

    Args:
        capacity: Most answers kept; each takes 256 KiB.
    """

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._logits: OrderedDict[_Question, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def answer(
        self,
        engine: Engine,
        image_key: str,
        load_image: LoadImage,
        prompt: Prompt,
        way: Way,
        way_before: Way | None = None,
    ) -> Segmentation:
        """Answer a prompt, starting from the answer to its clicks before the last, and keep the answer.

        A prompt that brings its own mask, or has nothing before its only click, is answered as it is.

        Args:
            engine: Answers.
            image_key: Names the image.
            load_image: Gives its pixels.
            prompt: What the person drew, all of it.
            way: How to answer.
            way_before: How the mask was made that the person saw before the last click; None where it was so too.

        Raises:
            PromptError: If the prompt means nothing on this image.
            ImageError: If the image cannot be read.
        """
        earlier = _before_last_click(prompt)
        if earlier is None:
            continued = prompt
        else:
            seen = self._logits_of(engine, image_key, load_image, earlier, way_before or way)
            continued = replace(prompt, mask_logits=seen)
        answer = way.answer(engine, image_key, load_image, continued)
        if prompt.mask_logits is None:
            self._keep(_question(engine, image_key, prompt, way), answer.mask_prompt)
        return answer

    def _logits_of(self, engine: Engine, image_key: str, load_image: LoadImage, prompt: Prompt, way: Way) -> Tensor:
        """What the answer to a prompt hands to the next one, kept or computed again."""
        kept = self._recall(_question(engine, image_key, prompt, way))
        return self.answer(engine, image_key, load_image, prompt, way).mask_prompt if kept is None else kept

    def _recall(self, question: _Question) -> Tensor | None:
        with self._lock:
            if question in self._logits:
                self._logits.move_to_end(question)
            return self._logits.get(question)

    def _keep(self, question: _Question, logits: Tensor) -> None:
        with self._lock:
            self._logits[question] = logits.clone()  # a row is a view that would keep all four rows alive
            self._logits.move_to_end(question)
            while len(self._logits) > self._capacity:
                self._logits.popitem(last=False)


def _before_last_click(prompt: Prompt) -> Prompt | None:
    """The prompt one click earlier; None if there was nothing before this click."""
    points = prompt.points[:-1][:REFINED_POINTS]
    if prompt.mask_logits is not None or not prompt.points or (not points and prompt.box is None):
        return None
    return replace(prompt, points=points)


def _question(engine: Engine, image_key: str, prompt: Prompt, way: Way) -> _Question:
    return _Question(engine.model.fingerprint, image_key, (prompt.points, prompt.box), way)
