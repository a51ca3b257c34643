"""A closer look at an answer: by the network once more on a crop around it, then along the picture's own edges.

Knows nothing of caches: whoever asks says how crops are encoded and prompts answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from decoder.edges import sharpen
from decoder.models import Model
from decoder.prompts import Prompt, Size
from decoder.segment import ImageEmbedding, MaskSet, binarize
from decoder.window import Window, zoom_prompt, zoom_window

FINE_CELLS = 128  # masks on a grid of fewer cells a side have no edges worth keeping

MASK_STRIDE = 4  # pixels the network sees per cell of its masks
SAMPLES = 8  # pixels a side that are looked at, at least, to tell how much of a cell is object
SHOWN_LOGIT = 8.0  # how sure the network is told to be of a mask that a person saw

EncodeWindow = Callable[[Window], ImageEmbedding]
AnswerPrompt = Callable[[ImageEmbedding, Prompt], MaskSet]


@dataclass(frozen=True, slots=True, eq=False)
class CloserLook:
    """An answer seen from close by; outside the window there is nothing."""

    window: Window
    inside: NDArray[np.bool_]  # the window's part of the mask
    predicted_iou: float  # in [0, 1]
    size: Size  # of the whole image

    def mask(self) -> NDArray[np.bool_]:
        """At the image's size: (H, W)."""
        whole = np.zeros((self.size.height, self.size.width), dtype=np.bool_)
        whole[self.window.top : self.window.bottom, self.window.left : self.window.right] = self.inside
        return whole

    def mask_prompt(self, shape: tuple[int, ...]) -> Tensor:
        """The mask as logits (h, w), for the next prompt: a click corrects what a person sees."""
        height, width = shape
        step = max(1, min(self.size.height // height, self.size.width // width) // SAMPLES)
        samples = self.mask()[step // 2 :: step, step // 2 :: step].astype(np.float32)
        shares = cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)
        return torch.from_numpy((2 * shares - 1) * SHOWN_LOGIT)


def is_coarse(model: Model) -> bool:
    """Whether a model's masks need a closer look for good edges, which a small one gives in little time."""
    return model.network.image_side // MASK_STRIDE < FINE_CELLS


def look_closer(
    image: NDArray[np.uint8],
    prompt: Prompt,
    logits: Tensor,
    predicted_iou: float,
    *,
    encode: EncodeWindow,
    answer: AnswerPrompt,
) -> CloserLook | None:
    """Look at an answer again.

    Args:
        image: RGB, shape (H, W, 3), uint8.
        prompt: What was asked, in pixels of the image.
        logits: The answer on the whole image, shape (h, w) on the CPU.
        predicted_iou: Of the answer.
        encode: Encodes a window of the image; the next click mostly needs the same one.
        answer: Answers a prompt on it.

    Returns:
        None where a closer look shows nothing: no object, or nothing that the first look did not have.
    """
    size = Size(*image.shape[:2])
    window = zoom_window(logits, prompt, size)
    if window is None:
        whole = Window(0, 0, size.width, size.height)
        return _look(whole, image, prompt, logits, predicted_iou) if _is_coarse(logits) else None
    inner = zoom_prompt(window, prompt, logits, size)
    masks = answer(encode(window), inner)
    return _look(window, image, inner, masks.logits[0], float(masks.predicted_iou[0]))


def _look(
    window: Window, image: NDArray[np.uint8], prompt: Prompt, logits: Tensor, predicted_iou: float
) -> CloserLook | None:
    inside = sharpen(logits, window.crop(image), prompt) if _is_coarse(logits) else binarize(logits, window.size)
    return CloserLook(window, inside, predicted_iou, Size(*image.shape[:2])) if inside.any() else None


def _is_coarse(logits: Tensor) -> bool:
    return max(logits.shape) < FINE_CELLS
