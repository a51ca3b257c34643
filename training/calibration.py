"""After training: make the predicted IoU of each mask right on average, on photos that people outlined.

Training images are made, and on them some candidates do worse than on photos; the order of the candidates, by which
one is shown first, suffers. Only four numbers change, the last biases of the IoU head.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from clickmask.decoder.evaluation.clicks import Segment
from clickmask.decoder.evaluation.person import next_click
from clickmask.decoder.images import load_image
from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Prompt
from clickmask.decoder.segment import binarize, encode_image, predict_masks
from clickmask.decoder.shapes import mask_iou

STEPS = 50  # of the bisection
WIDEST = 4.0  # shift of a logit


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """First clicks on M objects."""

    predicted: NDArray[np.float64]  # (M, 4) in [0, 1]
    actual: NDArray[np.float64]  # (M, 4) in [0, 1]


def measure(model: Model, segments: Iterable[Segment]) -> Measured:
    """Click once on every object."""
    predicted, actual = [], []
    for segment in segments:
        truth = segment.truth()
        click = next_click(truth, np.zeros_like(truth))
        assert click is not None  # nothing is found yet
        masks = predict_masks(model, encode_image(model, load_image(segment.image)), Prompt(points=(click,)))
        predicted.append(masks.predicted_iou.tolist())
        actual.append([mask_iou(binarize(logits, masks.size), truth) for logits in masks.logits])
    return Measured(np.array(predicted), np.array(actual))


def shifts(measured: Measured) -> NDArray[np.float64]:
    """What to add to each mask's logit, so that the mean prediction is the mean IoU: (4,).

    Example:
        >>> modest = Measured(predicted=np.full((3, 4), 0.5), actual=np.full((3, 4), 0.731))
        >>> shifts(modest).round(2).tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    logits = np.log(measured.predicted / (1 - measured.predicted).clip(1e-9))
    low: NDArray[np.float64] = np.full(4, -WIDEST)
    high: NDArray[np.float64] = np.full(4, WIDEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        modest = (1 / (1 + np.exp(-(logits + middle)))).mean(axis=0) < measured.actual.mean(axis=0)
        low, high = np.where(modest, middle, low), np.where(modest, high, middle)
    return np.asarray((low + high) / 2)


@torch.no_grad()
def calibrate(network: Nano, by: NDArray[np.float64]) -> None:
    """Shift the IoU head's last biases, in place."""
    bias = list(network.mask_decoder.iou_prediction_head.parameters())[-1]
    bias.add_(torch.as_tensor(by, dtype=bias.dtype))
