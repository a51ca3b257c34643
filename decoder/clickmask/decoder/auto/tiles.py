"""Large images: looked through tile by tile, and what a seam cuts is put together again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from clickmask.decoder.auto.doubles import suppress_across_crops, suppress_within_crop
from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.auto.generate import (
    OpenCrop,
    Progress,
    find_in_crop,
    ignore_progress,
    is_cut_off,
    keep_wanted,
)
from clickmask.decoder.auto.settings import AutoSettings
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.refine.window import Window

OVERLAP = 0.25  # of neighbouring tiles, as a share of their side
LEAST_AGREEMENT = 0.5  # IoU of two pieces where their tiles overlap, for them to be one object
LARGE_TILES = 2  # an image whose longer side is not more than so many tiles is no large one


def is_large(size: Size, settings: AutoSettings) -> bool:
    """Whether an image is better looked through in tiles."""
    return max(size.height, size.width) > LARGE_TILES * settings.tile_px


def segment_tiles(
    open_crop: OpenCrop, size: Size, settings: AutoSettings, progress: Progress = ignore_progress
) -> list[FoundMask]:
    """Find the masks of a large image: small ones in tiles, those cut by seams put together, huge ones in the whole.

    A piece that spans its tile from side to side belongs to something that the whole image shows.

    Args:
        open_crop: As of ``segment_everything``.
        size: Of the image.
        settings: Likewise; ``points_per_side`` counts for each tile.
        progress: Told the share done, in (0, 1], after each tile.

    Returns:
        As ``segment_everything``; a mask of tiles is preferred to that of the whole image, which is coarser.
    """
    windows = [Window(0, 0, size.width, size.height), *tile_windows(size, settings.tile_px)]
    found: list[FoundMask] = []
    pieces: list[FoundMask] = []
    for number, window in enumerate(windows, start=1):
        masks = find_in_crop(open_crop(window), window, size, settings.points_per_side, settings, _ignore_count)
        inside = suppress_within_crop(list(masks), settings.max_box_iou)
        found += [mask for mask in inside if not is_cut_off(mask, size)]
        pieces += [mask for mask in inside if is_cut_off(mask, size) and not _spans(mask)]
        progress(number / len(windows))
    found += [mask for mask in join_pieces(pieces) if not is_cut_off(mask, size)]  # all of its pieces were found
    found = suppress_across_crops(found, settings.max_crop_box_iou)
    return keep_wanted(found, size, settings)


def _ignore_count(clicked: int) -> None:
    """Tiles are counted, not clicks."""


def tile_windows(size: Size, tile_px: int) -> list[Window]:
    """Cover an image with tiles of one size that overlap by a quarter at least, row by row.

    Example:
        >>> [(window.left, window.top) for window in tile_windows(Size(100, 250), 100)]
        [(0, 0), (75, 0), (150, 0)]
    """
    return [
        Window(left, top, min(left + tile_px, size.width), min(top + tile_px, size.height))
        for top in _starts(size.height, tile_px)
        for left in _starts(size.width, tile_px)
    ]


def _starts(length: int, tile_px: int) -> list[int]:
    if length <= tile_px:
        return [0]
    count = 1 + math.ceil((length - tile_px) / (tile_px * (1 - OVERLAP)))
    return [round(index * (length - tile_px) / (count - 1)) for index in range(count)]


def _spans(mask: FoundMask) -> bool:
    """Whether a mask reaches from one side of its crop to the other."""
    reach = 0.9
    return (
        mask.box.x1 - mask.box.x0 > reach * mask.crop.size.width
        or mask.box.y1 - mask.box.y0 > reach * mask.crop.size.height
    )


def join_pieces(pieces: Sequence[FoundMask]) -> list[FoundMask]:
    """Unite the pieces of neighbouring tiles that agree where the tiles overlap.

    Returns:
        One mask for each object of more than one piece; its crop spans all their tiles, its scores are the least.
        A piece without another half is dropped: its object was found whole in a neighbouring tile, or nowhere.
    """
    group = list(range(len(pieces)))
    for one, other in combinations(range(len(pieces)), 2):
        if _find(group, one) != _find(group, other) and _agree(pieces[one], pieces[other]):
            group[_find(group, other)] = _find(group, one)
    groups: dict[int, list[FoundMask]] = {}
    for index, piece in enumerate(pieces):
        groups.setdefault(_find(group, index), []).append(piece)
    return [_unite(members) for members in groups.values() if len(members) > 1]


def _find(group: list[int], index: int) -> int:
    while group[index] != index:
        index = group[index]
    return index


def _agree(one: FoundMask, other: FoundMask) -> bool:
    """Whether two pieces of different tiles are nearly the same where both tiles are."""
    shared = _intersection(one.crop, other.crop)
    if one.crop == other.crop or shared is None:
        return False
    if min(one.box.x1, other.box.x1) <= max(one.box.x0, other.box.x0):
        return False
    if min(one.box.y1, other.box.y1) <= max(one.box.y0, other.box.y0):
        return False
    both = _area([_encoded(one), _encoded(other)])  # lies in both tiles
    corners = np.array([[shared.left, shared.top, shared.size.width, shared.size.height]], np.float64)
    strip = coco_mask.frPyObjects(corners, one.size.height, one.size.width)[0]
    either = sum(_area([_encoded(mask), strip]) for mask in (one, other)) - both
    return either > 0 and both >= LEAST_AGREEMENT * either


def _intersection(one: Window, other: Window) -> Window | None:
    left, top = max(one.left, other.left), max(one.top, other.top)
    right, bottom = min(one.right, other.right), min(one.bottom, other.bottom)
    return Window(left, top, right, bottom) if left < right and top < bottom else None


def _encoded(mask: FoundMask) -> dict[str, Any]:
    return {"size": mask.rle["size"], "counts": mask.rle["counts"].encode()}


def _area(masks: list[dict[str, Any]]) -> int:
    """Of what all have in common [px]."""
    return int(coco_mask.area(coco_mask.merge(masks, intersect=True)))


def _unite(pieces: Sequence[FoundMask]) -> FoundMask:
    merged = coco_mask.merge([_encoded(piece) for piece in pieces])
    boxes, crops = [piece.box for piece in pieces], [piece.crop for piece in pieces]
    return replace(
        pieces[0],
        rle={"size": pieces[0].rle["size"], "counts": merged["counts"].decode("ascii")},
        area=int(coco_mask.area(merged)),
        box=Box(
            min(box.x0 for box in boxes),
            min(box.y0 for box in boxes),
            max(box.x1 for box in boxes),
            max(box.y1 for box in boxes),
        ),
        predicted_iou=min(piece.predicted_iou for piece in pieces),
        stability=min(piece.stability for piece in pieces),
        crop=Window(
            min(crop.left for crop in crops),
            min(crop.top for crop in crops),
            max(crop.right for crop in crops),
            max(crop.bottom for crop in crops),
        ),
    )
