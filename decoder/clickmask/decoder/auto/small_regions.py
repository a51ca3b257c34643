"""Holes and islands that are too small to be meant.

Source: the clean-up of the official automatic masks of "Segment Anything".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.auto.doubles import pixel_boxes, suppress_boxes
from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes.masks import window
from clickmask.decoder.shapes.rle import crop_to_rle, rle_to_crop

TOUCHING = 8  # neighbours of a pixel, corners included


def clean_masks(masks: Sequence[FoundMask], min_region_px: int, max_box_iou: float) -> list[FoundMask]:
    """Fill small holes, remove small islands, and drop what is a double since.

    Of doubles, masks that needed no cleaning are kept.
    """
    cleaned = [_clean(mask, min_region_px) for mask in masks]
    untouched = [float(after is before) for after, before in zip(cleaned, masks, strict=True)]
    return [cleaned[index] for index in suppress_boxes(pixel_boxes(cleaned), untouched, max_box_iou)]


def _clean(mask: FoundMask, least_px: int) -> FoundMask:
    pixels, left, top = rle_to_crop(mask.rle, room_px=1)
    filled = fill_small_holes(pixels.view(np.bool_), least_px, _open_sides(pixels, left, top, mask.size))
    cleaned = drop_small_islands(filled, least_px)
    if np.array_equal(cleaned, pixels.view(np.bool_)):
        return mask
    rows, columns = window(cleaned.view(np.uint8)) or (slice(0, 1), slice(0, 1))
    box = Box(left + columns.start, top + rows.start, left + columns.stop, top + rows.stop)
    rle = crop_to_rle(cleaned[rows, columns], int(box.x0), int(box.y0), mask.size)
    return replace(mask, rle=rle, box=box, area=int(np.count_nonzero(cleaned)))


def _open_sides(pixels: NDArray[np.uint8], left: int, top: int, size: Size) -> NDArray[np.bool_]:
    """Border pixels of a crop beyond which the image goes on, same shape."""
    height, width = pixels.shape
    sides = np.zeros(pixels.shape, np.bool_)
    sides[0] |= top > 0
    sides[-1] |= top + height < size.height
    sides[:, 0] |= left > 0
    sides[:, -1] |= left + width < size.width
    return sides


def fill_small_holes(mask: NDArray[np.bool_], least_px: int, goes_on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill what is background and has fewer pixels than ``least_px``.

    Args:
        mask: (h, w), a crop of the image.
        least_px: Holes of this size stay.
        goes_on: (h, w), pixels beyond which the image goes on: background there is larger than it looks.
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=TOUCHING)
    small = statistics[:, cv2.CC_STAT_AREA] < least_px
    small[0] = False  # the mask itself
    small[np.unique(labels[goes_on])] = False
    return mask | small[labels] if count > 1 and small.any() else mask


def drop_small_islands(mask: NDArray[np.bool_], least_px: int) -> NDArray[np.bool_]:
    """Remove parts of fewer pixels than ``least_px``; if all are, the largest stays.

    Args:
        mask: (h, w).
        least_px: Parts of this size stay.
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=TOUCHING)
    areas = statistics[:, cv2.CC_STAT_AREA]
    stays = areas >= least_px
    stays[0] = False  # background
    if count > 1 and not stays.any():
        stays[1 + int(np.argmax(areas[1:]))] = True
    return mask if stays[1:].all() else stays[labels]
