"""Masks that may be objects like the examples: prompted where the picture looks like them, the best of each place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.choose import stability_score
from clickmask.decoder.prompts import Box, Point, Prompt, Size
from clickmask.decoder.refine.edges import sharpen
from clickmask.decoder.refine.window import Window, crop_logits
from clickmask.decoder.refine.zoom import FINE_CELLS
from clickmask.decoder.segment import MaskSet, binarize
from clickmask.decoder.similar.evidence import Masks, weigh
from clickmask.decoder.similar.examples import Kind, shape_of
from clickmask.decoder.similar.looks import Seen, Spread, Vectors, inside_and_around
from clickmask.decoder.similar.score import first_impression

SHARES = (1.0, 0.5, 0.25)  # of stride 8, stride 16 and colour in what a place looks like
LEAST_LIKENESS = 0.15  # of a place, for it to be clicked; 0 is the picture's mean, 1 an example
PEAK_RADIUS = 0.35  # a peak is the best place within so many diameters
MOST_PEAKS = 40  # of a window
BATCH = 16  # prompts that are answered together; clicks of people pass in between
BOX_SHARE = 0.56  # half a side of the box around a peak, in diameters
SAME_IOU = 0.7  # of two masks on the network's grid, for them to be one
MOST_CUT = 24  # masks of a window that are cut out at the picture's size
LARGEST_RATIO = 4.0  # of a mask's area to that of an example, or the other way round
LEAST_CELLS = 2.0  # of the mask's grid
MARGIN = 0.2  # around a mask that is cut out, of its sides


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The masks of all prompts of a window, N of them, on the network's grid."""

    logits: Tensor  # (N, h, w)
    points: tuple[Point, ...]  # in pixels of the window
    predicted_ious: Tensor  # (N,)
    stabilities: Tensor  # (N,)


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """A mask at the size of its window."""

    inside: NDArray[np.bool_]
    point: Point  # in pixels of the window
    predicted_iou: float
    stability: float


def likeness(looks: Vectors, kind: Kind, spread: Spread) -> Tensor:
    """How much every place of a window (h, w) looks like the nearest example, in [-1, 1]."""
    height, width = looks[0].shape[1:]
    x, y, z = looks
    places = spread.normalised((x.flatten(1), y.flatten(1), z.flatten(1)))
    maps = [
        sum(
            share * (wanted * place).sum(dim=0)
            for share, wanted, place in zip(SHARES, spread.normalised(example.vectors), places, strict=True)
        )
        for example in kind.examples
    ]
    return torch.stack([torch.as_tensor(one) for one in maps]).amax(dim=0).reshape(height, width) / sum(SHARES)


def peaks(like: Tensor, size: Size, diameter_px: float) -> list[Point]:
    """The places of a window that look most like an example, best first, in pixels of the window.

    Args:
        like: (h, w), see ``likeness``.
        size: Of the window.
        diameter_px: Of the objects; two peaks are not nearer than ``PEAK_RADIUS`` of it [px].
    """
    fine = F.interpolate(like[None, None], scale_factor=2, mode="bilinear")[0, 0]
    down, across = size.height / fine.shape[0], size.width / fine.shape[1]
    radius = max(1, round(PEAK_RADIUS * diameter_px / max(down, across)))
    highest = F.max_pool2d(fine[None, None], 2 * radius + 1, 1, radius)[0, 0]
    found = ((fine == highest) & (fine > LEAST_LIKENESS)).nonzero()
    best_first = fine[found[:, 0], found[:, 1]].argsort(descending=True)[:MOST_PEAKS]
    return [Point((x + 0.5) * across, (y + 0.5) * down) for y, x in found[best_first].tolist()]


def ask(seen: Seen, points: Iterable[Point], diameter_px: float) -> Answers | None:
    """Prompt every point twice, alone and with a box of the examples' size; None without a point."""
    size, half = seen.window.size, BOX_SHARE * diameter_px
    prompts: list[Prompt] = []
    for point in points:
        box = Box(
            max(0.0, point.x - half),
            max(0.0, point.y - half),
            min(float(size.width), point.x + half),
            min(float(size.height), point.y + half),
        )
        prompts += [Prompt(points=(point,)), Prompt(points=(point,), box=box)]
    if not prompts:
        return None
    starts = range(0, len(prompts), BATCH)
    return _stacked(prompts, [answer for start in starts for answer in seen.answer(prompts[start : start + BATCH])])


