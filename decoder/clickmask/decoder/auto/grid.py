"""Where to click: grids of points, and crops that are looked at more closely.

Source: the automatic masks of "Segment Anything" (Kirillov et al., 2023), section B; orders and roundings are those of
its official code.
"""

from __future__ import annotations

import math

from clickmask.decoder.prompts import Point, Size
from clickmask.decoder.refine.window import Window


def grid_points(size: Size, per_side: int) -> list[Point]:
    """Click the centres of ``per_side`` by ``per_side`` equal cells, row by row.

    Example:
        >>> [(p.x, p.y) for p in grid_points(Size(100, 200), 2)]
        [(50.0, 25.0), (150.0, 25.0), (50.0, 75.0), (150.0, 75.0)]
    """
    shares = [(index + 0.5) / per_side for index in range(per_side)]
    return [Point(x * size.width, y * size.height) for y in shares for x in shares]


def grid_levels(per_side: int) -> list[list[int]]:
    """Positions in a grid in the order of an adaptive search: far apart, halfway between, all the rest.

    Example:
        >>> grid_levels(4)
        [[5, 7, 13, 15], [0, 2, 8, 10], [1, 3, 4, 6, 9, 11, 12, 14]]
    """
    levels: list[list[int]] = [[], [], []]
    for position in range(per_side * per_side):
        row, column = divmod(position, per_side)
        levels[2 if (row + column) % 2 else 1 - row % 2].append(position)
    return levels


def crop_windows(size: Size, layers: int, overlap: float) -> list[tuple[int, Window]]:
    """The whole image, then 2 by 2 crops, then 4 by 4, each with the number of its layer.

    Args:
        size: Of the image.
        layers: How many layers of crops there are; 0 is the whole image alone.
        overlap: Of crops of the first layer, as a share of the shorter side; further layers halve it.

    Example:
        >>> [(layer, window.size) for layer, window in crop_windows(Size(60, 90), 1, 0.2)]
        [(0, Size(height=60, width=90)), (1, Size(height=36, width=51)), (1, Size(height=36, width=51)), \
(1, Size(height=36, width=51)), (1, Size(height=36, width=51))]
    """
    windows = [(0, Window(0, 0, size.width, size.height))]
    for layer in range(1, layers + 1):
        per_side = 2**layer
        overlap_px = int(overlap * min(size.height, size.width) * (2 / per_side))
        width, height = (_crop_length(side, per_side, overlap_px) for side in (size.width, size.height))
        windows += [
            (
                layer,
                Window(
                    left := (width - overlap_px) * column,
                    top := (height - overlap_px) * row,
                    min(left + width, size.width),
                    min(top + height, size.height),
                ),
            )
            for column in range(per_side)
            for row in range(per_side)
        ]
    return windows


def _crop_length(length: int, crops: int, overlap: int) -> int:
    return math.ceil((overlap * (crops - 1) + length) / crops)
