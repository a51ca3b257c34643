"""Worth first: which pictures a person looks at next."""

from __future__ import annotations

import math
from collections.abc import Iterable


def chance_all_good(scores: Iterable[float]) -> float:
    """The chance that none of a picture's masks needs a hand, if each is good with the chance that is its score.

    Sorted by it, the lowest first, pictures with many doubtful masks come before those with few or sure ones.

    Args:
        scores: Of the masks, in [0, 1].

    Returns:
        In [0, 1]; 1 where there is no mask.

    Example:
        >>> chance_all_good([0.9, 0.5])
        0.45
    """
    return math.prod(min(max(score, 0.0), 1.0) for score in scores)
