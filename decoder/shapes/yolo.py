"""YOLO's segment rows: one ring per part, normalised to [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

from decoder.prompts import Size
from decoder.shapes.polygons import Polygons


def polygons_to_yolo(polygons: Polygons) -> list[list[float]]:
    """Normalise rings to [x0, y0, x1, y1, ...] in [0, 1], 6 decimals: lossless to 4000 px.

    Convert the mask with ``style="painted"``: YOLO's training paints the outline too.
    """
    raise NotImplementedError


def yolo_to_polygons(rows: Sequence[Sequence[float]], size: Size) -> Polygons:
    """Scale normalised rows (without the class) back to rings on the 0.2-px grid; ``iou`` is 1.0 (nothing is lost).

    Raises:
        ShapeError: If a row is not an even number of at least 6 numbers in [0, 1].
    """
    raise NotImplementedError
