"""Waits for what other programs do in their own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.2

SeenT = TypeVar("SeenT")


def eventually(look: Callable[[], SeenT], what: str) -> SeenT:
    """Look until there is something to see, and return it.

    Raises:
        AssertionError: If there is nothing after ``PATIENCE_SECONDS``.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:.0f} s for {what}"
        time.sleep(PAUSE_SECONDS)
    return seen
