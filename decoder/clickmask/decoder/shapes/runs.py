"""Where a mask changes along its rows or columns: the start of every run-length code.

Eight pixels are packed into a byte first, so that a change is one XOR for 64 pixels and the
columns of a row-ordered mask need no transposition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def row_changes(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Positions row x width + column, ascending, whose pixel differs from the one before it in that order."""
    words = _words(np.packbits(pixels.reshape(-1)))
    flips: NDArray[np.uint64] = words ^ (words >> np.uint64(1))
    flips[1:] ^= words[:-1] << np.uint64(63)
    changes = _set_bits(flips)
    return changes[: np.searchsorted(changes, pixels.size)]  # padding may end the last run once more


def column_changes(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Positions column x height + row, ascending, whose pixel differs from the one before it in that order."""
    height = len(pixels)
    bits = np.packbits(pixels, axis=1)
    changes = bits.copy()
    changes[1:] ^= bits[:-1]
    last_row = np.concatenate([[0], pixels[-1, :-1]]).astype(np.bool_)  # what comes before the top of each column
    changes[0] ^= np.packbits(last_row)
    rows, columns = np.divmod(_set_bits(_words(changes.reshape(-1))), bits.shape[1] * 8)
    return np.sort(columns * height + rows)


def run_lengths(changes: NDArray[np.int64], num_pixels: int) -> NDArray[np.int64]:
    """Lengths of the runs between changes, background first (0 if the mask starts with foreground)."""
    return np.diff(changes, prepend=0, append=num_pixels)


def _words(packed: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Eight bytes as one number, the first byte most significant, filled up with zeros."""
    padded = np.zeros(-(-packed.size // 8) * 8, np.uint8)
    padded[: packed.size] = packed
    return padded.view(">u8").astype(np.uint64)


def _set_bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Ascending positions of the bits that are 1, most significant bit first."""
    some = np.flatnonzero(words != 0)  # twice as fast as asking for the numbers themselves
    bits = np.unpackbits(words[some].astype(">u8").view(np.uint8))
    at = np.flatnonzero(bits.view(np.bool_))
    return np.asarray((some[at >> 6] << 6) + (at & 63))
