"""The last errors of a backend, for whoever opens its status page."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

_KEPT = 20


@dataclass(frozen=True, slots=True)
class RecentError:
    """One request that failed.

    Args:
        time: When [s since 1970].
        where: The route.
        message: What was answered.
    """

    time: float
    where: str
    message: str


class RecentErrors:
    """Keeps the newest errors; any number of threads may add."""

    def __init__(self) -> None:
        self._errors: deque[RecentError] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, where: str, message: str) -> None:
        """Keep one more, and forget the oldest."""
        with self._lock:
            self._errors.appendleft(RecentError(time.time(), where, message[:500]))

    def newest(self) -> list[RecentError]:
        """Return what is kept, the newest first."""
        with self._lock:
            return list(self._errors)
