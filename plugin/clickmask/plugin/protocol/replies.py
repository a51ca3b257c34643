"""What goes back to Label Studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to Label Studio, and what the log says about it."""

    body: JsonObject
    notes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """A reply that gets fuller while others work on it.

    Args:
        futures: What is to be waited for, as long as one likes.
        reply: Gives the reply as it is by then.
    """

    futures: Sequence[Future[None]]
    reply: Callable[[], Reply]
