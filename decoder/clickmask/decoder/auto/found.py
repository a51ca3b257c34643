"""One mask that nobody clicked, as run lengths: a kilobyte or two, however large the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clickmask.decoder.auto.settings import AutoSettings
from clickmask.decoder.prompts import Box, Point, Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.segment import upsample_window
from clickmask.decoder.shapes import rle_to_mask
from clickmask.decoder.shapes.masks import window as filled_window
from clickmask.decoder.shapes.rle import Rle, crop_to_rle


@dataclass(frozen=True, slots=True)
class FoundMask:
    """One mask nobody clicked, in pixels of the whole image."""

    rle: Rle  # COCO's compressed run lengths
    area: int  # [px]
    box: Box  # the smallest around it
    predicted_iou: float  # in [0, 1]
    stability: float  # in [0, 1]
    point: Point  # the click that found it
    crop: Window  # the part of the image it was found in

    @property
    def size(self) -> Size:
        """Of the image."""
        return Size(*self.rle["size"])

    def mask(self) -> NDArray[np.bool_]:
        """At the image's size: (H, W)."""
        return rle_to_mask(self.rle)


@dataclass(frozen=True, slots=True, eq=False)
class CutMask:
    """A mask at the size of a crop: the window that holds it, and how stable it is."""

    inside: NDArray[np.bool_]  # (h, w), its outermost rows and columns hold some of the mask
    left: int  # of the window in the crop [px]
    top: int
    stability: float  # in [0, 1]

    @property
    def right(self) -> int:
        """One past the last column [px]."""
        return self.left + self.inside.shape[1]

    @property
    def bottom(self) -> int:
        """One past the last row [px]."""
        return self.top + self.inside.shape[0]

    def covers(self, points: Sequence[Point]) -> NDArray[np.bool_]:
        """Whether the pixels at points of the crop belong to the mask: (N,)."""
        places = np.array([(point.y - self.top, point.x - self.left) for point in points], np.int64).reshape(-1, 2)
        within = np.flatnonzero(((places >= 0) & (places < self.inside.shape)).all(axis=1))
        covered = np.zeros(len(points), np.bool_)
        covered[within] = self.inside[tuple(places[within].T)]
        return covered


def cut_mask(logits: Tensor, size: Size, settings: AutoSettings) -> CutMask | None:
    """Cut a mask out of its logits at a crop's size, and measure its stability there.

    Nothing of the image's size is held but the mask's window, of one byte a pixel.

    Args:
        logits: (h, w) on the CPU.
        size: Of the crop.
        settings: Threshold, and how far it is moved for the stability.

    Returns:
        None if no pixel is above the threshold, or the mask is less stable than wanted.
    """
    threshold, offset = settings.mask_threshold, settings.stability_offset
    found = upsample_window(logits, size, above=threshold - offset)
    if found is None:
        return None
    rows, columns, blocks = found
    inside = np.empty((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
    inner = outer = 0
    for part, values in blocks:
        torch.gt(values, threshold, out=torch.from_numpy(inside[part]))
        inner += int(torch.count_nonzero(values > threshold + offset))
        outer += int(torch.count_nonzero(values > threshold - offset))
    filled = filled_window(inside.view(np.uint8))
    if filled is None or inner < settings.min_stability * outer:
        return None
    return CutMask(inside[filled], columns.start + filled[1].start, rows.start + filled[0].start, inner / outer)


def as_found(cut: CutMask, predicted_iou: float, point: Point, crop: Window, size: Size) -> FoundMask:
    """Bring a mask of a crop into the image.

    Args:
        cut: The mask.
        predicted_iou: In [0, 1].
        point: The click that found it, in pixels of the crop.
        crop: Where the crop lies.
        size: Of the image.
    """
    left, top = crop.left + cut.left, crop.top + cut.top
    return FoundMask(
        rle=crop_to_rle(cut.inside, left, top, size),
        area=int(np.count_nonzero(cut.inside)),
        box=Box(left, top, crop.left + cut.right, crop.top + cut.bottom),
        predicted_iou=predicted_iou,
        stability=cut.stability,
        point=Point(crop.left + point.x, crop.top + point.y),
        crop=crop,
    )
