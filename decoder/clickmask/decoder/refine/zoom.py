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

SAME_MASK = 0.9  # IoU from which two answers need but one second look
TRUST = 0.5  # in the predicted IoU of the second look, beside the first's
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
    row: int = 0  # of the masks on the whole image, that was zoomed into

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
    for again on a crop around what was pointed at. A row that a person picked is zoomed into as it is. One click can
    mean several things: a network whose masks are coarse is asked again about each that differs, and what promises
    most in both looks is shown.

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
    looks = [_look(prompt, masks, row, encode, answer) for row in _rows_to_look_at(masks, prompt, rule)]
    return _sharpened(max(looks, key=lambda look: look.promise), image)


def _zoom_where_pointed(
    image: NDArray[np.uint8], prompt: Prompt, masks: MaskSet, rule: Rule, encode: EncodeWindow, answer: AnswerPrompt
) -> ZoomedMask | None:
    """Ask twice on a crop around something small that the prompt points at; None if it points at nothing small."""
    window = pointed_window(prompt, masks.size, max(masks.logits.shape[1:]))
    if window is None:
        return None
    inner = zoom_prompt(window, prompt, prompt.mask_logits, masks.size)
    first = answer(encode(window), inner)
    again = replace(inner, mask_logits=first.logits[choose_mask(first, inner, rule)])
    second = answer(encode(window), again)
    row = choose_mask(masks, prompt, rule)
    return _sharpened(_Look(window, again, second.logits[0], float(second.predicted_iou[0]), row), image)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """An answer to the same prompt on a window."""

    window: Window
    prompt: Prompt  # in the window's pixels
    logits: Tensor  # (h, w), over the window
    predicted_iou: float
    row: int
    promise: float = 0.0  # of several, the highest is shown


def _rows_to_look_at(masks: MaskSet, prompt: Prompt, rule: Rule | int) -> list[int]:
    """The rows worth a second look: one click can mean several things, and the closer look tells which is a thing."""
    if rule != "auto" or not prompt.is_ambiguous or not _is_coarse(masks.logits):
        return [choose_mask(masks, prompt, rule)]
    rows: list[int] = []
    for row in masks.predicted_iou.argsort(descending=True).tolist():
        if all(_iou(masks.logits[row], masks.logits[other]) < SAME_MASK for other in rows):
            rows.append(row)
    return rows


def _look(prompt: Prompt, masks: MaskSet, row: int, encode: EncodeWindow, answer: AnswerPrompt) -> _Look:
    """Ask once more on a crop around a mask of the whole image; one that fills it stays as it is."""
    logits, size, first = masks.logits[row], masks.size, float(masks.predicted_iou[row])
    window = zoom_window(logits, prompt, size)
    if window is None:
        return _Look(Window(0, 0, size.width, size.height), prompt, logits, first, row, (1 + TRUST) * first)
    inner = zoom_prompt(window, prompt, logits, size)
    second = answer(encode(window), inner)
    seen = float(second.predicted_iou[0])
    return _Look(window, inner, second.logits[0], seen, row, first + TRUST * seen)


def _sharpened(look: _Look, image: NDArray[np.uint8]) -> ZoomedMask | None:
    """Move the edges of a coarse mask to the picture's; None where nothing is left, or nothing was seen anew."""
    whole = look.window.size == Size(*image.shape[:2])
    if whole and not _is_coarse(look.logits):
        return None
    pixels = look.window.crop(image)
    inside = (
        sharpen(look.logits, pixels, look.prompt)
        if _is_coarse(look.logits)
        else binarize(look.logits, look.window.size)
    )
    return (
        ZoomedMask(look.window, inside, look.predicted_iou, Size(*image.shape[:2]), look.row) if inside.any() else None
    )


def _iou(first: Tensor, second: Tensor) -> float:
    """IoU of two masks given by their logits, (h, w) both."""
    union = int(((first > 0) | (second > 0)).sum())
    return int(((first > 0) & (second > 0)).sum()) / union if union else 1.0


def _is_coarse(logits: Tensor) -> bool:
    return max(logits.shape) < FINE_CELLS
