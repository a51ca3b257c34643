"""What training and learning minimise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.mask_decoder import DecoderOutput

BCE_WEIGHT = 2.0
RANKING_MARGIN = 0.03  # candidates whose IoU differs by less are not ranked
RANKING_SCALE = 10.0  # predicted IoU differences of a tenth count as decided


def mask_losses(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy and dice of each of four masks.

    Args:
        logits: (M, 4, h, w).
        target: (M, h, w) in [0, 1], soft at the edges.

    Returns:
        (M, 4).
    """
    truth = target[:, None].expand_as(logits)
    bce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean(dim=(2, 3))
    probability = logits.sigmoid()
    overlap = (probability * truth).sum(dim=(2, 3))
    total = probability.sum(dim=(2, 3)) + truth.sum(dim=(2, 3))
    return BCE_WEIGHT * bce + 1 - (2 * overlap + 1) / (total + 1)


def combine_candidates(losses: Tensor, ambiguous: Tensor, whole: Tensor) -> Tensor:
    """One loss per prompt from those of four masks, (M, 4) -> (M,).

    A single click can mean several things: only the best of the three candidates learns from it. The single mask
    is to be the whole object, so it learns fully from wholes and a little from all else. Any other prompt means one
    thing: the single mask learns most.

    Args:
        losses: (M, 4).
        ambiguous: (M,) bool, whether the prompt is a single click.
        whole: (M,) bool, whether a whole object is asked for.
    """
    single, best = losses[:, 0], losses[:, 1:].amin(dim=1)
    return torch.where(ambiguous, torch.where(whole, 1.0, 0.25) * single + best, single + 0.25 * best)


def true_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of thresholded masks (M, 4, h, w) with the truth (M, h, w): (M, 4)."""
    answer, truth = logits > 0, (target > 0.5)[:, None]
    union = (answer | truth).sum(dim=(2, 3))
    return (answer & truth).sum(dim=(2, 3)) / union.clamp(min=1)


def iou_loss(predicted: Tensor, actual: Tensor) -> Tensor:
    """How wrong the predicted IoU is, and how wrongly it orders the candidates: (M, 4) both -> (M,).

    Cross-entropy, because its best prediction is the mean: one click can mean two things, and what counts is what a
    mask is worth on average. The order is what picks a mask, so pairs of candidates are ranked as well (logistic,
    where they differ enough).
    """
    difference = predicted[:, :, None] - predicted[:, None]  # (M, 4, 4)
    better = (actual[:, :, None] - actual[:, None] > RANKING_MARGIN).float()
    ranking = (F.softplus(-RANKING_SCALE * difference) * better).sum(dim=(1, 2)) / better.sum(dim=(1, 2)).clamp(min=1)
    sure = predicted.clamp(1e-4, 1 - 1e-4)
    entropy = -(actual * sure.log() + (1 - actual) * (1 - sure).log()).mean(dim=1)
    return entropy + 0.25 * ranking


def object_loss(output: DecoderOutput, present: Tensor) -> Tensor:
    """Cross-entropy of the object score: (M,)."""
    return F.binary_cross_entropy_with_logits(output.object_score[:, 0].float(), present.float(), reduction="none")
