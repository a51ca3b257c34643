"""Masks on the wire to the browser: run lengths inside the mask's box, little-endian uint32 in base64.

The numbers are ``[x0, y0, width, height, run, run, ...]``: runs alternate between background and
object, row by row inside the box, starting with background. Exact, small, and quick to paint.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder import ShapeError, Size
from clickmask.decoder.shapes import Rle, mask_to_rle, rle_to_crop

HEADER = 4


def mask_to_runs(mask: NDArray[np.bool_]) -> str:
    """Encode a mask, shape (H, W); an empty mask has a 0x0 box.

    Example:
        >>> mask = np.zeros((3, 5), bool)
        >>> mask[1, 2:4] = True
        >>> runs_to_mask(mask_to_runs(mask), Size(3, 5)).astype(int).tolist()
        [[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return _pack(np.zeros(HEADER, np.uint32))
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[y0:y1].any(axis=0))
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    return _pack(np.concatenate(([x0, y0, x1 - x0, y1 - y0], _row_runs(mask[y0:y1, x0:x1]))))


def rle_to_runs(rle: Rle) -> str:
    """Encode COCO run lengths for the browser, without a mask of the whole picture.

    Example:
        >>> runs = rle_to_runs({"size": [3, 4], "counts": "723"})
        >>> runs_to_rle(runs, Size(3, 4))["counts"]
        '723'
    """
    pixels, left, top = rle_to_crop(rle)
    if not pixels.any():
        return _pack(np.zeros(HEADER, np.uint32))
    height, width = pixels.shape
    return _pack(np.concatenate(([left, top, width, height], _row_runs(pixels.astype(np.bool_)))))


def runs_to_rle(text: str, size: Size) -> Rle:
    """Decode to COCO run lengths.

    Raises:
        ShapeError: As ``runs_to_mask``.
    """
    return mask_to_rle(runs_to_mask(text, size))


def _row_runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of background and object, row by row, beginning with background."""
    flat = np.ascontiguousarray(mask).ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = np.concatenate(([0, 0] if flat[0] else [0], edges, [flat.size]))
    return np.diff(starts)


def runs_to_mask(text: str, size: Size) -> NDArray[np.bool_]:
    """Decode to a mask, shape (H, W) of ``size``.

    Raises:
        ShapeError: If the text is not base64, the box leaves the picture, or the runs do not fill the box.
    """
    numbers = check_runs(text, size)
    x0, y0, width, height = (int(number) for number in numbers[:HEADER])
    runs = numbers[HEADER:]
    mask = np.zeros((size.height, size.width), np.bool_)
    values = np.arange(runs.size) % 2 == 1
    mask[y0 : y0 + height, x0 : x0 + width] = np.repeat(values, runs).reshape(height, width)
    return mask


def check_runs(text: str, size: Size) -> NDArray[np.int64]:
    """Return the numbers of a mask on the wire if they fit a picture of this size.

    Raises:
        ShapeError: As ``runs_to_mask``.
    """
    numbers = _unpack(text)
    x0, y0, width, height = (int(number) for number in numbers[:HEADER])
    if x0 + width > size.width or y0 + height > size.height:
        raise ShapeError(f"mask box {width}x{height} at ({x0}, {y0}) leaves the {size} picture")
    covered = int(numbers[HEADER:].sum())
    if covered != width * height:
        raise ShapeError(f"runs cover {covered} pixels, wanted {width}x{height} = {width * height}")
    return numbers


def _pack(numbers: NDArray[np.integer]) -> str:
    return base64.b64encode(numbers.astype("<u4").tobytes()).decode("ascii")


def _unpack(text: str) -> NDArray[np.int64]:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ShapeError(f"mask runs are not base64: {error}") from error
    if len(data) % 4 or len(data) < HEADER * 4:
        raise ShapeError(f"mask runs have {len(data)} bytes, wanted a multiple of 4 and at least {HEADER * 4}")
    return np.frombuffer(data, "<u4").astype(np.int64)
