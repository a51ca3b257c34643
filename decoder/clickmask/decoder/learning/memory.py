"""What a model knew before it learned: its answers on drawn pictures, which it is held to while it learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.engine import Engine
from clickmask.decoder.images import ImageSource
from clickmask.decoder.learning.drawn import draw_pictures
from clickmask.decoder.learning.examples import TRUTH_SIDE, stack_features, trainable, truth_in
from clickmask.decoder.learning.practice import Decode, as_shown, chosen_logits, click_on
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures
from clickmask.decoder.modeling.prompt_encoder import PADDING

OBJECTS = 2  # of each picture
CLICKS = 3  # on each object
RATING_WEIGHT = 5.0  # of the ratings against the masks


class Remembered(NamedTuple):
    """One prompt and what the model answered before."""

    features: ImageFeatures
    points: Tensor  # (CLICKS, 2)
    labels: Tensor  # (CLICKS,), padded
    earlier: Tensor | None  # (1, h, w), the mask that the last click corrects
    logits: Tensor  # (4, h, w)
    predicted_iou: Tensor  # (4,)


def remember(engine: Engine, decode: Decode, rng: np.random.Generator, pictures: int) -> list[Remembered]:
    """Ask the model as it is about drawn pictures: a click on each object, and clicks that correct the answer."""
    known = []
    for number, picture in enumerate(draw_pictures(pictures)):
        features = trainable(engine.embed(drawn_source(f"0 {number}", picture.pixels)).plain_features)
        for mask in picture.masks[:OBJECTS]:
            known += _ask(decode, features, truth_in(engine.model.network.config.geometry, mask), rng)
    return known


def _ask(
    decode: Decode, features: ImageFeatures, truth: NDArray[np.bool_], rng: np.random.Generator
) -> list[Remembered]:
    device = features.image.device
    points = torch.zeros(CLICKS, 2, device=device)
    labels = torch.full((CLICKS,), PADDING, device=device)
    answer, earlier, asked = np.zeros_like(truth), None, list[Remembered]()
    for number in range(CLICKS):
        x, y, label = click_on(truth, answer, rng)
        points, labels = points.clone(), labels.clone()
        points[number, 0], points[number, 1], labels[number] = x, y, label
        with torch.no_grad():
            output = decode(features, points[None], labels[None], None if earlier is None else earlier[None])
            logits = chosen_logits(output, is_first=number == 0)
        asked.append(Remembered(features, points, labels, earlier, output.logits[0], output.predicted_iou[0]))
        earlier = as_shown(logits)[0]
        answer = (F.interpolate(logits.float(), (TRUTH_SIDE, TRUTH_SIDE), mode="bilinear")[0, 0] > 0).cpu().numpy()
    return asked


def drawn_source(name: str, pixels: NDArray[np.uint8]) -> ImageSource:
    """A drawn picture for an engine."""
    return ImageSource(f"drawn picture {name}", lambda: pixels)


def forgetting(decode: Decode, known: Sequence[Remembered]) -> Tensor:
    """How far answers are from those before: cross-entropy of the masks beyond the least, and of the ratings."""
    parts = [[one for one in known if one.earlier is None], [one for one in known if one.earlier is not None]]
    losses = [len(part) * _distance(_answers(decode, part), part) for part in parts if part]
    return torch.stack(losses).sum() / len(known)


def _answers(decode: Decode, known: Sequence[Remembered]) -> DecoderOutput:
    earlier = [one.earlier for one in known if one.earlier is not None]
    return decode(
        stack_features([one.features for one in known]),
        torch.stack([one.points for one in known]),
        torch.stack([one.labels for one in known]),
        torch.stack(earlier) if earlier else None,
    )


def _distance(output: DecoderOutput, known: Sequence[Remembered]) -> Tensor:
    before = torch.stack([one.logits for one in known]).float()
    rated = torch.stack([one.predicted_iou for one in known]).float()
    target = before.sigmoid()
    least = F.binary_cross_entropy_with_logits(before, target)
    masks = F.binary_cross_entropy_with_logits(output.logits.float(), target) - least
    return masks + RATING_WEIGHT * (output.predicted_iou.float() - rated).square().mean()
