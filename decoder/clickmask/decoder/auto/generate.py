"""Segment everything: a grid of clicks on the image and on crops of it, and of their masks the good ones, each once.

Source: the automatic masks of "Segment Anything" (Kirillov et al., 2023), section 5 and B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from clickmask.decoder.auto.doubles import drop_nested, is_known, suppress_across_crops, suppress_within_crop
from clickmask.decoder.auto.found import CutMask, FoundMask, as_found, cut_mask
from clickmask.decoder.auto.grid import crop_windows, grid_levels, grid_points
from clickmask.decoder.auto.settings import OFFICIAL, AutoSettings
from clickmask.decoder.auto.small_regions import clean_masks
from clickmask.decoder.choose import CANDIDATES, single_mask
from clickmask.decoder.prompts import Point, Prompt, Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.segment import MaskSet

NEAR_EDGE_PX = 20  # a mask that ends so near to where a crop ends is cut off
SMALL_CELLS = 64  # cells of the grid; in a smaller mask that two clicks found an adaptive search clicks no more

AnswerPrompts = Callable[[Sequence[Prompt]], Sequence[MaskSet]]
OpenCrop = Callable[[Window], AnswerPrompts]  # a crop is encoded, and its prompts are in its own pixels
Progress = Callable[[float], None]  # told the share done, in (0, 1]


def ignore_progress(done: float) -> None:
    """Tell nobody."""


def segment_everything(
    open_crop: OpenCrop, size: Size, settings: AutoSettings = OFFICIAL, progress: Progress = ignore_progress
) -> list[FoundMask]:
    """Find the masks of an image without a prompt.

    Args:
        open_crop: Gives, for a window of the image, what answers prompts on it.
        size: Of the image.
        settings: Where to click, and what to keep.
        progress: Told the share done, in (0, 1], after every batch.

    Returns:
        Best first: by predicted IoU, those of smaller crops before those of larger ones; with ``max_nesting`` by
        predicted IoU times stability.
    """
    crops = crop_windows(size, settings.crop_layers, settings.crop_overlap)
    sides = [int(settings.points_per_side / settings.crop_points_divisor**layer) for layer, _ in crops]
    total, done = sum(side**2 for side in sides), 0
    found: list[FoundMask] = []
    for (_, window), side in zip(crops, sides, strict=True):
        before = done

        def report(clicked: int, before: int = before) -> None:
            progress(min(1.0, (before + clicked) / total))

        inside = find_in_crop(open_crop(window), window, size, side, settings, report)
        whole = [mask for mask in inside if not is_cut_off(mask, size)]
        found += suppress_within_crop(whole, settings.max_box_iou)
        done += side**2
    if len(crops) > 1:
        found = suppress_across_crops(found, settings.max_crop_box_iou)
    return keep_wanted(found, size, settings)


def keep_wanted(found: list[FoundMask], size: Size, settings: AutoSettings) -> list[FoundMask]:
    """Clean the masks, and drop those that are too small, too large, nested or too many."""
    if settings.min_region_px > 0:
        found = clean_masks(found, settings.min_region_px, max(settings.max_box_iou, settings.max_crop_box_iou))
    least, most = (share * size.height * size.width for share in (settings.min_area, settings.max_area))
    found = [mask for mask in found if least <= mask.area <= most]
    if settings.max_nesting < 1:
        found = drop_nested(found, settings.max_nesting)
    return found[: settings.most]


def find_in_crop(
    answer: AnswerPrompts,
    crop: Window,
    size: Size,
    per_side: int,
    settings: AutoSettings,
    report: Callable[[int], None],
) -> Iterator[FoundMask]:
    """Yield the masks that are good enough, in the order of their clicks, also those that the crop cuts off.

    Each is run lengths before the next is looked at.
    """
    points = grid_points(crop.size, per_side)
    small_px = SMALL_CELLS * crop.area / len(points)
    searched = np.zeros(len(points), np.bool_)
    small: list[FoundMask] = []
    clicked = 0
    for level in grid_levels(per_side) if settings.adaptive else [list(range(len(points)))]:
        wanted = [position for position in level if not searched[position]]
        clicked += len(level) - len(wanted)
        for start in range(0, len(wanted), settings.points_per_batch):
            batch = [points[position] for position in wanted[start : start + settings.points_per_batch]]
            for point, cut, predicted_iou in _answers(answer, batch, crop, settings):
                mask = as_found(cut, predicted_iou, point, crop, size)
                if settings.adaptive and mask.area < small_px:
                    if is_known(mask, small, settings.max_box_iou):
                        searched |= cut.covers(points)
                    small.append(mask)
                yield mask
            clicked += len(batch)
            report(clicked)


def _answers(
    answer: AnswerPrompts, points: list[Point], crop: Window, settings: AutoSettings
) -> Iterator[tuple[Point, CutMask, float]]:
    mask_sets = answer([Prompt(points=(point,)) for point in points])
    for point, mask_set in zip(points, mask_sets, strict=True):
        rows = range(CANDIDATES.start, CANDIDATES.stop)
        asked = [(mask_set, row) for row in rows]
        if settings.mask_to_mask:
            refined = answer([Prompt(points=(point,), mask_logits=mask_set.logits[row]) for row in rows])
            asked = [(again, single_mask(again)) for again in refined]
        for masks, row in asked:
            predicted_iou = float(masks.predicted_iou[row])
            if predicted_iou <= settings.min_predicted_iou:
                continue
            cut = cut_mask(masks.logits[row], crop.size, settings)
            if cut is not None:
                yield point, cut, predicted_iou


def is_cut_off(mask: FoundMask, size: Size) -> bool:
    """Whether a mask ends near to where its crop ends, and the image does not."""
    edges = (mask.box.x0, mask.box.y0, mask.box.x1 - 1, mask.box.y1 - 1)
    crop_edges = (mask.crop.left, mask.crop.top, mask.crop.right, mask.crop.bottom)
    image_edges = (0, 0, size.width, size.height)
    return any(
        abs(edge - of_crop) <= NEAR_EDGE_PX < abs(edge - of_image)
        for edge, of_crop, of_image in zip(edges, crop_edges, image_edges, strict=True)
    )
