"""Training on corrections: a mask with a flaw, as a file or a tracker brings it, and the click that mends it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.mask_prompts import SURE_LOGIT
from clickmask.decoder.modeling.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, PADDING, POSITIVE, TOP_LEFT
from training.clicks import Prompts, box_corners, correction_clicks, deepest_points
from training.interactive import Start
from training.targets import Targets
from training.views import Views

CUT_KEEPS = (0.6, 0.92)  # of the object
LEAK_ADDS = (0.1, 0.6)  # of the object's area
SHIFT = (0.04, 0.2)  # of the square root of the object's area
COARSE_CELLS = (8, 24)  # a side of the view


def flawed_start(views: Views, targets: Targets, grid: int) -> Start:
    """Begin with flawed masks and one click on what is wrong with each, said as the product says it.

    A click that adds comes with one in the middle of the mask, one that takes away with the mask's box: see
    ``clickmask.decoder.correct.correction_prompt``.

    Args:
        views: B of them.
        targets: P on each.
        grid: A side of the network's mask prompts.
    """
    flawed = flawed_masks(targets.masks)
    logits = (2 * F.adaptive_avg_pool2d(flawed[:, None].float(), grid) - 1) * SURE_LOGIT
    click = correction_clicks(targets.masks, logits[:, 0])
    adds = click.labels == POSITIVE  # (M, 1)
    middle, corners = deepest_points(flawed), box_corners(flawed)  # (M, 2), (M, 2, 2)
    points = torch.where(adds[..., None], torch.stack([middle, click.points[:, 0]], dim=1), corners)
    points = torch.cat([points, torch.where(adds[..., None], 0.0, click.points)], dim=1)
    labels = torch.where(
        adds,
        torch.tensor([POSITIVE, POSITIVE, PADDING], device=adds.device),
        torch.tensor([TOP_LEFT, BOTTOM_RIGHT, NEGATIVE], device=adds.device),
    )
    usable = targets.valid & targets.present & flawed.flatten(1).any(dim=1)
    return Start(views, targets._replace(valid=usable), Prompts(points, labels), logits)


def flawed_masks(masks: Tensor) -> Tensor:
    """Give each mask (M, S, S) one of four flaws: cut off, leaking, shifted, coarse; at half the resolution."""
    truth = F.avg_pool2d(masks[:, None].float(), 2)[:, 0] >= 0.5
    kinds = torch.stack([_cut(truth), _leaking(truth), _shifted(truth), _coarse(truth)])  # (4, M, s, s)
    chosen = torch.randint(len(kinds), (len(truth),), device=truth.device)
    return kinds[chosen, torch.arange(len(truth), device=truth.device)]


def _cut(truth: Tensor) -> Tensor:
    """Leave out what lies beyond a straight line."""
    angle = 2 * math.pi * torch.rand(len(truth), 1, 1, device=truth.device)
    down, across = _places(truth)
    along = across * angle.cos() + down * angle.sin()
    ordered = torch.where(truth, along, math.inf).flatten(1).sort(dim=1).values
    last = (_uniform(truth, CUT_KEEPS)[:, 0, 0] * truth.flatten(1).sum(dim=1)).long()
    return truth & (along <= ordered.gather(1, last[:, None])[..., None])


def _leaking(truth: Tensor) -> Tensor:
    """Add a disc at the edge."""
    edge = truth & (-F.max_pool2d(-truth[:, None].float(), 3, 1, 1)[:, 0] < 0.5)
    at = (torch.rand_like(edge, dtype=torch.float) * edge).flatten(1).argmax(dim=1)
    row, column = (at // truth.shape[2])[:, None, None], (at % truth.shape[2])[:, None, None]
    down, across = _places(truth)
    squared = truth.flatten(1).sum(dim=1)[:, None, None] * _uniform(truth, LEAK_ADDS) * 2 / math.pi
    return truth | ((down - row) ** 2 + (across - column) ** 2 <= squared)


def _shifted(truth: Tensor) -> Tensor:
    """Move the mask."""
    angle = 2 * math.pi * torch.rand(len(truth), 1, 1, device=truth.device)
    distance = _uniform(truth, SHIFT) * truth.flatten(1).sum(dim=1)[:, None, None].sqrt() * 2 / truth.shape[2]
    maps = torch.eye(2, 3, device=truth.device).repeat(len(truth), 1, 1)
    maps[:, :, 2] = torch.cat([angle.cos(), angle.sin()], dim=2)[:, 0] * distance[:, 0]
    with torch.autocast(truth.device.type, enabled=False):
        places = F.affine_grid(maps, [len(truth), 1, *truth.shape[1:]], align_corners=False)
        return F.grid_sample(truth[:, None].float(), places, mode="nearest", align_corners=False)[:, 0] > 0.5


def _coarse(truth: Tensor) -> Tensor:
    """Make the masks of large squares, as large for all of them."""
    low, high = COARSE_CELLS
    small = F.adaptive_avg_pool2d(truth[:, None].float(), int(torch.randint(low, high + 1, ())))
    return F.interpolate(small, truth.shape[1:], mode="nearest")[:, 0] > 0.5


def _uniform(masks: Tensor, limits: tuple[float, float]) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(len(masks), 1, 1, device=masks.device)


def _places(masks: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (s, 1) and columns (1, s), as numbers."""
    rows, columns = (torch.arange(length, device=masks.device, dtype=torch.float) for length in masks.shape[1:])
    return rows[:, None], columns[None]
