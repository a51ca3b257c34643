"""The device as background work sees it: people who wait for an answer come first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

_LONGEST_WAY_SECONDS = 2.0
_QUIET_SECONDS = 0.3


class ClickPriority:
    """Counts the people who wait; any number of threads may share it."""

    def __init__(self) -> None:
        self._clicks = 0
        self._last_answer = monotonic()
        self._clear = threading.Condition()

    @contextmanager
    def click(self) -> Iterator[None]:
        """While this lasts, a person waits for an answer."""
        with self._clear:
            self._clicks += 1
        try:
            yield
        finally:
            with self._clear:
                self._clicks -= 1
                self._last_answer = monotonic()
                self._clear.notify_all()

    def give_way(self) -> None:
        """Wait until nobody waits, but not for ever: the work gets on, however many people click."""
        with self._clear:
            self._clear.wait_for(lambda: not self._clicks, timeout=_LONGEST_WAY_SECONDS)

    def seconds_to_quiet(self) -> float:
        """Say how long to wait before work that nobody asked for [s]; 0 once nobody has waited for a while."""
        with self._clear:
            if self._clicks:
                return _QUIET_SECONDS
            return max(self._last_answer + _QUIET_SECONDS - monotonic(), 0.0)
