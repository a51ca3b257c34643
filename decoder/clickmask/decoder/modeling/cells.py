"""Maps as rows of cells: an order in which making a map finer is a matrix product.

Where a map is made finer, what one cell becomes stays side by side: row by row over the coarse cells, and so again
inside each. Only finished masks are brought into the order of an image.
"""

from __future__ import annotations

import math

from torch import Tensor


def to_cells(x: Tensor, levels: int) -> Tensor:
    """Lay a map out by cells.

    Args:
        x: (B, c, H, W).
        levels: How many times the coarse cells were halved; 0 is row by row.

    Returns:
        (B, H*W, c).
    """
    batch, channels, height, width = x.shape
    coarse_h, coarse_w = height >> levels, width >> levels
    x = x.view(batch, channels, coarse_h, *[2] * levels, coarse_w, *[2] * levels)
    rows = [2 + level for level in range(levels + 1)]
    columns = [3 + levels + level for level in range(levels + 1)]
    order = [axis for pair in zip(rows, columns, strict=True) for axis in pair]
    return x.permute(0, *order, 1).reshape(batch, height * width, channels)


def to_map(cells: Tensor, levels: int) -> Tensor:
    """Lay the cells of a square map out as an image again: what ``to_cells`` made, (B, S*S, c) -> (B, c, S, S)."""
    batch, count, channels = cells.shape
    side = math.isqrt(count)
    coarse = side >> levels
    x = cells.view(batch, coarse, coarse, *[2] * (2 * levels), channels)
    rows = [1 + 2 * level for level in range(levels + 1)]
    columns = [2 + 2 * level for level in range(levels + 1)]
    return x.permute(0, 3 + 2 * levels, *rows, *columns).reshape(batch, channels, side, side)
