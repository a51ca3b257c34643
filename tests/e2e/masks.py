"""Masks out of the three places the tests compare: regions, COCO files, screenshots."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO

from clickmask.decoder.formats.label_studio import result_to_mask
from tests.e2e.annotator import Spot

BoolMask = NDArray[np.bool_]


def iou(first: BoolMask, second: BoolMask) -> float:
    """Overlap of two masks, in [0, 1]."""
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))


def union(masks: Sequence[BoolMask]) -> BoolMask:
    """One mask of several."""
    together: BoolMask = np.logical_or.reduce(masks)
    return together


def mask_of(result: Sequence[Mapping[str, Any]]) -> BoolMask:
    """All regions of an answer as one mask."""
    return union([result_to_mask(region) for region in result])


def holds(mask: BoolMask, spot: Spot) -> bool:
    """Whether the mask covers a spot."""
    height, width = mask.shape
    return bool(mask[int(spot.y / 100 * height), int(spot.x / 100 * width)])


def bounding_box(mask: BoolMask) -> BoolMask:
    """The smallest upright rectangle around a mask, filled."""
    filled = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    filled[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    return filled


def rectangle(shape: tuple[int, ...], start: Spot, end: Spot) -> BoolMask:
    """A filled rectangle between two spots."""
    height, width = shape
    filled = np.zeros((height, width), dtype=bool)
    rows = slice(round(start.y / 100 * height), round(end.y / 100 * height))
    filled[rows, round(start.x / 100 * width) : round(end.x / 100 * width)] = True
    return filled


def scaled(mask: BoolMask, shape: tuple[int, ...]) -> BoolMask:
    """The mask at another size."""
    height, width = shape
    return np.asarray(Image.fromarray(mask).resize((width, height)), dtype=bool)


def coco_masks(path: Path) -> list[BoolMask]:
    """Every mask of a COCO file, as pycocotools decodes it."""
    coco = COCO(str(path))
    return [coco.annToMask(annotation).astype(bool) for annotation in coco.loadAnns(coco.getAnnIds())]


def unzip_coco(archive: bytes, folder: Path) -> Path:
    """The COCO file of an export that Label Studio packed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        [name] = [name for name in packed.namelist() if name.endswith(".json")]
        return Path(packed.extract(name, folder))


def save_json(value: Any, path: Path) -> Path:
    """Write an API's answer to a file."""
    path.write_text(json.dumps(value))
    return path


def changed_pixels(before: bytes, after: bytes) -> BoolMask:
    """Where two screenshots of one place differ visibly."""
    first, second = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in (before, after))
    changed: BoolMask = np.abs(first - second).max(axis=2) > 40
    return changed
