"""Photos whose objects people outlined: the pack of masks, what of it is trained on, and training images made of it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import DatasetError
from training.material import Rgb, read_rgb
from training.pool import OUTLINED, shard_path, write_shard
from training.scene import LEVELS, NOTHING, PART, SIDE, WHOLE

VIDEO_SOURCES = ("pumavos",)  # frames of a few videos: never held out, for their like would be trained on
HELD_OUT_SHARE = 10  # one photo in so many is never trained on
LARGE_PX = 400  # photos with a longer side, and those with many objects, are also shown in crops
MANY_OBJECTS = 6
CROPS = 3  # of such a photo
CROP_SIZE = (1.3, 4.0)  # of the object it is drawn around
SMALLEST_CROP_PX = 96


@dataclass(frozen=True)
class OutlinedPhoto:
    """One photo and the id maps of its objects.

    Args:
        source: Such as "caltech_h".
        image: Its file.
        wholes: A picture of the same size, 0 where there is no object, else the object's number.
        parts: The same for parts of objects, where there are any.
    """

    source: str
    image: Path
    wholes: Path
    parts: Path | None = None


def read_outlined(folder: Path, *, held_out: bool = False, without: Collection[str] = ()) -> list[OutlinedPhoto]:
    """List the pack's photos: the training share, or the share that is never trained on.

    Args:
        folder: Holds ``masks.json`` (entries with ``file`` and ``mask``, paths of a photo named
            ``images/SOURCE_NUMBER.jpg`` and of its id map) and the files it names.
        held_out: Whether to list the one photo in ten kept for measuring, see ``is_held_out``.
        without: Sources to leave out, by the beginning of their name: "caltech" leaves out three.

    Raises:
        DatasetError: If the list is missing or not such a list, or nothing of it is left.
    """
    index = folder / "masks.json"
    try:
        entries = [(str(entry["file"]), str(entry["mask"])) for entry in json.loads(index.read_text())]
    except OSError as error:
        raise DatasetError(f"{index} cannot be read, wanted the list of outlined photos") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f'{index} is not a list of {{"file": ..., "mask": ...}}: {error!r}') from error
    masks: dict[str, list[str]] = defaultdict(list)
    for file, mask in entries:
        masks[file].append(mask)
    photos = []
    for file, paths in masks.items():
        source, image = Path(file).stem.rsplit("_", 1)[0], folder / file
        if source.startswith(tuple(without)) or is_held_out(source, image) != held_out:
            continue
        wholes, *parts = sorted(paths, key=len)  # a photo's parts are in ..._parts.png
        photos.append(OutlinedPhoto(source, image, folder / wholes, folder / parts[0] if parts else None))
    if not photos:
        raise DatasetError(f"{index} names no photo to use")
    return photos


def is_held_out(source: str, image: Path) -> bool:
    """Whether a photo is kept for measuring: decided by its source and its bytes, so a renamed copy stays there.

    Raises:
        DatasetError: If the file cannot be read.
    """
    try:
        data = image.read_bytes()
    except OSError as error:
        raise DatasetError(f"{image} cannot be read, wanted a photo of the pack of masks") from error
    if source in VIDEO_SOURCES:
        return False
    return int(hashlib.sha256(source.encode() + data).hexdigest()[:8], 16) % HELD_OUT_SHARE == 0


def build_outlined(folder: Path, pool_folder: Path, *, without: Collection[str] = (), seed: int = 0) -> None:
    """Put the training share into a pool, one shard a source; shards that are there stay.

    Raises:
        DatasetError: See ``read_outlined`` and ``read_ids``.
    """
    pool_folder.mkdir(parents=True, exist_ok=True)
    sources: dict[str, list[OutlinedPhoto]] = defaultdict(list)
    for photo in read_outlined(folder, without=without):
        sources[photo.source].append(photo)
    for source, photos in sorted(sources.items()):
        path = shard_path(pool_folder, OUTLINED + source, 0)
        if not path.exists():
            rng = np.random.default_rng(seed)
            views = [np.concatenate(view, axis=2) for photo in photos for view in views_of(photo, rng)]
            write_shard(path, np.stack(views))


def views_of(photo: OutlinedPhoto, rng: np.random.Generator) -> Iterator[tuple[Rgb, NDArray[np.uint8]]]:
    """Training images of a photo: all of it, squashed as the network sees it, and crops where it is rich.

    Yields:
        Pixels (SIDE, SIDE, 3) and labels (SIDE, SIDE, LEVELS), uint8.
    """
    pixels = read_rgb(photo.image)
    labels = read_labels(photo, rng)
    yield _resized(pixels, labels)
    wholes = labels[..., WHOLE]
    numbers = np.unique(wholes[wholes > 0])
    if len(numbers) and (max(pixels.shape) > LARGE_PX or len(numbers) >= MANY_OBJECTS):
        for _ in range(CROPS):
            rows, columns = _around(wholes == rng.choice(numbers), rng)
            yield _resized(pixels[rows, columns], labels[rows, columns])


def read_labels(photo: OutlinedPhoto, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The photo's objects and parts as labels (H, W, LEVELS); of more objects than labels, a random choice."""
    wholes = read_ids(photo.wholes)
    labels = np.zeros((*wholes.shape, LEVELS), np.uint8)
    labels[..., WHOLE] = _as_labels(wholes, rng)
    if photo.parts is not None:
        labels[..., PART] = _as_labels(read_ids(photo.parts), rng)
    return labels


def read_ids(path: Path) -> NDArray[np.int64]:
    """Read an id map, (H, W).

    Raises:
        DatasetError: If the file is not a picture of one channel.
    """
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if ids is None or ids.ndim != 2:
        raise DatasetError(f"{path} cannot be read as an id map, wanted a picture of one channel")
    return np.asarray(ids, np.int64)


def _as_labels(ids: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    numbers = np.unique(ids[ids > 0])
    kept = rng.permutation(numbers)[: NOTHING - 10]
    table = np.zeros(int(ids.max()) + 1, np.uint8)
    table[kept] = np.arange(1, len(kept) + 1)
    return np.asarray(table[ids])


def _around(mask: NDArray[np.bool_], rng: np.random.Generator) -> tuple[slice, slice]:
    """A random window with an object in it."""
    sides = []
    for axis in (1, 0):
        occupied = np.flatnonzero(mask.any(axis=axis))
        low, high = int(occupied[0]), int(occupied[-1]) + 1
        length = mask.shape[1 - axis]
        side = min(length, max(SMALLEST_CROP_PX, int((high - low) * rng.uniform(*CROP_SIZE))))
        first, last = max(0, high - side), min(low, length - side)
        start = int(rng.integers(min(first, last), max(first, last) + 1))
        sides.append(slice(start, start + side))
    return sides[0], sides[1]


def _resized(pixels: Rgb, labels: NDArray[np.uint8]) -> tuple[Rgb, NDArray[np.uint8]]:
    shrinks = pixels.shape[0] >= SIDE and pixels.shape[1] >= SIDE
    colour = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    named = cv2.resize(labels, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    return np.asarray(colour, np.uint8), np.asarray(named, np.uint8)
