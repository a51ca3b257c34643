"""Time rivals in turn, so that a busy machine slows all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of one rival [s], sorted."""

    seconds: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The middle duration."""
        return 1000 * statistics.median(self.seconds)

    def percentile_ms(self, share: float) -> float:
        """The duration that ``share`` of all runs stay within, share in [0, 1]."""
        return 1000 * self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def race(rivals: Mapping[str, Callable[[], object]], runs: int, warmup: int = 2) -> dict[str, Timing]:
    """Run every rival in ``runs`` turns, A B C A B C ..., after ``warmup`` turns that do not count."""
    durations: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(warmup + runs):
        for name, rival in rivals.items():
            start = time.perf_counter()
            rival()
            if turn >= warmup:
                durations[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(sorted(seconds))) for name, seconds in durations.items()}
