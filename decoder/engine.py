"""The engine: cached embeddings, one click at a time or many, safe for any number of threads. (Interface; body to come.)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from decoder.prompts import Prompt, Size

Rule = Literal["auto", "iou", "stability"]
LoadImage = Callable[[], NDArray[np.uint8]]  # -> (H, W, 3) RGB, called only on a cache miss


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """One answer. Mask rows: 0 is the single-mask token, 1 to 3 the candidates."""

    size: Size  # of the image
    logits: Tensor  # (4, h, w) float32 low-resolution, CPU; feed logits[chosen] back as Prompt.mask_logits to refine
    predicted_iou: tuple[float, float, float, float]
    stability: tuple[float, float, float, float]
    object_score: float  # > 0: there is an object
    chosen: int  # row picked by the rule, 0 to 3
    cache_hit: bool
    encode_ms: float
    decode_ms: float

    @property
    def score(self) -> float:
        """Predicted IoU of the chosen mask, in [0, 1]."""
        return self.predicted_iou[self.chosen]

    def mask(self, row: int | None = None) -> NDArray[np.bool_]:
        """The chosen mask (or another row) at the image's size, shape (H, W)."""
        raise NotImplementedError


class Engine:
    """Segments images; shared by all users, projects and threads of a process."""

    def segment(
        self, image_key: str, load_image: LoadImage, prompt: Prompt, *, rule: Rule | int = "auto", refine: bool = False
    ) -> Segmentation:
        """Answer one prompt on one image; an int rule picks that row."""
        raise NotImplementedError

    def encode(self, image_key: str, load_image: LoadImage) -> bool:
        """Make sure the image's embedding is cached; say whether it already was."""
        raise NotImplementedError

    def is_cached(self, image_key: str) -> bool:
        """Whether a click on this image needs no encoding."""
        raise NotImplementedError
