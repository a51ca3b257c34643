"""Waits for what the backend does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 600  # [s], however busy the machine is


def wait_until(done: Callable[[], bool]) -> None:
    """Return as soon as it is done."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
