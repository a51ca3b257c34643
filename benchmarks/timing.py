"""Time rivals in turn, so that a busy machine slows all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

CPU = torch.device("cpu")


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


def finish(device: torch.device) -> None:
    """Wait for what a GPU was told to do; a CPU has done it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def place_name(device: torch.device) -> str:
    """What computes, for the head of a table."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} threads"


def race(
    rivals: Mapping[str, Callable[[], object]], runs: int, warmup: int = 2, device: torch.device = CPU
) -> dict[str, Timing]:
    """Run every rival in ``runs`` turns, A B C A B C ..., after ``warmup`` turns that do not count."""
    durations: dict[str, list[float]] = {name: [] for name in rivals}
    for turn in range(warmup + runs):
        for name, rival in rivals.items():
            start = time.perf_counter()
            rival()
            finish(device)
            if turn >= warmup:
                durations[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(sorted(seconds))) for name, seconds in durations.items()}
