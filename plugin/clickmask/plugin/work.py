"""Work that goes on in the background and that a person may look at, or stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of background work as it is now.

    Args:
        id: Names it as long as it lasts.
        what: For a person.
        done: How much of it is done.
        total: Of how much; 0 if nobody knows yet.
        cancel: Stops it; what is done stays.
    """

    id: str
    what: str
    done: int
    total: int
    cancel: Callable[[], None]
