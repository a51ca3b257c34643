"""What tracking must beat: a mask that stays where it is, and one that moves along with the picture."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder.segment import binarize
from clickmask.decoder.video.frames import Video

BoolMask = NDArray[np.bool_]

GREY_SIDE = 256  # of the square that frames are compared on [px]


def repeat_first(video: Video, first: BoolMask) -> Iterator[BoolMask]:
    """Nothing ever moves: the first frame's mask (H, W) for every frame."""
    assert video.frame_count is not None  # a data set's videos end
    for _ in range(video.frame_count):
        yield first


def move_by_flow(video: Video, first: BoolMask) -> Iterator[BoolMask]:
    """The first frame's mask (H, W) moves along with the picture; a mask per frame."""
    assert video.frame_count is not None
    frames = video.frames(range(video.frame_count))
    grey = grey_square(next(frames).image)
    small = cv2.resize(first.astype(np.float32), (GREY_SIDE, GREY_SIDE), interpolation=cv2.INTER_AREA)
    moved = torch.from_numpy(np.asarray(small)) - 0.5
    yield first
    for frame in frames:
        earlier, grey = grey, grey_square(frame.image)
        moved = carry(moved, motion_back(grey, earlier))
        yield binarize(moved, video.size)


def grey_square(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink a frame (H, W, 3) to what motion is measured on: grey, (256, 256)."""
    small = cv2.resize(image, (GREY_SIDE, GREY_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def motion_back(later: NDArray[np.uint8], earlier: NDArray[np.uint8]) -> Tensor:
    """Measure where each place of the later frame was in the earlier one.

    Args:
        later: From ``grey_square``.
        earlier: From ``grey_square``.

    Returns:
        (2, 256, 256) offsets (x, y) in shares of the image's side.

    Source: "Fast Optical Flow using Dense Inverse Search" (Kroeger et al., 2016), OpenCV's.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    blank = np.zeros((GREY_SIDE, GREY_SIDE, 2), dtype=np.float32)
    offsets = search.calc(later, earlier, blank)
    return torch.from_numpy(offsets).permute(2, 0, 1) / GREY_SIDE


def carry(logits: Tensor, motion: Tensor) -> Tensor:
    """Move logits (h, w) along with the picture.

    Args:
        logits: On the earlier frame.
        motion: From ``motion_back``.

    Returns:
        (h, w), on the later frame; what comes in from outside repeats the border.
    """
    height, width = logits.shape
    offsets = F.interpolate(motion[None], size=(height, width), mode="bilinear", antialias=True)[0]
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    places = torch.stack([x + offsets[0], y + offsets[1]], dim=-1) * 2 - 1  # (h, w, 2) in [-1, 1]
    return F.grid_sample(logits[None, None], places[None], padding_mode="border", align_corners=False)[0, 0]
