"""Where to look for objects of a size: windows in which they are large enough, and each lies whole in one."""

from __future__ import annotations

import math

from clickmask.decoder.modeling.config import Geometry
from clickmask.decoder.prompts import Size
from clickmask.decoder.refine.window import Window

OBJECT_CELLS = 6.0  # of the finer feature map, that an object shall span; on fewer it has no looks of its own
SMALLEST_SIDE_PX = 48
MOST_WINDOWS = 16
OVERLAP = 1.3  # of neighbouring windows, in diameters of the objects
STEPS_PER_OCTAVE = 2  # of a window's side: objects of nearly one size share windows, so a cache finds them again


def search_windows(size: Size, diameter_px: float, cells: int) -> list[Window]:
    """Cover an image with windows that suit objects of a size.

    Args:
        size: Of the image.
        diameter_px: Of the objects: the square root of their area [px].
        cells: Of the finer feature map, a side.

    Returns:
        Row by row, all of one size; the whole image where the objects are large. Never more than ``MOST_WINDOWS``:
        then the windows are larger, and small objects are seen less well.

    Example:
        >>> [(window.left, window.right) for window in search_windows(Size(90, 200), 15.0, 32)]
        [(0, 91), (54, 145), (109, 200)]
    """
    side, overlap = search_side(size, diameter_px, cells), _overlap(diameter_px)
    return [
        Window(left, top, min(left + side, size.width), min(top + side, size.height))
        for top in _starts(size.height, side, overlap)
        for left in _starts(size.width, side, overlap)
    ]


def search_side(size: Size, diameter_px: float, cells: int) -> int:
    """Side of the windows in which objects of a size are looked for in an image [px].

    They span ``OBJECT_CELLS``, or fewer where that would take too many windows; on a raster of halves of octaves.
    """
    wanted = max(float(SMALLEST_SIDE_PX), diameter_px * cells / OBJECT_CELLS)
    step = math.ceil(math.log2(wanted) * STEPS_PER_OCTAVE)
    while True:
        side, overlap = round(2 ** (step / STEPS_PER_OCTAVE)), _overlap(diameter_px)
        counts = (len(_starts(length, side, overlap)) for length in (size.height, size.width))
        if math.prod(counts) <= MOST_WINDOWS:
            return side
        step += 1


def _overlap(diameter_px: float) -> int:
    """Of neighbouring windows [px]."""
    return math.ceil(OVERLAP * diameter_px)


def window_around(size: Size, middle: tuple[float, float], side: int) -> Window:
    """The window of a side around a place (x, y) [px], moved inside where it would reach beyond the image."""
    width, height = min(side, size.width), min(side, size.height)
    left = round(min(max(middle[0] - width / 2, 0), size.width - width))
    top = round(min(max(middle[1] - height / 2, 0), size.height - height))
    return Window(left, top, left + width, top + height)


def feature_cells(geometry: Geometry) -> int:
    """Cells of a network's finer feature map, a side."""
    return geometry.side // 8


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    count = 1 + math.ceil((length - side) / max(1, side - overlap))
    return [round(index * (length - side) / (count - 1)) for index in range(count)]
