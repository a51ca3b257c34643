"""One answer of the engine: four masks, the one that was chosen, and what a person sees of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.mask_prompts import mask_to_logits
from clickmask.decoder.prompts import Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.refine.zoom import ZoomedMask
from clickmask.decoder.segment import MaskSet, binarize


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """One answer. Mask rows: 0 is the single mask, 1 to 3 the candidates."""

    mask_set: MaskSet
    chosen: int  # the row the rule picked
    stability: tuple[float, ...]  # (4,) at offset 1, in [0, 1]
    cache_hit: bool  # whether the image was encoded before
    encode_ms: float
    decode_ms: float
    shown: NDArray[np.bool_]  # (H, W): the chosen mask after second look and corrections
    is_row: bool  # whether that is the chosen mask as it was answered
    zoomed: ZoomedMask | None = None  # the chosen mask after a second look at it
    view: Window | None = None  # the part of the image that the masks are of; None: all of it

    @property
    def size(self) -> Size:
        """Of the image."""
        return Size(*self.shown.shape)

    @property
    def logits(self) -> Tensor:
        """(4, h, w) float32 on the CPU, over the view."""
        return self.mask_set.logits

    @property
    def mask_prompt(self) -> Tensor:
        """Logits (h, w) that the next prompt hands back, so that it refines this answer, as it was shown."""
        return self.logits[self.chosen] if self.is_row else mask_to_logits(self.shown)

    @property
    def predicted_iou(self) -> tuple[float, ...]:
        """(4,) in [0, 1]."""
        return tuple(self.mask_set.predicted_iou.tolist())

    @property
    def object_score(self) -> float:
        """Logit, > 0: there is an object."""
        return self.mask_set.object_score

    @property
    def score(self) -> float:
        """Predicted IoU of the chosen mask."""
        return self.predicted_iou[self.chosen] if self.zoomed is None else self.zoomed.predicted_iou

    def mask(self, row: int | None = None) -> NDArray[np.bool_]:
        """The chosen mask as it is shown, or another row's as it was answered, at the image's size: (H, W)."""
        if row in (None, self.chosen):
            return self.shown
        mask = binarize(self.logits[row], self.mask_set.size)
        return mask if self.view is None else self.view.place(mask, self.size)
