"""Many rings as one, for formats that give an object a single ring.

Each ring is joined to the next by a line walked there and back. Under the even-odd rule such
a line covers nothing, so the one ring decodes to the same pixels; programs that also paint
outlines show a thin line between the parts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 256  # points per ring among which the shortest line is looked for

Ring = NDArray[np.float64]  # (N, 2)


def join_rings(rings: Sequence[Ring]) -> Ring:
    """Return one ring that covers what the rings cover, each of shape (N, 2), at least one.

    Example:
        >>> ring = join_rings([np.array([[0, 0], [1, 0], [1, 1]]), np.array([[2, 0], [3, 0], [3, 1]])])
        >>> ring.tolist()
        [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1], [2, 0], [1, 0], [1, 1]]
    """
    there: list[Ring] = []
    back: list[Ring] = []
    current = rings[0]
    for following in rings[1:]:
        leave, arrive = _nearest(current, following)
        following = np.roll(following, -arrive, axis=0)
        there.append(current[: leave + 1])
        back.append(np.vstack([following[:1], current[leave:]]))  # closes the next ring, then this one
        current = following
    return np.vstack([*there, current, *reversed(back)])


def _nearest(a: Ring, b: Ring) -> tuple[int, int]:
    """Indices of two points close to each other: the closest, unless there are very many."""
    step_a, step_b = -(-len(a) // MAX_CANDIDATES), -(-len(b) // MAX_CANDIDATES)
    apart = a[::step_a, None] - b[None, ::step_b]  # (A, B, 2)
    row, column = np.unravel_index(int(np.argmin((apart**2).sum(axis=2))), apart.shape[:2])
    return int(row) * step_a, int(column) * step_b
