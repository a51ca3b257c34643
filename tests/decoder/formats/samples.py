"""A small dataset with everything that goes wrong in other exporters: holes, islands, parts, single pixels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask

Bits = NDArray[np.bool_]
CATEGORIES = (Category(3, "cat", "animal"), Category(7, "traffic light"), Category(8, "böse/Ecke"))
SIZE = Size(97, 131)


def ring_with_island() -> Bits:
    """A disc with a hole with a disc in it."""
    canvas = np.zeros((SIZE.height, SIZE.width), np.uint8)
    for radius, value in ((20, 1), (12, 0), (5, 1)):
        cv2.circle(canvas, (30, 30), radius, value, -1)
    return canvas.astype(bool)


def two_parts() -> Bits:
    """Two blobs far apart."""
    canvas = np.zeros((SIZE.height, SIZE.width), np.uint8)
    cv2.ellipse(canvas, (90, 15), (14, 9), 30, 0, 360, 1, -1)
    cv2.rectangle(canvas, (100, 50), (125, 60), 1, -1)
    return canvas.astype(bool)


def one_pixel() -> Bits:
    """The last pixel of the image."""
    canvas = np.zeros((SIZE.height, SIZE.width), bool)
    canvas[-1, -1] = True
    return canvas


def ragged_blob(seed: int = 0) -> Bits:
    """A noisy blob with many small holes and specks, in the lower half."""
    noise = np.random.default_rng(seed).random((SIZE.height, SIZE.width)).astype(np.float32)
    blob: Bits = cv2.GaussianBlur(noise, (0, 0), 2) > 0.52
    blob[:65] = False
    blob[-1] = False
    blob[:, 99:] = False
    return blob


def solid_blob() -> Bits:
    """One part without holes."""
    canvas = np.zeros((SIZE.height, SIZE.width), np.uint8)
    cv2.ellipse(canvas, (60, 48), (40, 22), 20, 0, 360, 1, -1)
    return canvas.astype(bool)


def sample_dataset() -> Dataset:
    """Three pictures, objects that do not overlap; the last picture has none."""
    first = [ring_with_island(), two_parts(), one_pixel(), ragged_blob()]
    images = [
        _annotated(10, "a.png", 100, first),
        _annotated(11, "day 1/b.png", 200, [solid_blob()]),
        _annotated(12, "day 1/empty.png", 300, []),
    ]
    return Dataset(CATEGORIES, images, 3, {"description": "sample", "year": 2026}, ({"id": 1, "name": "CC0"},))


def sample_video() -> Dataset:
    """Two videos of three frames; a track leaves its video and comes back."""
    images: list[AnnotatedImage] = []
    for video in ("left", "right"):
        for frame in range(3):
            solid = np.roll(solid_blob(), 4 * frame, axis=1)
            tracked = [(5, 3, solid)] if video == "left" else [(9, 7, one_pixel())]
            if frame != 1:
                tracked.append((6, 7, ring_with_island() & ~solid))
            number = len(images) + 1
            image = ImageRecord(number, f"{video}/{frame:06d}.png", SIZE, video, frame)
            objects = tuple(
                ObjectRecord(10 * number + track, category, mask_to_rle(mask), track_id=track)
                for track, category, mask in tracked
            )
            images.append(AnnotatedImage(image, objects))
    return Dataset(CATEGORIES, images, len(images))


def write_pictures(dataset: Dataset, folder: Path) -> Path:
    """Draw a picture per image; returns the folder."""
    for annotated in dataset.images:
        path = folder / annotated.image.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(annotated.image.id).integers(0, 255, (SIZE.height, SIZE.width, 3), np.uint8)
        Image.fromarray(noise).save(path)
    return folder


def content(dataset: Dataset) -> dict[str, set[tuple[str, bytes]]]:
    """What every format keeps: file names, and category names and pixels of the objects on them."""
    names = dataset.category_names
    return {
        annotated.image.file_name: {
            (names[item.category_id], np.packbits(rle_to_mask(item.rle)).tobytes()) for item in annotated.objects
        }
        for annotated in dataset.images
    }


def _annotated(image_id: int, name: str, first_id: int, masks: Iterable[Bits]) -> AnnotatedImage:
    objects = tuple(
        ObjectRecord(first_id + number, CATEGORIES[number % 3].id, mask_to_rle(mask))
        for number, mask in enumerate(masks)
    )
    return AnnotatedImage(ImageRecord(image_id, name, SIZE), objects)
