"""Objects that overlap as one layer of pixels, for formats where a pixel has one owner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage
from clickmask.decoder.shapes import rle_area
from clickmask.decoder.shapes.rle import rle_to_crop


def flatten(annotated: AnnotatedImage, options: WriteOptions) -> NDArray[np.int32]:
    """Paint an image's objects over each other, the largest first, so that the small ones stay visible.

    Args:
        annotated: The image and its objects.
        options: ``on_problem`` receives objects that end with no pixel, ``on_loss`` those that end with fewer.

    Returns:
        Per pixel the place of its object among the image's, counted from 1; 0 is background. Shape (H, W).
    """
    size = annotated.image.size
    layer = np.zeros((size.height, size.width), np.int32)
    areas = [rle_area(item.rle) for item in annotated.objects]
    for index in sorted(range(len(areas)), key=lambda at: -areas[at]):
        pixels, left, top = rle_to_crop(annotated.objects[index].rle)
        height, width = pixels.shape
        layer[top : top + height, left : left + width][pixels != 0] = index + 1
    counts = np.bincount(layer.ravel(), minlength=len(areas) + 1)[1:].tolist()
    for item, area, count in zip(annotated.objects, areas, counts, strict=True):
        where = f"image {annotated.image.file_name}: object {item.id}"
        if not count:
            got = "is covered wholly by smaller ones" if area else "has no pixel"
            options.on_problem(ShapeError(f"{where}: {got}, wanted at least one pixel"))
        elif count < area:
            options.on_loss("pixels of objects under smaller ones", where)
    return layer
