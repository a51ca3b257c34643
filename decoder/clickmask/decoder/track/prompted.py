"""A person's prompt on a frame, answered by a network without memory: the start of tracking by looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clickmask.decoder.choose import choose_mask
from clickmask.decoder.frame import resize_logits
from clickmask.decoder.mask_prompts import anchor_negative_clicks
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.refine.zoom import zoom_in
from clickmask.decoder.segment import MaskSet, encode_image, predict_masks
from clickmask.decoder.track.memory import FrameMemory
from clickmask.decoder.track.propagation import FrameView

STEEPNESS = 16.0  # of logits made of shares: 0 becomes -8, 1 becomes 8
REFINED_SIDE = 256  # of the grid that a second look is kept on


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
    if prompt.mask_logits is None and known is not None and known.present:
        prompt = Prompt(prompt.points, prompt.box, known.logits)
    prompt = anchor_negative_clicks(prompt, Size(*view.image.shape[:2]))
    mask_set = predict_masks(model, view.embedding(), prompt)
    row = choose_mask(mask_set, prompt)
    answer = Answer(mask_set.logits[row], float(mask_set.predicted_iou[row]), mask_set.object_score)
    return _zoomed(model, view, prompt, mask_set) or answer


def _zoomed(model: Model, view: FrameView, prompt: Prompt, masks: MaskSet) -> Answer | None:
    """The answer after a second look; None where that shows nothing new, or nothing at all."""
    zoomed = zoom_in(
        view.image,
        prompt,
        masks,
        "auto",
        encode=lambda window: encode_image(model, window.crop(view.image)),
        answer=lambda crop, inner: predict_masks(model, crop, inner),
    )
    if zoomed is None:
        return None
    shares = resize_logits(torch.from_numpy(zoomed.mask()).float(), REFINED_SIDE)[0, 0]
    return Answer(STEEPNESS * (shares - 0.5), zoomed.predicted_iou, masks.object_score)


def _certain(labels: Tensor, iou: float, largest: float) -> Answer:
    return Answer(STEEPNESS * (labels - 0.5), iou, STEEPNESS * (largest - 0.5))
