"""How a prompt is to be answered: which of the four masks, and whether it is looked at a second time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rule = Literal["auto", "iou", "stability"]
RULES: tuple[Rule, ...] = ("auto", "iou", "stability")


@dataclass(frozen=True, slots=True)
class MaskRule:
    """How a prompt is answered.

    Args:
        rule: How a mask is chosen, or the row that a person picked, see ``choose_mask``.
        zoom: Whether a second look on a crop around the mask sharpens it; None: where the model's own masks are
            coarse, see ``Engine.wants_zoom``.
    """

    rule: Rule | int = "auto"
    zoom: bool | None = None


DEFAULT_RULE = MaskRule()
