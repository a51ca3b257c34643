"""Zoom-in refinement: the network answers once more on a crop around its mask, then the picture's edges move its own.

Knows nothing of caches: whoever asks says how crops are encoded and prompts answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.choose import choose_mask
from clickmask.decoder.mask_prompts import mask_to_logits
from clickmask.decoder.mask_rule import Rule
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.refine.edges import sharpen
from clickmask.decoder.refine.window import Window, pointed_window, zoom_prompt, zoom_window
from clickmask.decoder.segment import ImageEmbedding, MaskSet, binarize

FINE_CELLS = 128  # masks on a grid of fewer cells a side have no edges worth keeping


EncodeWindow = Callable[[Window], ImageEmbedding]
AnswerPrompt = Callable[[ImageEmbedding, Prompt], MaskSet]


@dataclass(frozen=True, slots=True, eq=False)
class ZoomedMask:
    """A mask after a second look on a crop; outside the window there is nothing."""

    window: Window
    inside: NDArray[np.bool_]  # the window's part of the mask
    predicted_iou: float  # in [0, 1]
    size: Size  # of the whole image

    @property
    def is_cut_off(self) -> bool:
        """Whether the object goes on outside the window."""
        return self.window.cuts_off(self.inside, self.size)

    def mask(self) -> NDArray[np.bool_]:
        """At the image's size: (H, W)."""
        return self.window.place(self.inside, self.size)

    def mask_prompt(self) -> Tensor:
        """The mask as logits (256, 256), for the next prompt: a click corrects what a person sees."""
        return mask_to_logits(self.mask())


def wants_zoom(model: Model) -> bool:
    """Whether a model's masks need a second look for good edges, which a small one gives in little time."""
    return model.network.config.geometry.mask_side < FINE_CELLS


def zoom_in(
    image: NDArray[np.uint8],
    prompt: Prompt,
    masks: MaskSet,
    rule: Rule | int,
    *,
    encode: EncodeWindow,
    answer: AnswerPrompt,
) -> ZoomedMask | None:
    """Look at an answer a second time, on a crop around it.

    Where the prompt itself points at something small, the answer on the whole image counts for nothing: it is asked
    for again on a crop around what was pointed at. A row that a person picked is zoomed into as it is.

    Args:
        image: RGB, shape (H, W, 3), uint8.
        prompt: What was asked, in pixels of the image.
        masks: The answers on the whole image.
        rule: How one is chosen, see ``choose_mask``.
        encode: Encodes a window of the image; the next click mostly needs the same one.
        answer: Answers a prompt on it.

    Returns:
        None where a crop shows nothing: no object, or nothing that the first look did not have.
    """
    pointed = None if isinstance(rule, int) else _zoom_where_pointed(image, prompt, masks, rule, encode, answer)
    if pointed is not None and not pointed.is_cut_off:
        return pointed
    return _zoom_into_answer(image, prompt, masks, choose_mask(masks, prompt, rule), encode, answer)


def _zoom_where_pointed(
    image: NDArray[np.uint8], prompt: Prompt, masks: MaskSet, rule: Rule, encode: EncodeWindow, answer: AnswerPrompt
) -> ZoomedMask | None:
    """Ask twice on a crop around something small that the prompt points at; None if it points at nothing small."""
    window = pointed_window(prompt, masks.size, max(masks.logits.shape[1:]))
    if window is None:
        return None
    inner = zoom_prompt(window, prompt, prompt.mask_logits, masks.size)
    first = answer(encode(window), inner)
    logits = first.logits[choose_mask(first, inner, rule)]
    return _answer_within(window, image, replace(inner, mask_logits=logits), encode, answer)


def _zoom_into_answer(
    image: NDArray[np.uint8], prompt: Prompt, masks: MaskSet, row: int, encode: EncodeWindow, answer: AnswerPrompt
) -> ZoomedMask | None:
    """Ask once more on a crop around a mask of the whole image; one that fills it gets the picture's edges only."""
    logits, size = masks.logits[row], masks.size
    window = zoom_window(logits, prompt, size)
    if window is not None:
        return _answer_within(window, image, zoom_prompt(window, prompt, logits, size), encode, answer)
    whole = Window(0, 0, size.width, size.height)
    return _sharpened(whole, image, prompt, logits, float(masks.predicted_iou[row])) if _is_coarse(logits) else None


def _answer_within(
    window: Window, image: NDArray[np.uint8], inner: Prompt, encode: EncodeWindow, answer: AnswerPrompt
) -> ZoomedMask | None:
    """Ask once more on a window; the prompt in its pixels brings the answer so far."""
    masks = answer(encode(window), inner)
    return _sharpened(window, image, inner, masks.logits[0], float(masks.predicted_iou[0]))


def _sharpened(
    window: Window, image: NDArray[np.uint8], prompt: Prompt, logits: Tensor, predicted_iou: float
) -> ZoomedMask | None:
    inside = sharpen(logits, window.crop(image), prompt) if _is_coarse(logits) else binarize(logits, window.size)
    return ZoomedMask(window, inside, predicted_iou, Size(*image.shape[:2])) if inside.any() else None


def _is_coarse(logits: Tensor) -> bool:
    return max(logits.shape) < FINE_CELLS
