"""Training on zooms: answer on the full view, crop around the answer, answer again. This is how ``refine`` is used."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.prompt_encoder import NEGATIVE, PADDING
from training.clicks import Prompts, correction_clicks, first_prompts, padding
from training.interactive import BOX_SHARE, Start, previous_logits, sometimes_shown
from training.targets import Targets, choose_targets, same_regions
from training.views import Views, render

MARGIN = (0.2, 0.6)  # around the answer, of its size
SMALLEST_CROP = 0.2  # of the view's side
MOST_CORRECTIONS = 2  # made on the full view


def zoom_start(
    model: Nano,
    images: Tensor,
    maps: Tensor,
    full: Views,
    prompts_per_image: int,
    colour: Tensor,
    generator: torch.Generator,
) -> Start:
    """Begin on crops: the first prompt of each image comes with its answer from the full view, the others without.

    Args:
        images: (B, H, W, 3 + levels) uint8 pool images.
        maps: (B, 2, 3) from the full view to the source.
        full: The full views.
        prompts_per_image: On each crop.
        colour: As ``render`` takes it.
    """
    with torch.no_grad():
        asked = choose_targets(full.labels, 1, generator)
        prompts, logits = _answer(model, full, asked, generator)
        crops = crop_windows(prompts, logits, generator)  # (B, 2, 3) from the crop to the full view
    side = full.pixels.shape[-1]
    views = render(images, compose(maps, crops), side, colour=colour)
    others = choose_targets(views.labels, prompts_per_image, generator)
    targets = _put_first(others, same_regions(views.labels, asked), prompts_per_image)
    return Start(views, targets, *_prompts_on_crops(targets, prompts, logits, crops, prompts_per_image, generator))


def _answer(model: Nano, full: Views, asked: Targets, generator: torch.Generator) -> tuple[Prompts, Tensor]:
    """One prompt per full view, corrected none to two times: the prompts and the logits (B, 1, h, w)."""
    is_box = (torch.rand(len(asked.present), generator=generator) < BOX_SHARE).to(asked.present.device)
    prompts = first_prompts(asked.regions, is_box & asked.present)
    features = model.encode(full.pixels)
    logits = previous_logits(model.decode(features, *prompts, None), prompts)
    for _ in range(int(torch.randint(MOST_CORRECTIONS + 1, (), generator=generator))):
        prompts = prompts.add(correction_clicks(asked.masks, logits[:, 0]))
        logits = previous_logits(model.decode(features, *prompts, sometimes_shown(logits)), prompts)
    return prompts, logits


def crop_windows(prompts: Prompts, logits: Tensor, generator: torch.Generator) -> Tensor:
    """Windows around answers and what was pointed at, as maps from crop to view in [-1, 1]: (B, 2, 3)."""
    answer = logits[:, 0] > 0
    side = answer.shape[-1]
    centres = (torch.arange(side, device=answer.device) + 0.5) / side * 2 - 1
    columns, rows = answer.any(dim=1), answer.any(dim=2)  # (B, side)
    points = prompts.points * 2 - 1
    joined = ((prompts.labels != PADDING) & (prompts.labels != NEGATIVE))[..., None]
    lows, highs = [], []
    for axis, occupied in enumerate((columns, rows)):
        low = torch.where(occupied, centres, 2.0).amin(dim=1)
        high = torch.where(occupied, centres, -2.0).amax(dim=1)
        lows.append(torch.minimum(low, torch.where(joined, points, 2.0)[..., axis].amin(dim=1)))
        highs.append(torch.maximum(high, torch.where(joined, points, -2.0)[..., axis].amax(dim=1)))
    low, high = torch.stack(lows, dim=-1), torch.stack(highs, dim=-1)  # (B, 2)
    margin = (MARGIN[0] + (MARGIN[1] - MARGIN[0]) * torch.rand(len(low), 1, generator=generator)).to(low.device)
    half = ((high - low) / 2 * (1 + margin)).clamp(SMALLEST_CROP, 1.0)
    centre = torch.clamp((low + high) / 2, half - 1, 1 - half)
    windows = low.new_zeros(len(low), 2, 3)
    windows[:, 0, 0], windows[:, 1, 1], windows[:, :, 2] = half[:, 0], half[:, 1], centre
    return windows


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The map that applies ``inner``, then ``outer``: (B, 2, 3) both."""
    with torch.autocast(outer.device.type, enabled=False):  # half precision would move pixels
        linear = outer[:, :, :2] @ inner[:, :, :2]
        shift = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
    return torch.cat([linear, shift], dim=2)


def _prompts_on_crops(
    targets: Targets, prompts: Prompts, logits: Tensor, crops: Tensor, per_image: int, generator: torch.Generator
) -> tuple[Prompts, Tensor]:
    """All prompts of the crops: carried over from the full view where there are any, else drawn anew."""
    count, slots = len(targets.present), prompts.points.shape[1]
    is_box = (torch.rand(count, generator=generator) < BOX_SHARE).to(targets.present.device) & targets.present
    fresh = first_prompts(targets.regions, is_box).add(padding(count, slots - 2, logits.device))
    carried = on_crop(prompts, crops)
    points, labels = fresh.points.clone(), fresh.labels.clone()
    points[::per_image], labels[::per_image] = carried.points, carried.labels
    earlier = logits.new_zeros(count, *logits.shape[1:])
    grid = F.affine_grid(crops, list(logits.shape), align_corners=False)
    earlier[::per_image] = F.grid_sample(logits, grid, padding_mode="border", align_corners=False)
    return Prompts(points, labels), earlier


def on_crop(prompts: Prompts, crops: Tensor) -> Prompts:
    """Points in the crop's own coordinates; what lies outside it becomes padding."""
    half = torch.stack([crops[:, 0, 0], crops[:, 1, 1]], dim=-1)[:, None]  # (B, 1, 2)
    points = ((prompts.points * 2 - 1 - crops[:, None, :, 2]) / half + 1) / 2
    seen = ((points >= 0) & (points <= 1)).all(dim=-1) & (prompts.labels != PADDING)
    return Prompts(points * seen[..., None], torch.where(seen, prompts.labels, PADDING))


def _put_first(others: Targets, first: Targets, per_image: int) -> Targets:
    """Replace the first target of every image."""
    merged = [x.clone() for x in others]
    for whole, part in zip(merged, first, strict=True):
        whole[::per_image] = part
    return Targets(*merged)
