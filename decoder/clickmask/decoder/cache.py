"""A cache within a budget that computes each value once, however many threads ask for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value that knows what memory it holds."""

    @property
    def nbytes(self) -> int:
        """Memory [bytes]."""


KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


def nbytes(value: Sized) -> int:
    """Weigh a value by the memory it holds [bytes]."""
    return value.nbytes


class Cache(Generic[KeyT, ValueT]):
    """Least-recently-used values within a budget; a value larger than the budget is not kept.

    Args:
        budget: What all values together may weigh.
        weigh: What one value weighs, always the same: ``nbytes``, ``len``, or 1 for each.
    """

    def __init__(self, budget: int, weigh: Callable[[ValueT], int]) -> None:
        self._budget = budget
        self._weigh = weigh
        self._lock = threading.Lock()
        self._values: OrderedDict[KeyT, ValueT] = OrderedDict()
        self._pending: dict[KeyT, Future[ValueT]] = {}
        self._weight = 0

    def get(self, key: KeyT, compute: Callable[[], ValueT]) -> tuple[ValueT, bool]:
        """Return the value and whether it was there; compute it if it was not.

        Threads that ask for a key being computed wait for that one computation. If it
        fails, all of them get its error and nothing is kept.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key], True
            pending = self._pending.get(key)
            if pending is None:
                own = self._pending[key] = Future()
        if pending is not None:
            return pending.result(), False
        try:
            value = compute()
        except BaseException as error:
            self._forget(key)
            own.set_exception(error)
            raise
        self._keep(key, value)
        own.set_result(value)
        return value, False

    def peek(self, key: KeyT) -> ValueT | None:
        """Return the value if it is there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: KeyT, value: ValueT) -> None:
        """Keep a value that was computed elsewhere, in place of the one that was there."""
        with self._lock:
            self._insert(key, value)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._values

    def clear(self) -> None:
        """Forget all values; those being computed now are kept when they come."""
        with self._lock:
            self._values.clear()
            self._weight = 0

    def _forget(self, key: KeyT) -> None:
        with self._lock:
            del self._pending[key]

    def _keep(self, key: KeyT, value: ValueT) -> None:
        with self._lock:
            del self._pending[key]
            self._insert(key, value)

    def _insert(self, key: KeyT, value: ValueT) -> None:
        """The lock is held."""
        if key in self._values:
            self._weight -= self._weigh(self._values.pop(key))
        weight = self._weigh(value)
        if weight > self._budget:
            return
        self._values[key] = value
        self._weight += weight
        while self._weight > self._budget:
            _, oldest = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)
