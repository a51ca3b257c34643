"""Self-training: regions of real photos by nano itself, kept where the photo's own edges bear them out.

A teacher segments everything in a photo. Each of its masks is moved to the borders of superpixels; one that this
changes much had its edge where the photo has none, and is dropped. The student sees the rest as truth.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.auto.generate import segment_everything
from clickmask.decoder.auto.settings import NANO
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Size
from clickmask.decoder.segment import encode_image, predict_many
from clickmask.decoder.shapes import mask_iou
from training.material import Material, Rgb, draw_photo, read_rgb
from training.pseudo import KEPT_REGIONS, Members, label_regions, superpixels_of
from training.scene import SIDE, clean_labels
from training.surfaces import crop_of

TRUSTED = replace(
    NANO, points_per_side=8, min_predicted_iou=0.5, min_stability=0.7, min_area=0.005, max_area=0.6, max_nesting=0.7
)
LEAST_AGREEMENT = 0.75  # IoU of a mask before and after its edge is moved to that of superpixels


def label_by_teacher(teacher: Model, material: Material, rng: np.random.Generator) -> tuple[Rgb, NDArray[np.uint8]]:
    """Crop a photo and label what a teacher sees in it, on three levels.

    Returns:
        Pixels (SIDE, SIDE, 3) and labels (SIDE, SIDE, 3), uint8.
    """
    photo = crop_of(read_rgb(draw_photo(material, rng)), SIDE, SIDE, rng, zoom=(0.6, 1.0))
    superpixels = superpixels_of(photo)
    embedding = encode_image(teacher, photo)
    found = segment_everything(
        lambda _whole: lambda prompts: predict_many(teacher, [(embedding, prompt) for prompt in prompts]),
        Size(SIDE, SIDE),
        TRUSTED,
    )
    regions = [region for mask in found if (region := snapped(mask.mask(), superpixels))]
    return photo, clean_labels(label_regions(superpixels, regions[:KEPT_REGIONS]), rng)


def snapped(mask: NDArray[np.bool_], superpixels: NDArray[np.int64]) -> Members:
    """The superpixels that lie mostly in a mask; none where they make up another shape than the mask.

    Args:
        mask: (H, W).
        superpixels: (H, W), numbers from 0.

    Example:
        >>> superpixels = np.repeat([[0, 1, 2, 3]], 4, axis=0).repeat(4, axis=1)  # four columns, 4 pixels wide
        >>> almost_two = np.arange(16)[None] < np.array([[7], [8], [9], [8]])
        >>> snapped(almost_two, superpixels)
        (0, 1)
        >>> snapped(np.arange(16)[None].repeat(4, axis=0) < 2, superpixels)
        ()
    """
    inside = np.bincount(superpixels.ravel(), mask.ravel())
    members = np.flatnonzero(inside > np.bincount(superpixels.ravel()) / 2)
    agreement = mask_iou(np.isin(superpixels, members), mask)
    return tuple(members.tolist()) if agreement >= LEAST_AGREEMENT else ()
