"""Practice: a simulated person clicks on objects, answer by answer as an engine gives them, and how wrong they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.evaluation.person import human_click, next_click
from clickmask.decoder.learning.examples import TRUTH_SIDE, View, stack_features
from clickmask.decoder.learning.losses import combine_candidates, iou_loss, mask_losses, true_iou
from clickmask.decoder.mask_prompts import SURE_LOGIT
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, ImageFeatures
from clickmask.decoder.modeling.prompt_encoder import NEGATIVE, PADDING, POSITIVE

CORRECTIONS = ((0, 0.35), (1, 0.3), (2, 0.2), (4, 0.15))  # how many clicks follow the first, how often
DEEPEST_SHARE = 0.4  # of the clicks are where a careful person would click, the others where people do
OWN_SHARE = 0.25  # of the first clicks are those that the person made
IOU_WEIGHT = 0.5

Decode = Callable[[ImageFeatures, Tensor, Tensor, Tensor | None], DecoderOutput]


class Batch(NamedTuple):
    """B objects, each on the whole picture and nearer."""

    whole: ImageFeatures
    near: ImageFeatures
    whole_truth: Tensor  # (B, side, side) bool
    near_truth: Tensor
    scale: Tensor  # (B, 1, 2), see ``View``
    offset: Tensor


def make_batch(views: Sequence[View]) -> Batch:
    """Stack views."""
    device = views[0].whole.features.image.device
    return Batch(
        whole=stack_features([view.whole.features for view in views]),
        near=stack_features([view.near.features for view in views]),
        whole_truth=torch.from_numpy(np.stack([view.whole.truth for view in views])).to(device),
        near_truth=torch.from_numpy(np.stack([view.near.truth for view in views])).to(device),
        scale=torch.tensor([[view.scale] for view in views], device=device),
        offset=torch.tensor([[view.offset] for view in views], device=device),
    )


def practise(decode: Decode, views: Sequence[View], mask_side: int, rng: np.random.Generator) -> Tensor:
    """Click on each object until a drawn number of corrections is made; the mean loss of the first and last answers.

    Gradients flow through those only, and through each by itself.
    """
    batch = make_batch(views)
    counts, shares = zip(*CORRECTIONS, strict=True)
    last = int(rng.choice(counts, p=shares))
    points, labels = _first_clicks(views, batch, rng)
    earlier: Tensor | None = None
    losses = []
    for number in range(last + 1):
        with torch.set_grad_enabled(number in (0, last)):
            whole = decode(batch.whole, points, labels, earlier)
            inner = crop(chosen_logits(whole, is_first=number == 0), batch).detach()
            near = decode(batch.near, *_in_window(points, labels, batch), inner)
            if number in (0, last):
                losses.append(answer_loss(whole, batch.whole_truth, is_ambiguous=number == 0))
                losses.append(answer_loss(near, batch.near_truth, is_ambiguous=False))
        if number < last:
            shown = near.logits[:, 0].detach()
            places, kinds = _corrections(shown, batch, rng)
            points, labels = torch.cat([points, places], dim=1), torch.cat([labels, kinds], dim=1)
            earlier = paste(shown, batch, mask_side)
    return torch.stack(losses).mean()


def answer_loss(output: DecoderOutput, truth: Tensor, *, is_ambiguous: bool) -> Tensor:
    """How wrong masks and ratings are, in the mean over the batch."""
    logits = output.logits.float()
    logits = F.interpolate(logits, truth.shape[-2:], mode="bilinear")
    target = truth.float()
    ambiguous = torch.full((len(logits),), is_ambiguous, device=logits.device)
    masks = combine_candidates(mask_losses(logits, target), ambiguous, torch.ones_like(ambiguous))
    with torch.no_grad():
        ious = true_iou(logits, target)
    return (masks + IOU_WEIGHT * iou_loss(output.predicted_iou.float(), ious)).mean()


def chosen_logits(output: DecoderOutput, *, is_first: bool) -> Tensor:
    """The masks that an engine would look at nearer, (B, 1, h, w)."""
    if not is_first:
        return output.logits[:, :1]
    rows = 1 + output.predicted_iou[:, 1:].argmax(dim=1)
    return output.logits[torch.arange(len(rows), device=rows.device), rows][:, None]


def crop(logits: Tensor, batch: Batch) -> Tensor:
    """Logits (B, 1, h, w) of the whole square on the same grid over the near one."""
    side = logits.shape[-1]
    places = (_grid(side, logits.device) - batch.offset[:, None]) / batch.scale[:, None]  # (B, side, side, 2)
    return F.grid_sample(logits.float(), 2 * places - 1, padding_mode="border", align_corners=False)


def paste(logits: Tensor, batch: Batch, side: int) -> Tensor:
    """A near answer (B, h, w) as the mask that a person sees, as logits over the whole square: (B, 1, side, side)."""
    places = _grid(2 * side, logits.device) * batch.scale[:, None] + batch.offset[:, None]
    found = F.grid_sample(logits[:, None].float(), 2 * places - 1, padding_mode="border", align_corners=False)[:, 0] > 0
    inside = ((places >= 0) & (places <= 1)).all(dim=-1)
    return (2 * F.avg_pool2d((found & inside).float(), 2)[:, None] - 1) * SURE_LOGIT


def as_shown(logits: Tensor) -> Tensor:
    """An answer (B, 1, h, w) as the mask that a person sees, as logits: sure everywhere but at the edge."""
    inside = F.interpolate(logits.float(), scale_factor=4.0, mode="bilinear") > 0
    return (2 * F.avg_pool2d(inside.float(), 4) - 1) * SURE_LOGIT


def _grid(side: int, device: torch.device) -> Tensor:
    """The cells' centres, (1, side, side, 2), each (x, y) in [0, 1]."""
    centres = (torch.arange(side, device=device) + 0.5) / side
    return torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)[None]


