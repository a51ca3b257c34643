"""Label Studio's brush: RGBA run lengths packed into bits, most significant first.

A header (number of values, 8-bit words, four sizes of run-length fields) is followed by
blocks: 1 bit run or literals, 2 bits which field size, the count - 1, then the value once
(run) or each value (literals). Layout after @thi.ng/rle-pack, which Label Studio uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes.masks import Mask, as_bytes, check_size
from clickmask.decoder.shapes.runs import row_changes, run_lengths

CHANNELS = 4
WORD_BITS = 8
HEADER_BITS = 32 + 5 + 4 * 4
LONGEST_RUN = 2**16
SDK_FIELD_SIZES = (3, 4, 8, 16)


def mask_to_brush(mask: Mask) -> list[int]:
    """Encode a mask for Label Studio's ``rle`` value, smallest: run-length field sizes are chosen per mask.

    Foreground becomes opaque (255 in all four channels), background transparent.

    Returns:
        Bytes as numbers 0 to 255.

    Example:
        >>> mask_to_brush(np.ones((1, 2), bool))
        [0, 0, 0, 8, 56, 9, 30, 255, 224]
    """
    pixels = as_bytes(mask)
    lengths, values = _value_runs(pixels)
    return list(_pack(pixels.size, lengths, values, _best_field_sizes(lengths)).tobytes())


def mask_to_sdk_brush(mask: Mask) -> list[int]:
    """Encode a mask byte for byte as ``label_studio_sdk.converter.brush.mask2rle`` does (foreground 255)."""
    pixels = as_bytes(mask)
    lengths, values = _value_runs(pixels)
    packed = _pack(pixels.size, lengths, values, SDK_FIELD_SIZES)
    field_sizes = np.array(SDK_FIELD_SIZES)[_field_index(lengths, SDK_FIELD_SIZES)]
    num_bits = HEADER_BITS + int((3 + WORD_BITS + field_sizes).sum())
    padding = [0] if num_bits % 8 == 0 else []  # the SDK fills up a byte even where none is begun
    return [*packed.tolist(), *padding]


def brush_to_mask(values: Sequence[int] | bytes, size: Size) -> NDArray[np.bool_]:
    """Decode Label Studio's ``rle`` value; pixels with alpha > 0 are foreground, shape (H, W).

    Raises:
        ShapeError: If the values are not bytes, end early, are not of 8-bit words, or do
            not describe an image of this size.

    Example:
        >>> brush_to_mask(mask_to_brush(np.eye(2, dtype=bool)), Size(2, 2)).tolist()
        [[True, False], [False, True]]
    """
    size = check_size(size)
    data = _as_byte_array(values)
    blocks = _read_blocks(data, _read_field_sizes(data, size), CHANNELS * size.height * size.width)
    # A pixel's alpha is every fourth value: block [start, end) holds the alphas of [start // 4, end // 4).
    mask = np.repeat(blocks.is_run & (blocks.values > 0), blocks.ends // CHANNELS - blocks.starts // CHANNELS)
    _fill_literals(mask, blocks, data)
    return mask.reshape(size.height, size.width)


def _value_runs(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths (at most 2^16) and values (0 or 255) of the runs of the RGBA image."""
    lengths = CHANNELS * run_lengths(row_changes(pixels), pixels.size)
    values = np.zeros(len(lengths), np.int64)
    values[1::2] = 255
    pieces = -(-lengths // LONGEST_RUN)  # 0 for an empty first run, which drops it
    lasts = np.cumsum(pieces)[pieces > 0] - 1
    split = np.full(int(pieces.sum()), LONGEST_RUN, np.int64)
    split[lasts] = (lengths - (pieces - 1) * LONGEST_RUN)[pieces > 0]
    return split, np.repeat(values, pieces)


def _field_index(lengths: NDArray[np.int64], field_sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """For each run the smallest of the ascending field sizes that holds its length - 1."""
    return np.searchsorted(1 << np.array(field_sizes, np.int64), lengths)


@cache
def _field_size_sets() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All sets of four field sizes, and the bits each spends on a number of 0 to 16 bits (too few: very many).

    Whole numbers as floats: their matrix product is the fast one.
    """
    sets = np.array(list(combinations(range(1, 17), 4)), np.int64)  # (1820, 4)
    fits = sets[:, :, None] >= np.arange(17)
    bits = np.where(fits, sets[:, :, None], 2**40).min(axis=1)  # (1820, 17)
    return sets, bits.astype(np.float64)


def _best_field_sizes(lengths: NDArray[np.int64]) -> tuple[int, ...]:
    """The four field sizes that spend the fewest bits on these runs."""
    num_bits = np.searchsorted(1 << np.arange(17), lengths)
    sets, bits = _field_size_sets()
    best = int(np.argmin(bits @ np.bincount(num_bits, minlength=17)))
    return tuple(sets[best].tolist())


def _pack(
    num_pixels: int, lengths: NDArray[np.int64], values: NDArray[np.int64], field_sizes: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Write header and runs as bits, filled up with zeros to whole bytes."""
    index = _field_index(lengths, field_sizes)
    sizes = np.array(field_sizes)[index]
    used = 3 + WORD_BITS + sizes
    blocks = (4 + index) << (sizes + WORD_BITS) | (lengths - 1) << WORD_BITS | values
    header = f"{CHANNELS * num_pixels:032b}{WORD_BITS - 1:05b}" + "".join(f"{size - 1:04b}" for size in field_sizes)
    ends = HEADER_BITS + np.cumsum(used)
    return _place_bits(
        np.concatenate([[int(header[:32], 2), int(header[32:], 2)], blocks]),
        np.concatenate([[32, HEADER_BITS], ends]),
    )


def _place_bits(numbers: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Write numbers of at most 32 bits so that each ends before its bit, filled up with zeros to whole bytes."""
    words, after = np.divmod(ends + 31, 32)  # the word that holds a number's last bit is words - 1
    shifted = numbers << (31 - after)
    low, high = shifted & 0xFFFFFFFF, shifted >> 32
    # numbers share no bit, so adding is as good as OR; sums of 32 bits are exact in floats of 53
    filled = np.bincount(words, low) + np.bincount(words - 1, high, minlength=int(words[-1]) + 1)
    return filled[1:].astype(">u4").view(np.uint8)[: -(-int(ends[-1]) // 8)]


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """The blocks of a brush, each array of one length."""

    starts: NDArray[np.int64]  # index of the first value
    ends: NDArray[np.int64]  # one past the last value
    is_run: NDArray[np.bool_]
    values: NDArray[np.int64]  # of runs
    first_bits: NDArray[np.int64]  # where the first value is written


def _as_byte_array(values: Sequence[int] | bytes) -> NDArray[np.uint8]:
    if isinstance(values, bytes):
        return np.frombuffer(values, np.uint8)
    if isinstance(values, int | str):  # of an int, bytes() makes so many zeros
        raise ShapeError(f"the brush is a {type(values).__name__}, wanted a list of whole numbers from 0 to 255")
    try:
        return np.frombuffer(bytes(values), np.uint8)
    except (TypeError, ValueError):
        raise ShapeError(f"the brush is {repr(values)[:60]}, wanted a list of whole numbers from 0 to 255") from None


def _read_field_sizes(data: NDArray[np.uint8], size: Size) -> NDArray[np.int64]:
    """Check the header and return the four field sizes."""
    if len(data) * 8 < HEADER_BITS:
        raise ShapeError(f"the brush has {len(data)} bytes, wanted a header of at least 7")
    header = int.from_bytes(data[:7].tobytes(), "big") >> 3  # 53 bits
    num_values, word_bits = header >> 21, (header >> 16 & 31) + 1
    if num_values != CHANNELS * size.height * size.width:
        wanted = CHANNELS * size.height * size.width
        raise ShapeError(f"the brush holds {num_values} values, wanted {wanted} for RGBA of {size}")
    if word_bits != WORD_BITS:
        raise ShapeError(f"the brush has {word_bits}-bit words, wanted 8-bit")
    return np.array([(header >> shift & 15) + 1 for shift in (12, 8, 4, 0)], np.int64)


def _read_blocks(data: NDArray[np.uint8], field_sizes: NDArray[np.int64], num_values: int) -> _Blocks:
    """Find the blocks by reading one at *every* bit at once, then following the chain from the first."""
    window = _windows(data)
    index = window >> 24 & 3
    sizes = field_sizes.astype(np.int32)[index]
    counts = (window >> (24 - sizes) & ((1 << sizes) - 1)) + 1
    is_run = window >> 26 == 1
    first = np.arange(len(window), dtype=np.int32) + 3 + sizes
    following = first + WORD_BITS * np.where(is_run, 1, counts)
    at = _follow(following, HEADER_BITS, num_bits=len(window))
    ends = np.cumsum(counts[at].astype(np.int64))
    used = int(np.searchsorted(ends, num_values)) + 1
    if used > len(ends) or int(following[at[used - 1]]) > len(window):
        raise ShapeError(f"the brush ends early: got {int(ends[-1]) if len(ends) else 0} values, wanted {num_values}")
    if ends[used - 1] != num_values:
        raise ShapeError(f"the brush runs over its end: got {int(ends[used - 1])} values, wanted {num_values}")
    at, ends = at[:used], ends[:used]
    values = window[at] >> (16 - sizes[at]) & 255
    starts = np.concatenate([[0], ends[:-1]])
    return _Blocks(starts, ends, is_run[at], values.astype(np.int64), first[at].astype(np.int64))


def _windows(data: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The 27 bits from every bit position on: the longest head of a block (1 + 2 + 16 + 8)."""
    padded = np.concatenate([data, np.zeros(4, np.uint8)]).astype(np.int64)
    words: NDArray[np.int64] = np.zeros(len(data), np.int64)
    for place in range(5):
        words <<= 8
        words |= padded[place : place + len(data)]
    shifts = 40 - 27 - np.arange(8)
    return (words[:, None] >> shifts & (2**27 - 1)).astype(np.int32).reshape(-1)


def _follow(following: NDArray[np.int32], start: int, num_bits: int) -> NDArray[np.int64]:
    """Positions met from ``start`` on, up to the end of the data."""
    step = memoryview(following.data)
    positions = []
    at = start
    while at < num_bits:
        positions.append(at)
        at = step[at]
    return np.array(positions, np.int64)


def _fill_literals(mask: NDArray[np.bool_], blocks: _Blocks, data: NDArray[np.uint8]) -> None:
    """Set the pixels whose alpha is a literal that is not 0."""
    literal = ~blocks.is_run
    counts = (blocks.ends - blocks.starts)[literal]
    if not counts.size:
        return
    nth = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.repeat(blocks.starts[literal], counts) + nth
    bit = np.repeat(blocks.first_bits[literal], counts) + WORD_BITS * nth
    alpha = at % 4 == 3
    byte, shift = np.divmod(bit[alpha], 8)
    padded = np.concatenate([data, np.zeros(1, np.uint8)]).astype(np.int64)
    values = (padded[byte] << 8 | padded[byte + 1]) >> (8 - shift) & 255
    mask[at[alpha] // 4] = values > 0
