"""Predicted IoU becomes right on average, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clickmask.decoder import Model, Point, Prompt, encode_image, predict_masks
from clickmask.decoder.checkpoints import load_model
from training.calibration import Measured, calibrate, shifts


def test_means_agree_after_the_shift() -> None:
    predicted = np.random.default_rng(0).uniform(0.1, 0.9, (200, 4))
    actual = np.random.default_rng(1).uniform(0.0, 1.0, (200, 4)) ** (1 + np.arange(4))
    by = shifts(Measured(predicted, actual))
    shifted = 1 / (1 + np.exp(-(np.log(predicted / (1 - predicted)) + by)))
    assert shifted.mean(axis=0) == pytest.approx(actual.mean(axis=0), abs=1e-6)


def test_only_the_predicted_iou_of_a_network_changes(nano: Model) -> None:
    model = load_model("nano")
    calibrate(model.network, np.array([0.0, 0.0, 0.0, 1.0]))  # type: ignore[arg-type]  # nano is a Nano
    image = np.full((60, 80, 3), 90, np.uint8)
    image[20:40, 30:60] = 220
    before, after = (
        predict_masks(each, encode_image(each, image), Prompt(points=(Point(45.0, 30.0),))) for each in (nano, model)
    )
    assert torch.equal(before.logits, after.logits)
    assert torch.equal(before.predicted_iou[:3], after.predicted_iou[:3])
    shift = float(after.predicted_iou[3].logit() - before.predicted_iou[3].logit())
    assert shift == pytest.approx(1.0, abs=0.1)  # the judge sees the shifted rating, too