def _in_window(points: Tensor, labels: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Clicks (B, N, 2) and labels in the near square; those outside say nothing, as in an engine."""
    moved = points * batch.scale + batch.offset
    outside = ((moved < 0) | (moved > 1)).any(dim=-1)
    return moved.clamp(0, 1), torch.where(outside, PADDING, labels)


def _first_clicks(views: Sequence[View], batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One click on each object, in the whole square."""
    places = []
    for view in views:
        if view.clicks and rng.random() < OWN_SHARE:
            places.append(view.clicks[int(rng.integers(len(view.clicks)))])
            continue
        x, y, _ = click_on(view.near.truth, np.zeros_like(view.near.truth), rng)
        places.append(((x - view.offset[0]) / view.scale[0], (y - view.offset[1]) / view.scale[1]))
    points = torch.tensor(places, dtype=torch.float32, device=batch.scale.device)[:, None]
    return points, torch.full((len(views), 1), POSITIVE, device=points.device)


def _corrections(shown: Tensor, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A click per object where the near answer (B, h, w) is wrong: places in the whole square and labels."""
    grown = F.interpolate(shown[:, None].float(), (TRUTH_SIDE, TRUTH_SIDE), mode="bilinear")[:, 0] > 0
    answers, truths = grown.cpu().numpy(), batch.near_truth.cpu().numpy()
    clicks = [click_on(truth, answer, rng) for truth, answer in zip(truths, answers, strict=True)]
    places = torch.tensor([[click[:2]] for click in clicks], dtype=torch.float32, device=shown.device)
    labels = torch.tensor([[click[2]] for click in clicks], device=shown.device)
    return (places - batch.offset) / batch.scale, labels


def click_on(truth: NDArray[np.bool_], answer: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float, int]:
    """Where a person clicks in the square: x and y in [0, 1], and the label; nothing is left to say: padding."""
    click = next_click(truth, answer) if rng.random() < DEEPEST_SHARE else human_click(truth, answer, rng)
    if click is None:
        return 0.0, 0.0, PADDING
    return click.x / truth.shape[1], click.y / truth.shape[0], POSITIVE if click.positive else NEGATIVE
