"""One training step: prompts, answers, corrections of the answers, and the loss of it all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.learning.losses import combine_candidates, iou_loss, mask_losses, object_loss, true_iou
from clickmask.decoder.mask_prompts import SURE_LOGIT
from clickmask.decoder.modeling.mask_decoder import DecoderOutput, HighResolution, ImageFeatures
from clickmask.decoder.modeling.nano import Nano
from training.clicks import Prompts, correction_clicks, first_prompts, inside_points, padding
from training.scene import WHOLE
from training.targets import Targets
from training.views import Views

BOX_SHARE = 0.45  # of the first prompts
CORRECTIONS = ((1, 0.35), (2, 0.3), (3, 0.2), (5, 0.15))  # how many, how often
LOGITS_KEPT = 0.95  # share of the corrections that see the earlier answer
SHOWN_SHARE = 0.5  # of those, that see it as a second look shows it
IOU_WEIGHT = 0.5
OBJECT_WEIGHT = 0.2
LIKENESS_WEIGHT = 0.5


class Start(NamedTuple):
    """What a step begins with: B views, P prompts on each."""

    views: Views
    targets: Targets
    prompts: Prompts
    logits: Tensor | None  # (B*P, 1, h, w) earlier answers, 0 where there is none


@dataclass(frozen=True)
class StepReport:
    """Means over the prompts of one step, for the curves."""

    loss: float
    click_iou: float  # of the single mask after one click
    best_iou: float  # of the best candidate after one click
    box_iou: float
    corrected_iou: float
    object_accuracy: float

    @staticmethod
    def fields() -> tuple[str, ...]:
        """The names, in order."""
        return tuple(StepReport.__dataclass_fields__)


def plain_start(views: Views, targets: Targets, generator: torch.Generator) -> Start:
    """Begin with boxes and single clicks; one step in four knows only one of the two."""
    count = len(targets.present)
    only = float(torch.rand((), generator=generator))
    share = 0.0 if only < 0.15 else 1.0 if only < 0.25 else BOX_SHARE
    is_box = (torch.rand(count, generator=generator) < share).to(targets.present.device) & targets.present
    prompts = first_prompts(targets.regions, is_box)
    if share == 0.0:
        prompts = Prompts(prompts.points[:, :1], prompts.labels[:, :1])
    return Start(views, targets, with_padding(prompts, generator), None)


def with_padding(prompts: Prompts, generator: torch.Generator) -> Prompts:
    """Append none to two empty slots."""
    slots = int(torch.randint(3, (), generator=generator))
    return prompts.add(padding(len(prompts.points), slots, prompts.points.device))


def interactive_loss(model: Nano, start: Start, generator: torch.Generator) -> tuple[Tensor, StepReport]:
    """Answer the first prompts, correct half of the answers some times, and measure both ends.

    Gradients flow through the first and the last answer only.
    """
    batch = len(start.views.pixels)
    per_image = len(start.targets.present) // batch
    features = model.encode(start.views.pixels)
    first = model.decode(repeat_features(features, per_image), *start.prompts, start.logits)
    loss, first_ious = _answer_loss(first, start.targets, start.prompts, scale=4)

    loss = loss + LIKENESS_WEIGHT * likeness_loss(model, features, start.targets)
    half = max(1, per_image // 2)
    rows = torch.arange(batch * per_image).view(batch, per_image)[:, :half].flatten().to(start.targets.present.device)
    targets = Targets(*(x[rows] for x in start.targets))
    repeated = repeat_features(features, half)
    prompts, last = _corrected(model, repeated, targets, start.prompts.rows(rows), first, rows, generator)
    last_loss, last_ious = _answer_loss(last, targets, prompts, scale=2)
    return loss + last_loss, _report(loss + last_loss, first, first_ious, last_ious, start, targets)


def _corrected(
    model: Nano,
    features: ImageFeatures,
    targets: Targets,
    prompts: Prompts,
    first: DecoderOutput,
    rows: Tensor,
    generator: torch.Generator,
) -> tuple[Prompts, DecoderOutput]:
    """Click on errors a random number of times; only the last answer keeps its gradient."""
    weights = torch.tensor([share for _, share in CORRECTIONS])
    count = CORRECTIONS[int(torch.multinomial(weights, 1, generator=generator))][0]
    logits = previous_logits(DecoderOutput(*(x[rows].detach() for x in first)), prompts)
    answer = first
    for number in range(count):
        prompts = prompts.add(correction_clicks(targets.masks, logits[:, 0]))
        kept = torch.rand(len(logits), 1, 1, 1, device=logits.device) < LOGITS_KEPT
        with torch.set_grad_enabled(number == count - 1 and torch.is_grad_enabled()):
            answer = model.decode(features, *prompts, sometimes_shown(logits) * kept)
        logits = previous_logits(DecoderOutput(*(x.detach() for x in answer)), prompts)
    return prompts, answer


def likeness_loss(model: Nano, features: ImageFeatures, targets: Targets) -> Tensor:
    """How badly looks alone tell the object under a point from the rest: teaches the trunk directly."""
    s8 = features.high_resolution.s8
    per_image = len(targets.present) // len(s8)
    points = inside_points(targets.regions).view(len(s8), per_image, 2)
    logits = model.likeness.same_object_logits(s8, points).flatten(0, 1).float()  # (M, h, w)
    truth = F.avg_pool2d(targets.masks[:, None].float(), targets.masks.shape[-1] // logits.shape[-1])[:, 0]
    losses = F.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean(dim=(1, 2))
    return _mean(losses, (targets.present & targets.valid).float())


def previous_logits(output: DecoderOutput, prompts: Prompts) -> Tensor:
    """The mask a person would go on from, (M, 1, h, w): half of the ambiguous answers are the best-rated candidate."""
    rated = 1 + output.predicted_iou[:, 1:].argmax(dim=1)
    chosen = is_ambiguous(prompts) & (torch.rand(len(rated), device=rated.device) < 0.5)
    row = torch.where(chosen, rated, 0)
    return output.logits[torch.arange(len(row), device=row.device), row][:, None].float()


def sometimes_shown(logits: Tensor) -> Tensor:
    """Some of the logits (M, 1, h, w) as a second look hands them back: sure everywhere but at the edge."""
    inside = F.interpolate(logits, scale_factor=4.0, mode="bilinear") > 0
    shown = (2 * F.avg_pool2d(inside.float(), 4) - 1) * SURE_LOGIT
    chosen = torch.rand(len(logits), 1, 1, 1, device=logits.device) < SHOWN_SHARE
    return torch.where(chosen, shown, logits)


def is_ambiguous(prompts: Prompts) -> Tensor:
    """Whether a prompt is one click and nothing else: (M,)."""
    return (prompts.labels >= 0).sum(dim=1) == 1


def repeat_features(features: ImageFeatures, times: int) -> ImageFeatures:
    """Give every image's features to its prompts: (B, ...) -> (B * times, ...)."""
    fine = features.high_resolution
    return ImageFeatures(_repeat(features.image, times), HighResolution(*(_repeat(x, times) for x in fine)))


