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

from decoder.prompts import Prompt

if TYPE_CHECKING:
    from torch import Tensor

    from decoder.choose import Rule
    from decoder.engine import Engine, LoadImage, Segmentation

REFINED_POINTS = 16  # clicks beyond this many start from the answer to the first 16, so replaying stays short


@dataclass(frozen=True, slots=True)
class _Question:
    """All that an answer depends on; equal questions have equal answers."""

    model: str
    image_key: str
    prompt: tuple[object, ...]
    rule: Rule | int


class EarlierAnswers:
    """Mask logits by question, the least recently used dropped; any number of threads may share it.

    Args:
        capacity: Most answers kept; each takes 256 KiB.
    """

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self._logits: OrderedDict[_Question, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def continued(
        self, engine: Engine, image_key: str, load_image: LoadImage, prompt: Prompt, rule: Rule | int
    ) -> Prompt:
        """The prompt with the answer to its clicks before the last as the mask to start from.

        A prompt that brings its own mask, or has nothing before its only click, stays as it is.

        Args:
            engine: Answers, where the earlier answer is not kept.
            image_key: Names the image.
            load_image: Gives its pixels.
            prompt: What the person drew, all of it.
            rule: How the earlier mask was chosen: the row, if the person picked one.

        Raises:
            PromptError: If the prompt means nothing on this image.
            ImageError: If the image cannot be read.
        """
        earlier = _before_last_click(prompt)
        if earlier is None:
            return prompt
        logits = self._recall(_question(engine, image_key, earlier, rule))
        if logits is None:
            asked = self.continued(engine, image_key, load_image, earlier, rule)
            answer = engine.segment(image_key, load_image, asked, rule=rule)
            self.remember(engine, image_key, earlier, rule, answer)
            logits = answer.logits[answer.chosen]
        return replace(prompt, mask_logits=logits)

    def remember(self, engine: Engine, image_key: str, prompt: Prompt, rule: Rule | int, answer: Segmentation) -> None:
        """Keep an answer for the click that may follow.

        Args:
            engine: Gave the answer.
            image_key: Names the image.
            prompt: What the person drew, without the mask it was continued from.
            rule: How the mask was chosen.
            answer: To that prompt, continued.
        """
        if prompt.mask_logits is None:
            self._keep(_question(engine, image_key, prompt, rule), answer.logits[answer.chosen])

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


def _question(engine: Engine, image_key: str, prompt: Prompt, rule: Rule | int) -> _Question:
    return _Question(engine.model.fingerprint, image_key, (prompt.points, prompt.box), rule)
