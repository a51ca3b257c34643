"""COCO run lengths: column by column, background first, plain or as compressed text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import Mask, as_bytes, check_size
from clickmask.decoder.shapes.runs import column_changes, run_lengths

MAX_CHARACTERS = 7  # of one compressed number: 5 bits each, enough for 2^31 with its sign


class Rle(TypedDict):
    """Compressed run lengths as COCO's JSON holds them."""

    size: list[int]  # [height, width]
    counts: str


class UncompressedRle(TypedDict):
    """Run lengths as plain numbers, as COCO holds crowds."""

    size: list[int]  # [height, width]
    counts: list[int]  # background first, may start with 0


def mask_to_rle(mask: Mask) -> Rle:
    """Encode a mask as COCO's compressed run lengths, the same text as pycocotools.

    Example:
        >>> mask_to_rle(np.eye(3, dtype=bool))
        {'size': [3, 3], 'counts': '013000'}
    """
    pixels = as_bytes(mask)
    return {"size": list(pixels.shape), "counts": compress(run_lengths(column_changes(pixels), pixels.size))}


def mask_to_uncompressed_rle(mask: Mask) -> UncompressedRle:
    """Encode a mask as COCO's plain run lengths.

    Example:
        >>> mask_to_uncompressed_rle(np.eye(3, dtype=bool))
        {'size': [3, 3], 'counts': [0, 1, 3, 1, 3, 1]}
    """
    pixels = as_bytes(mask)
    return {"size": list(pixels.shape), "counts": run_lengths(column_changes(pixels), pixels.size).tolist()}


def rle_to_mask(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode compressed (str or bytes) or plain (list) COCO run lengths, shape (H, W).

    Raises:
        ShapeError: If the size or the counts are malformed, or the counts do not add up
            to height x width.
    """
    size, counts = _read(rle)
    columns = _fill(counts).reshape(size.width, size.height)
    return np.asarray(cv2.transpose(columns), np.uint8).view(np.bool_)


def rle_to_uncompressed_rle(rle: Mapping[str, Any]) -> UncompressedRle:
    """Write run lengths as plain numbers, without decoding; raises like ``rle_to_mask``.

    Example:
        >>> rle_to_uncompressed_rle({"size": [3, 3], "counts": "013000"})
        {'size': [3, 3], 'counts': [0, 1, 3, 1, 3, 1]}
    """
    size, counts = _read(rle)
    return {"size": [size.height, size.width], "counts": counts.tolist()}


def rle_to_crop(rle: Mapping[str, Any], room_px: int = 0) -> tuple[NDArray[np.uint8], int, int]:
    """Decode only the columns and rows that hold foreground: far faster on large images.

    Args:
        rle: Compressed or plain run lengths.
        room_px: Columns and rows of background kept around, as far as the image goes.

    Returns:
        The pixels, C-ordered, shape (h, w), and the image's column and row of the first one.
        Of an empty mask one pixel.

    Raises:
        ShapeError: As ``rle_to_mask``.

    Example:
        >>> pixels, left, top = rle_to_crop({"size": [3, 4], "counts": [7, 2, 3]})
        >>> pixels.tolist(), left, top
        ([[1], [1]], 2, 1)
    """
    size, counts = _read(rle)
    changes = np.cumsum(counts)
    filled = np.flatnonzero(counts[1::2])
    if not filled.size:
        return np.zeros((1, 1), np.uint8), 0, 0
    first = int(changes[2 * filled[0]]) // size.height
    last = int(changes[2 * filled[-1] + 1] - 1) // size.height
    left, right = max(0, first - room_px), min(size.width, last + 1 + room_px)
    runs = np.diff(np.clip(changes, left * size.height, right * size.height), prepend=left * size.height)
    columns = _fill(runs).reshape(right - left, size.height)
    rows = np.flatnonzero(np.bitwise_or.reduce(columns, axis=0))
    top, bottom = max(0, int(rows[0]) - room_px), min(size.height, int(rows[-1]) + 1 + room_px)
    return np.ascontiguousarray(columns[:, top:bottom].T), left, top


def crop_to_rle(pixels: Mask, left: int, top: int, size: Size) -> Rle:
    """Encode a mask of which only a window is held: all else is background.

    Args:
        pixels: The window, shape (h, w).
        left: Its first column in the image [px].
        top: Its first row [px].
        size: Of the image.

    Example:
        >>> crop_to_rle(np.ones((1, 2), bool), 1, 0, Size(2, 3)) == mask_to_rle(np.array([[0, 1, 1], [0, 0, 0]], bool))
        True
    """
    height, width = pixels.shape
    closed = np.zeros((height + 2, width), np.uint8)  # background above and below: columns begin and end with it
    closed[1:-1] = as_bytes(pixels) != 0
    columns, rows = np.divmod(column_changes(closed), height + 2)
    changes = ((left + columns) * size.height + top + rows - 1).reshape(-1, 2)  # where runs start and end
    going_on = np.flatnonzero(changes[1:, 0] == changes[:-1, 1])  # from the bottom of a column to the next one's top
    kept = np.delete(changes.reshape(-1), np.concatenate([2 * going_on + 1, 2 * going_on + 2]))
    counts = compress(run_lengths(kept[kept < size.height * size.width], size.height * size.width))
    return {"size": [size.height, size.width], "counts": counts}


def rle_area(rle: Mapping[str, Any]) -> int:
    """Count the foreground pixels without decoding; raises like ``rle_to_mask``.

    Example:
        >>> rle_area({"size": [3, 3], "counts": "013000"})
        3
    """
    return int(_read(rle)[1][1::2].sum())


def _fill(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Runs as pixels one after the other, background first."""
    return np.repeat((np.arange(len(counts)) & 1).astype(np.uint8), counts)


def _read(rle: Mapping[str, Any]) -> tuple[Size, NDArray[np.int64]]:
    """Check run lengths and return their size and plain counts."""
    if not isinstance(rle, Mapping) or not {"size", "counts"} <= rle.keys():
        raise ShapeError(f"run lengths are {_excerpt(rle)}, wanted a mapping with 'size' and 'counts'")
    size = _read_size(rle["size"])
    counts = _read_counts(rle["counts"])
    if (counts < 0).any():
        raise ShapeError(f"run {int(np.argmax(counts < 0))} has length {int(counts[counts < 0][0])}, wanted 0 or more")
    total = sum(counts.tolist()) if len(counts) < 1_000 else float(counts.astype(np.float64).sum())
    if total != size.height * size.width:
        raise ShapeError(f"run lengths add up to {total:.0f} pixels, wanted {size.height * size.width} for {size}")
    return size, counts


def _read_size(value: object) -> Size:
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes) or len(value) != 2:
        raise ShapeError(f"the run lengths' size is {_excerpt(value)}, wanted [height, width]")
    return check_size(Size(value[0], value[1]))