def _repeat(x: Tensor, times: int) -> Tensor:
    """Repeat rows by expansion, whose backward is a plain sum; stays channels-last."""
    rows = x.permute(0, 2, 3, 1)[:, None].expand(-1, times, -1, -1, -1)
    return rows.flatten(0, 1).permute(0, 3, 1, 2)


def _answer_loss(output: DecoderOutput, targets: Targets, prompts: Prompts, *, scale: int) -> tuple[Tensor, Tensor]:
    """Mean loss of an answer, and the IoU of its masks (M, 4); compared at 1 / scale of the view."""
    truth = F.avg_pool2d(targets.masks[:, None].float(), scale)[:, 0]
    logits = output.logits.float()
    if logits.shape[-1] != truth.shape[-1]:
        logits = F.interpolate(logits, truth.shape[-2:], mode="bilinear")
    asked = (targets.present & targets.valid).float()
    masks = combine_candidates(mask_losses(logits, truth), is_ambiguous(prompts), targets.level == WHOLE)
    with torch.no_grad():
        ious = true_iou(logits, truth)
    shape = masks + IOU_WEIGHT * iou_loss(output.predicted_iou.float(), ious)
    known = targets.valid.float()
    presence = OBJECT_WEIGHT * object_loss(output, targets.present)
    return _mean(shape, asked) + _mean(presence, known), ious


def _report(
    loss: Tensor, first: DecoderOutput, first_ious: Tensor, last_ious: Tensor, start: Start, corrected: Targets
) -> StepReport:
    asked = start.targets.present & start.targets.valid
    ambiguous = is_ambiguous(start.prompts) & asked
    right = (first.object_score[:, 0] > 0) == start.targets.present
    return StepReport(
        loss=float(loss.detach()),
        click_iou=float(_mean(first_ious[:, 0], ambiguous.float())),
        best_iou=float(_mean(first_ious.amax(dim=1), ambiguous.float())),
        box_iou=float(_mean(first_ious[:, 0], (asked & ~is_ambiguous(start.prompts)).float())),
        corrected_iou=float(_mean(last_ious[:, 0], (corrected.present & corrected.valid).float())),
        object_accuracy=float(_mean(right.float(), start.targets.valid.float())),
    )


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1e-6)