def _stacked(prompts: list[Prompt], answers: list[MaskSet]) -> Answers:
    logits = torch.cat([answer.logits for answer in answers])
    points = tuple(prompt.points[0] for prompt, answer in zip(prompts, answers, strict=True) for _ in answer.logits)
    return Answers(logits, points, torch.cat([answer.predicted_iou for answer in answers]), stability_score(logits))


def cut_best(seen: Seen, looks: Vectors, answers: Answers, kind: Kind, spread: Spread, size: Size) -> Iterator[CutOut]:
    """Cut out the masks that seem to be objects like the examples, each once, best first."""
    masks = answers.logits > 0
    shares = masks.float().mean(dim=(1, 2)) * seen.window.area / (size.height * size.width)
    compared = Masks(
        *inside_and_around(looks, masks), shares, None, answers.predicted_ious, answers.stabilities
    )  # fmt: skip
    impressions = first_impression(weigh(compared, kind, spread))
    known = torch.tensor([example.area_share for example in kind.examples])
    ratio = (shares[:, None].clamp(min=1e-9) / known).log().abs().amin(dim=1).exp()
    fitting = (ratio < LARGEST_RATIO) & (masks.sum(dim=(1, 2)) >= LEAST_CELLS)
    cut = 0
    for index in _each_once(masks.flatten(1).float(), impressions, fitting):
        inside = _cut_out(seen, answers.logits[index], answers.points[index])
        if inside is None or seen.window.cuts_off(inside, size):
            continue
        yield CutOut(
            inside, answers.points[index], float(answers.predicted_ious[index]), float(answers.stabilities[index])
        )
        cut += 1
        if cut == MOST_CUT:
            return


def compare(looks: Vectors, cut_outs: list[CutOut], window: Window, size: Size) -> Masks:
    """What is known of masks that are cut out."""
    inside = torch.from_numpy(np.stack([cut_out.inside for cut_out in cut_outs]))
    return Masks(
        *inside_and_around(looks, inside),
        inside.float().mean(dim=(1, 2)) * window.area / (size.height * size.width),
        torch.stack([shape_of(cut_out.inside) for cut_out in cut_outs]),
        torch.tensor([cut_out.predicted_iou for cut_out in cut_outs]),
        torch.tensor([cut_out.stability for cut_out in cut_outs]),
    )


def _each_once(masks: Tensor, scores: Tensor, fitting: Tensor) -> Iterator[int]:
    """Masks (N, cells) that fit, best first, without those that are nearly one that came before."""
    areas = masks.sum(dim=1)
    alive = fitting.clone()
    for index in scores.argsort(descending=True).tolist():
        if not alive[index]:
            continue
        yield index
        shared = masks @ masks[index]
        alive &= shared <= SAME_IOU * (areas + areas[index] - shared)


def _cut_out(seen: Seen, logits: Tensor, point: Point) -> NDArray[np.bool_] | None:
    """A mask at its window's size, with the picture's edges where the network's grid is coarse."""
    size = seen.window.size
    if max(logits.shape) >= FINE_CELLS:
        mask = binarize(logits, size)
        return mask if mask.any() else None
    around = _around(logits, size)
    moved = Prompt(points=(Point(point.x - around.left, point.y - around.top),))
    inside = sharpen(crop_logits(logits, around, size), around.crop(seen.pixels), moved)
    return around.place(inside, size) if inside.any() else None


def _around(logits: Tensor, size: Size) -> Window:
    """The window around a mask (h, w) that holds something, with some room."""
    occupied = logits > 0
    rows, columns = occupied.any(dim=1).nonzero(), occupied.any(dim=0).nonzero()
    down, across = size.height / logits.shape[0], size.width / logits.shape[1]
    top, bottom = float(rows[0]) * down, float(rows[-1] + 1) * down
    left, right = float(columns[0]) * across, float(columns[-1] + 1) * across
    room_y, room_x = MARGIN * (bottom - top) + down, MARGIN * (right - left) + across
    return Window(
        int(max(0, left - room_x)),
        int(max(0, top - room_y)),
        int(min(size.width, right + room_x + 1)),
        int(min(size.height, bottom + room_y + 1)),
    )
