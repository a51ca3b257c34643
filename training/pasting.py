"""Copy-paste: objects of one pool image put into another, moved, turned, recoloured, with a shadow.

The pool's pictures are drawn many times in a long training; so hardly any scene comes twice. All of it are operations
on the whole batch, where the batch lies: on a GPU nothing leaves it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from training.scene import GROUP, NOTHING, PART, WHOLE
from training.targets import Targets, choose_targets
from training.views import random_colours, recolour

MOST_PASTED = 3  # objects per image
PASTED = NOTHING - MOST_PASTED  # the label of what was pasted first, counting up; scenes use smaller ones
SCALE = (0.5, 1.3)  # of the object
TURN = 0.3  # standard deviation [rad]
AGAIN_SHARE = 0.4  # of the further objects come from the same picture: alike, and yet not the same object
FRINGE = 3  # side of the square over which an edge is softened [px]
SHADOW_SHARE = 0.4
SHADOW_BLUR = 15  # side of the square [px]
SHADOW_STRENGTH = (0.2, 0.6)


def paste_objects(images: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Give every image objects of the next images in the batch; one without objects has none to give.

    A pasted region is a whole object of its own, whatever it was where it came from.

    Args:
        images: (B, H, W, 3 + LEVELS) uint8: colour, then labels.
        count: Of the objects, 1 to ``MOST_PASTED``.
        generator: On the CPU.

    Returns:
        New images of the same shape, on the same device.
    """
    planes = images.permute(0, 3, 1, 2)
    pasted, giver = planes, 1
    for number in range(count):
        again = number > 0 and float(torch.rand((), generator=generator)) < AGAIN_SHARE
        giver = giver if again else 1 + number
        pasted = _paste(pasted, planes.roll(giver, dims=0), PASTED + number, generator)
    return pasted.permute(0, 2, 3, 1)


def _paste(planes: Tensor, source: Tensor, name: int, generator: torch.Generator) -> Tensor:
    """Put an object of every source (B, 3 + LEVELS, H, W) into the picture of the same row, under this label."""
    chosen = choose_targets(source[:, 3:], 1, generator)
    moves = random_moves(chosen, generator)
    colour, alpha = _moved(source, chosen, moves, generator)
    behind = planes[:, :3].float() / 255 * (1 - _shadow(alpha, generator))
    mixed = behind + alpha * (colour - behind)
    pixels = (255 * mixed).round().clamp(0, 255).to(torch.uint8)
    covered = alpha[:, 0] > 0.5
    labels = planes[:, 3:].clone()
    for level, label in ((PART, 0), (WHOLE, name), (GROUP, 0)):
        labels[:, level].masked_fill_(covered, label)
    return torch.cat([pixels, labels], dim=1)


def random_moves(chosen: Targets, generator: torch.Generator) -> Tensor:
    """Draw where objects go: affine maps from the new place to the old one, both in [-1, 1], (B, 2, 3)."""
    count, device = len(chosen.regions), chosen.regions.device

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    scale = torch.exp(draw(*torch.tensor(SCALE).log().tolist()))
    turn = TURN * torch.randn(count, generator=generator)
    mirrored = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    cos, sin = turn.cos() / scale, turn.sin() / scale
    linear = torch.stack([cos * mirrored, -sin * mirrored, sin, cos], dim=-1).view(-1, 2, 2).to(device)
    there = torch.stack([draw(-0.8, 0.8), draw(-0.8, 0.8)], dim=-1).to(device)
    return torch.cat([linear, (_centres(chosen.regions) - (linear @ there[..., None])[..., 0])[..., None]], dim=2)


def _moved(source: Tensor, chosen: Targets, moves: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Colours (B, 3, H, W) in [0, 1] and coverage (B, 1, H, W) of the objects at their new places."""
    with torch.autocast(moves.device.type, enabled=False):  # half precision would move pixels
        grid = F.affine_grid(moves, [len(moves), 1, *source.shape[-2:]], align_corners=False)
    there = (chosen.present & chosen.valid)[:, None, None, None]
    soft = F.avg_pool2d((chosen.regions[:, None] & there).float(), FRINGE, 1, FRINGE // 2)
    moved = F.grid_sample(torch.cat([source[:, :3].float() / 255, soft], dim=1), grid, align_corners=False)
    colour = random_colours(len(source), generator).to(source.device)
    return recolour(moved[:, :3], colour), moved[:, 3:]


def _shadow(alpha: Tensor, generator: torch.Generator) -> Tensor:
    """How much darker it is around some objects, (B, 1, H, W) in [0, 1]; below them more than above."""
    count = len(alpha)
    low, high = SHADOW_STRENGTH
    strength = (low + (high - low) * torch.rand(count, generator=generator)).to(alpha.device)
    strength = strength * (torch.rand(count, generator=generator) < SHADOW_SHARE).to(alpha.device)
    blurred = F.avg_pool2d(alpha, SHADOW_BLUR, 1, SHADOW_BLUR // 2).roll(SHADOW_BLUR // 3, dims=2)
    return strength[:, None, None, None] * blurred


def _centres(regions: Tensor) -> Tensor:
    """Mean (x, y) of regions (B, H, W) in [-1, 1]: (B, 2); the middle where there is nothing."""
    inside = regions.float()
    total = inside.sum(dim=(1, 2)).clamp(min=1.0)
    places = [(torch.arange(side, device=regions.device) + 0.5) / side * 2 - 1 for side in regions.shape[1:]]
    y = inside.sum(dim=2) @ places[0] / total
    x = inside.sum(dim=1) @ places[1] / total
    return torch.stack([x, y], dim=-1)
