"""A person's prompt on a frame, answered by a network without memory: the start of tracking by looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.choose import choose_mask
from clickmask.decoder.correct import correction_prompt, keep_what_was_asked
from clickmask.decoder.frame import resize_logits
from clickmask.decoder.mask_prompts import anchor_negative_clicks
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.refine.zoom import ZoomedMask, zoom_in
from clickmask.decoder.segment import MaskSet, binarize, encode_image, predict_masks
from clickmask.decoder.track.memory import FrameMemory
from clickmask.decoder.track.propagation import FrameView

STEEPNESS = 16.0  # of logits made of shares: 0 becomes -8, 1 becomes 8
REFINED_SIDE = 256  # of the grid that a second look is kept on

LEAST_SCORE = 1.0  # object score of what a person pointed at [logit]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a prompt means."""

    logits: Tensor  # (h, w) float32 on the CPU
    predicted_iou: float
    object_score: float

    def shares(self, side: int) -> Tensor:
        """Each cell's share of the object, (side, side) in [0, 1]."""
        return resize_logits(self.logits.sigmoid(), side)[0, 0]


def answer_prompt(model: Model, view: FrameView, prompt: Prompt, known: FrameMemory[Any] | None) -> Answer:
    """Answer a prompt, with a second look where that helps.

    Args:
        model: That answers prompts.
        view: The frame.
        prompt: Checked. A mask alone is its own answer; clicks and a box correct what is known, or given with them.
        known: Of this frame, if anything.
    """
    if prompt.mask_logits is not None and not prompt.points and prompt.box is None:
        labels = resize_logits((prompt.mask_logits > 0).float(), REFINED_SIDE)[0, 0]
        return _certain(labels, 1.0, float(labels.max()))
    size = Size(*view.image.shape[:2])
    before = _before(prompt, known, size)
    asked = anchor_negative_clicks(prompt if before is None else correction_prompt(replace(prompt, mask=before)), size)
    masks = predict_masks(model, view.embedding(), asked)
    row = choose_mask(masks, prompt)
    zoomed = _zoom_in(model, view, asked, masks)
    found = binarize(masks.logits[row], size) if zoomed is None else zoomed.mask()
    iou = float(masks.predicted_iou[row]) if zoomed is None else zoomed.predicted_iou
    kept = keep_what_was_asked(found, replace(prompt, mask=before))
    if zoomed is None and np.array_equal(kept, found):
        return Answer(masks.logits[row], iou, _seen(prompt, masks.object_score))
    shares = resize_logits(torch.from_numpy(kept).float(), REFINED_SIDE)[0, 0]
    return Answer(STEEPNESS * (shares - 0.5), iou, _seen(prompt, masks.object_score))


def _before(prompt: Prompt, known: FrameMemory[Any] | None, size: Size) -> NDArray[np.bool_] | None:
    """The mask that clicks correct: given with them, or known; None where there is none, or nothing was clicked."""
    logits = known.logits if prompt.mask_logits is None and known is not None and known.present else prompt.mask_logits
    return None if logits is None or not prompt.points else binarize(logits, size)


def _zoom_in(model: Model, view: FrameView, prompt: Prompt, masks: MaskSet) -> ZoomedMask | None:
    return zoom_in(
        view.image,
        prompt,
        masks,
        "auto",
        encode=lambda window: encode_image(model, window.crop(view.image)),
        answer=lambda crop, inner: predict_masks(model, crop, inner),
    )


def _certain(labels: Tensor, iou: float, largest: float) -> Answer:
    return Answer(STEEPNESS * (labels - 0.5), iou, STEEPNESS * (largest - 0.5))


def _seen(prompt: Prompt, object_score: float) -> float:
    """The object score of a prompted frame: where a person pointed at something, there is something."""
    pointed_at = prompt.box is not None or any(point.positive for point in prompt.points)
    return max(object_score, LEAST_SCORE) if pointed_at else object_score
