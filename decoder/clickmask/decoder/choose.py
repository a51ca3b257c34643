"""Which of the four masks is the answer: pure functions of logits and scores."""

from __future__ import annotations

import torch
from torch import Tensor

from clickmask.decoder.errors import PromptError
from clickmask.decoder.mask_rule import RULES, Rule
from clickmask.decoder.modeling.config import Choice
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.segment import MaskSet

CANDIDATES = slice(1, 4)


def stability_score(logits: Tensor, *, threshold: float = 0.0, offset: float = 1.0) -> Tensor:
    """Measure how little a mask changes when its threshold moves.

    The score is the IoU between the mask cut at ``threshold + offset`` and the mask
    cut at ``threshold - offset``. The first always lies inside the second, so the IoU
    is the ratio of the two areas. An edge that is steep in logit space scores near 1.

    Args:
        logits: Mask logits, shape (..., H, W), unbounded, before any sigmoid.
        threshold: Logit that separates background from object; 0 is probability 0.5.
        offset: Half-width of the threshold band, in logits; must be positive.

    Returns:
        Scores in [0, 1], shape (...), float32, on the device of ``logits``.
        A mask that is empty at both thresholds scores 1: it did not change.

    Raises:
        ValueError: If ``offset`` is not positive.

    Source: "Segment Anything" (Kirillov et al., 2023), automatic masks.

    Example:
        >>> logits = torch.tensor([[[-9.0, 0.5], [2.0, 9.0]]])  # (1, 2, 2)
        >>> stability_score(logits, offset=1.0)
        tensor([0.6667])
    """
    if not offset > 0:
        raise ValueError(f"offset is {offset}, wanted a positive number of logits")
    inner = (logits > threshold + offset).sum(dim=(-2, -1), dtype=torch.float32)
    outer = (logits > threshold - offset).sum(dim=(-2, -1), dtype=torch.float32)
    return torch.where(outer > 0, inner / outer.clamp(min=1), torch.ones_like(outer))


def choose_mask(mask_set: MaskSet, prompt: Prompt, rule: Rule | int = "auto") -> int:
    """Pick one of the four masks.

    Args:
        mask_set: What the decoder answered.
        prompt: What it was asked.
        rule: ``"auto"`` is the family's own (``MaskSet.choice``). SAM 2's: a single click takes the candidate of
            best predicted IoU; a richer prompt takes the single mask if its stability at offset 0.05 is at
            least 0.98, else the best candidate. ``"iou"`` takes the candidate of best
            predicted IoU. ``"stability"`` takes the most stable candidate (offset 1), ties by
            predicted IoU. A number takes that row.

    Returns:
        The row, 0 to 3.

    Raises:
        PromptError: If the rule is unknown or the row is not 0 to 3.
    """
    if isinstance(rule, int):
        return _check_row(rule, len(mask_set.logits))
    if rule == "auto":
        return _FOR_AMBIGUOUS[mask_set.choice.ambiguous](mask_set) if prompt.is_ambiguous else single_mask(mask_set)
    if rule == "iou":
        return best_candidate(mask_set)
    if rule == "stability":
        return most_stable_candidate(mask_set)
    raise PromptError(f"choice rule {rule!r} is unknown, wanted one of {', '.join(RULES)} or a row from 0 to 3")


def _check_row(row: int, rows: int) -> int:
    if not 0 <= row < rows:
        raise PromptError(f"mask row {row} does not exist, wanted 0 to {rows - 1}")
    return row


def single_mask(mask_set: MaskSet) -> int:
    """The single mask if it is as stable as its family wants, else the best candidate: the answer to rich prompts."""
    return 0 if bool(is_stable(mask_set.logits[0], mask_set.choice)) else best_candidate(mask_set)


def is_stable(logits: Tensor, choice: Choice) -> Tensor:
    """Whether single masks (..., H, W) are as stable as their family wants: (...), bool."""
    return stability_score(logits, offset=choice.offset) >= choice.stability


def best_candidate(mask_set: MaskSet) -> int:
    """The candidate of best predicted IoU; of equals the first."""
    return 1 + int(mask_set.predicted_iou[CANDIDATES].argmax())


def most_stable_candidate(mask_set: MaskSet) -> int:
    """The candidate of best stability at offset 1; of equals that of best predicted IoU."""
    stability = stability_score(mask_set.logits[CANDIDATES]).tolist()
    ious = mask_set.predicted_iou[CANDIDATES].tolist()
    return 1 + max(range(len(ious)), key=lambda row: (stability[row], ious[row]))


_FOR_AMBIGUOUS = {"iou": best_candidate, "stability": most_stable_candidate}
