"""A simulated person: draws a box or clicks, looks at the answer and clicks where it is wrong. Runs on any device."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.modeling.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, PADDING, POSITIVE, TOP_LEFT

DEEPEST_SHARE = 0.35  # of the clicks go to the deepest point
BORDER_SHARE = 0.2  # near the border, the others anywhere in the region
BORDER_DEPTH = 2.5  # how near [cells of half resolution]
BOX_NOISE = (0.0, 0.03, 0.08)  # deviation of a drawn corner, of the box's side; one is drawn per box
LOOSE_SHARE = 0.25  # of the boxes are drawn with room to spare instead
LOOSENESS = (-0.03, 0.2)  # of the box's side, for each side of such a box; below 0 cuts into the object
_ERODE_STEPS = 16


class Prompts(NamedTuple):
    """M prompts in normalised image coordinates."""

    points: Tensor  # (M, N, 2), each (x, y) in [0, 1]
    labels: Tensor  # (M, N) int: 1 positive, 0 negative, 2 and 3 box corners, -1 padding

    def rows(self, index: Tensor) -> Prompts:
        """Some of the prompts."""
        return Prompts(self.points[index], self.labels[index])

    def add(self, other: Prompts) -> Prompts:
        """The same prompts with further points."""
        return Prompts(torch.cat([self.points, other.points], dim=1), torch.cat([self.labels, other.labels], dim=1))


def first_prompts(regions: Tensor, is_box: Tensor) -> Prompts:
    """Draw a box where asked for, else one positive click; always two slots, the click's second is padding.

    Args:
        regions: (M, S, S) bool.
        is_box: (M,) bool.
    """
    click = inside_points(regions)  # (M, 2)
    slots = torch.stack([click, torch.zeros_like(click)], dim=1)
    points = torch.where(is_box[:, None, None], drawn_boxes(regions), slots)
    corners = torch.tensor([TOP_LEFT, BOTTOM_RIGHT], device=regions.device)
    single = torch.tensor([POSITIVE, PADDING], device=regions.device)
    return Prompts(points, torch.where(is_box[:, None], corners, single))


def padding(count: int, slots: int, device: torch.device) -> Prompts:
    """Slots that say nothing: the network must not care how many there are."""
    return Prompts(
        torch.zeros(count, slots, 2, device=device),
        torch.full((count, slots), PADDING, device=device, dtype=torch.long),
    )


def box_corners(regions: Tensor) -> Tensor:
    """Boxes around regions (M, S, S), as (M, 2, 2) corners in [0, 1]; the whole view for an empty region."""
    return torch.stack([_extent(regions.any(dim=1)), _extent(regions.any(dim=2))], dim=-1) / regions.shape[-1]


def drawn_boxes(regions: Tensor) -> Tensor:
    """Boxes around regions as a hand draws them, (M, 2, 2) corners in [0, 1]; the whole view for an empty region."""
    corners = box_corners(regions)
    size = corners[:, 1] - corners[:, 0]
    noise = torch.tensor(BOX_NOISE, device=regions.device)[torch.randint(3, (len(regions),), device=regions.device)]
    noisy = torch.randn_like(corners).clamp(-2, 2) * noise[:, None, None]
    low, high = LOOSENESS
    outwards = corners.new_tensor([-1.0, 1.0])[:, None]  # the first corner lies above and to the left
    loose = outwards * (low + (high - low) * torch.rand_like(corners))
    is_loose = torch.rand(len(regions), 1, 1, device=regions.device) < LOOSE_SHARE
    return (corners + torch.where(is_loose, loose, noisy) * size[:, None]).clamp(0, 1)


def correction_clicks(masks: Tensor, logits: Tensor) -> Prompts:
    """Click where an answer is wrong: positive on what it misses, negative on what it adds.

    Args:
        masks: (M, S, S) bool, the truth.
        logits: (M, h, w), the answer.

    Returns:
        One click per row; a positive one inside the object where the answer has no error.
    """
    truth = _cover(masks)
    answer = F.interpolate(logits[:, None].float(), truth.shape[-2:], mode="bilinear")[:, 0] > 0
    inside = truth >= 0.5
    wrong = inside != answer
    kind = wrong.to(torch.uint8) * (1 + answer.to(torch.uint8))  # 0 right, 1 missed, 2 added
    index = _pick(wrong, _depth(kind), truth)
    positive = ~answer.flatten(1).gather(1, index[:, None]) | ~wrong.flatten(1).any(dim=1, keepdim=True)
    labels = torch.where(positive, POSITIVE, NEGATIVE)
    return Prompts(_centres(index, truth.shape[-1])[:, None], labels)


def inside_points(regions: Tensor) -> Tensor:
    """One point inside each region (M, S, S): (M, 2) in [0, 1]."""
    cover = _cover(regions)
    inside = cover >= 0.5
    return _centres(_pick(inside, _depth(inside.to(torch.uint8)), cover), cover.shape[-1])


def deepest_points(regions: Tensor) -> Tensor:
    """The point of each region (M, S, S) that is farthest from its edge, (M, 2) in [0, 1]; any of several."""
    depth = _depth(regions.to(torch.uint8))
    return _centres((depth + torch.rand_like(depth)).flatten(1).argmax(dim=1), regions.shape[-1])


def _cover(regions: Tensor) -> Tensor:
    """Share of each cell of half resolution that a region covers, (M, S / 2, S / 2) float."""
    return F.avg_pool2d(regions[:, None].float(), 2)[:, 0]


def _pick(inside: Tensor, depth: Tensor, cover: Tensor) -> Tensor:
    """Index of a cell per row: the deepest, one near the border or any inside; where none is, the best covered."""
    noise = torch.rand_like(cover)
    kind = torch.rand(len(cover), 1, 1, device=cover.device)
    near_border = _ERODE_STEPS - (depth - BORDER_DEPTH).abs()
    anywhere = torch.where(kind < DEEPEST_SHARE + BORDER_SHARE, near_border, 1.0)
    score = (torch.where(kind < DEEPEST_SHARE, depth, anywhere) + noise) * inside + 1e-3 * cover
    return score.flatten(1).argmax(dim=1)


def _depth(kind: Tensor) -> Tensor:
    """Steps to the nearest cell of another kind or the border, at most ``_ERODE_STEPS``; 0 where kind is 0."""
    same = torch.zeros_like(kind, dtype=torch.bool)
    centre = kind[:, 1:-1, 1:-1]
    same[:, 1:-1, 1:-1] = (
        (centre > 0)
        & (centre == kind[:, :-2, 1:-1])
        & (centre == kind[:, 2:, 1:-1])
        & (centre == kind[:, 1:-1, :-2])
        & (centre == kind[:, 1:-1, 2:])
    )
    depth = (kind > 0).to(torch.uint8) + same
    for _ in range(_ERODE_STEPS - 2):
        eroded = torch.zeros_like(same)
        eroded[:, 1:-1, 1:-1] = (
            same[:, 1:-1, 1:-1] & same[:, :-2, 1:-1] & same[:, 2:, 1:-1] & same[:, 1:-1, :-2] & same[:, 1:-1, 2:]
        )
        same = eroded
        depth += same
    return depth.float()


def _centres(index: Tensor, side: int) -> Tensor:
    """Cell numbers (M,) to the cells' centres (M, 2) in [0, 1]."""
    return torch.stack([index % side + 0.5, index // side + 0.5], dim=-1) / side


def _extent(occupied: Tensor) -> Tensor:
    """First occupied position and one past the last, (M, 2) float; the whole length where nothing is."""
    length = occupied.shape[-1]
    filled = occupied | ~occupied.any(dim=-1, keepdim=True)
    first = filled.to(torch.uint8).argmax(dim=-1)
    last = length - filled.flip(-1).to(torch.uint8).argmax(dim=-1)
    return torch.stack([first, last], dim=-1).float()