def _read_counts(value: object) -> NDArray[np.int64]:
    if isinstance(value, str | bytes):
        return _decompress(value)
    if not isinstance(value, Sequence | np.ndarray) or len(value) == 0:
        raise ShapeError(f"the run lengths' counts are {_excerpt(value)}, wanted text or a list of whole numbers")
    try:
        counts = np.asarray(value)
    except (ValueError, OverflowError):
        raise ShapeError(f"the run lengths' counts are {_excerpt(value)}, wanted whole numbers") from None
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise ShapeError(f"the run lengths' counts are {_excerpt(value)}, wanted whole numbers up to 2^31")
    return counts.astype(np.int64)


def compress(counts: NDArray[np.int64]) -> str:
    """Write each count as its difference from the one two before, 5 bits per character, low bits first."""
    rest = counts.copy()
    rest[3:] -= counts[1:-2]
    characters = np.empty((len(counts), MAX_CHARACTERS), np.uint8)
    used = np.zeros((len(counts), MAX_CHARACTERS), np.bool_)
    going_on = np.ones(len(counts), np.bool_)
    for place in range(MAX_CHARACTERS):
        used[:, place] = going_on
        low = rest & 31
        rest >>= 5
        more = rest != np.where(low & 16, -1, 0)  # the sign bit must say what the rest would
        characters[:, place] = low + 32 * more + 48
        going_on &= more
        if not going_on.any():
            break
    return characters[used].tobytes().decode("ascii")


def _decompress(text: str | bytes) -> NDArray[np.int64]:
    """Read counts back from text; the inverse of ``compress`` for any text."""
    raw = text.encode("utf-8", errors="surrogatepass") if isinstance(text, str) else text
    codes = np.frombuffer(raw, np.uint8).astype(np.int64) - 48
    if codes.size == 0:
        raise ShapeError("the run lengths' counts are empty, wanted at least one character")
    wrong = (codes < 0) | (codes > 63)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ShapeError(
            f"byte {at} of the run lengths' counts is {raw[at : at + 1]!r}, wanted a character from '0' to 'o'"
        )
    ends = np.flatnonzero(codes < 32)
    if ends.size == 0 or ends[-1] != codes.size - 1:
        raise ShapeError("the run lengths' counts end in the middle of a number")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > MAX_CHARACTERS:
        raise ShapeError(
            f"the run lengths' counts hold a number of {lengths.max()} characters, wanted at most {MAX_CHARACTERS}"
        )
    places = np.arange(codes.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((codes & 31) << (5 * places), starts)
    values -= np.where(codes[ends] & 16, np.int64(1) << (5 * lengths), 0)  # negative numbers in two's complement
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def _excerpt(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
