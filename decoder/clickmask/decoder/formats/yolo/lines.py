"""One line of a YOLO label file: a class, and a polygon, a box, or a box with keypoints.

Coordinates are divided by the picture's width and height. Predictions may end in a confidence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clickmask.decoder.errors import DatasetError, ShapeError
from clickmask.decoder.formats.records import ObjectRecord, Ring
from clickmask.decoder.formats.yolo.join_rings import join_rings
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import polygons_to_yolo, rle_to_polygons, yolo_to_polygons
from clickmask.decoder.shapes.filling import fill_rings
from clickmask.decoder.shapes.polygons import Polygons
from clickmask.decoder.shapes.rle import Rle

DECIMALS_PX = 4  # of coordinates that are read: finer than any tool writes them
_DECIMALS = (6, 8, 10)  # of coordinates that are written: as many as bring the pixels back
_VISIBLE = 2  # COCO's word for a keypoint that is seen


@dataclass(frozen=True, slots=True)
class YoloLine:
    """What a line says; the fields are those of ``ObjectRecord``, the class counts from 0."""

    class_number: int
    rle: Rle
    rings: tuple[Ring, ...] = ()
    box: tuple[float, float, float, float] | None = None
    score: float | None = None
    extras: dict[str, Any] = field(default_factory=dict)


def parse_line(line: str, size: Size, classes: Collection[int], keypoints: tuple[int, int] | None = None) -> YoloLine:
    """Return what a line says.

    Args:
        line: The text.
        size: Of the picture.
        classes: The numbers there are.
        keypoints: Of a pose dataset: how many points, and numbers each.

    Raises:
        DatasetError: If the class is no number or unknown.
        ShapeError: If the coordinates are malformed.

    Example:
        >>> parse_line("0 0.5 0.5 1 1", Size(2, 2), {0}).box
        (0.0, 0.0, 2.0, 2.0)
    """
    first, *rest = line.split() or [""]
    number = first.removesuffix(".0")
    if not number.isascii() or not number.isdigit() or len(number) > 9 or int(number) not in classes:
        raise DatasetError(f"the class is {first!r:.40}, wanted one of the {len(classes)} that are named")
    try:
        row = [float(value) for value in rest]
    except ValueError as error:
        raise ShapeError(f"a coordinate is no number: {error}") from None
    if keypoints is not None:
        return _with_keypoints(int(number), row, size, keypoints)
    row, score = (row[:-1], row[-1]) if len(row) % 2 else (row, None)
    if len(row) == 4:
        return _box(int(number), row, size, score)
    (points,) = yolo_to_polygons([row], size).rings
    points = np.round(points, DECIMALS_PX)
    return YoloLine(int(number), fill_rings([points], size), (tuple(points.ravel().tolist()),), None, score)


def object_line(item: ObjectRecord, class_number: int, size: Size, *, drawn: bool, box: bool) -> str:
    """Return the line of an object, empty for one without pixels.

    Args:
        item: The object.
        class_number: From 0.
        size: Of its picture.
        drawn: Whether drawn polygons are written as they are, joined to one.
        box: Whether a box is written as one, and not as its four corners.
    """
    if item.is_box and item.box is not None and box:
        x, y, width, height = item.box
        return _line(class_number, [x + width / 2, y + height / 2, width, height], size)
    ring = _drawn_ring(item, size) if drawn else None
    if ring is not None:
        return _line(class_number, ring, size)
    polygons = rle_to_polygons(item.rle, style="painted")
    return mask_line(polygons, class_number)


def mask_line(polygons: Polygons, class_number: int) -> str:
    """Return the line of a mask's polygons, joined to one; empty if there are none."""
    if not polygons.rings:
        return ""
    (row,) = polygons_to_yolo(Polygons((join_rings(polygons.rings),), polygons.size, polygons.iou))
    return f"{class_number} {' '.join(f'{value:g}' for value in row)}\n"


def _drawn_ring(item: ObjectRecord, size: Size) -> list[float] | None:
    """The drawn polygons, or the box's corners, as one ring inside the picture; None if it has other pixels."""
    if item.is_box and item.box is not None:
        x, y, width, height = item.box
        return [x, y, x + width, y, x + width, y + height, x, y + height]
    if not item.rings:
        return None
    rings = [np.asarray(ring, np.float64).reshape(-1, 2) for ring in item.rings]
    joined = np.clip(join_rings(rings), 0, [size.width, size.height])
    if fill_rings([joined], size)["counts"] != item.rle["counts"]:
        return None  # rings that overlap would cut holes into each other
    flat: list[float] = joined.ravel().tolist()
    return flat


def _line(class_number: int, pixels: Sequence[float], size: Size) -> str:
    sides = (size.width, size.height)
    numbers = (_normalised(value, sides[place % 2]) for place, value in enumerate(pixels))
    return f"{class_number} {' '.join(numbers)}\n"


def _normalised(value: float, side: int) -> str:
    """A coordinate with as many digits as it takes to be read back as it was."""
    share = min(max(value / side, 0.0), 1.0)
    for decimals in _DECIMALS:
        if round(round(share, decimals) * side, DECIMALS_PX) == round(value, DECIMALS_PX):
            break
    return f"{share:.{decimals}f}".rstrip("0").rstrip(".")


def _with_keypoints(number: int, row: list[float], size: Size, keypoints: tuple[int, int]) -> YoloLine:
    """A box, and its points as COCO has them: x, y and visibility, each point."""
    count, width = keypoints
    if len(row) not in (4 + count * width, 5 + count * width):
        raise ShapeError(f"the line has {len(row)} numbers, wanted a box and {count} keypoints of {width}")
    box = _box(number, row[:4], size, row[-1] if len(row) == 5 + count * width else None)
    triples: list[float] = []
    for at in range(4, 4 + count * width, width):
        x, y = round(row[at] * size.width, DECIMALS_PX), round(row[at + 1] * size.height, DECIMALS_PX)
        seen = row[at + 2] if width == 3 else (_VISIBLE if x or y else 0)
        triples += [x, y, int(seen) if float(seen).is_integer() else seen]
    seen_points = sum(seen > 0 for seen in triples[2::3])
    extras = {"keypoints": triples, "num_keypoints": seen_points}
    return YoloLine(box.class_number, box.rle, (), box.box, box.score, extras)


def _box(number: int, row: list[float], size: Size, score: float | None) -> YoloLine:
    center_x, center_y, width, height = row
    x0, x1 = max(center_x - width / 2, 0.0), min(center_x + width / 2, 1.0)  # rounded boxes reach over the border
    y0, y1 = max(center_y - height / 2, 0.0), min(center_y + height / 2, 1.0)
    (ring,) = yolo_to_polygons([[x0, y0, x1, y0, x1, y1, x0, y1]], size).rings
    if x1 <= x0 or y1 <= y0:
        raise ShapeError(f"the box {row} is empty, wanted a positive width and height")
    ring = np.round(ring, DECIMALS_PX)
    (left, top), (right, bottom) = ring[0].tolist(), ring[2].tolist()
    box = (left, top, round(right - left, DECIMALS_PX), round(bottom - top, DECIMALS_PX))
    return YoloLine(number, fill_rings([ring], size), (), box, score)
