"""A byte-budgeted cache that computes each value once, however many threads ask for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value that knows what memory it holds."""

    @property
    def nbytes(self) -> int:
        """Memory [bytes]."""


ValueT = TypeVar("ValueT", bound=Sized)


class Cache(Generic[ValueT]):
    """Least-recently-used values within a budget; a value larger than the budget is not kept."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[str, ValueT] = OrderedDict()
        self._pending: dict[str, Future[ValueT]] = {}
        self._nbytes = 0

    def get(self, key: str, compute: Callable[[], ValueT]) -> tuple[ValueT, bool]:
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

    def peek(self, key: str) -> ValueT | None:
        """Return the value if it is there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: str, value: ValueT) -> None:
        """Keep a value that was computed elsewhere, in place of the one that was there."""
        with self._lock:
            self._insert(key, value)

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._values

    def _forget(self, key: str) -> None:
        with self._lock:
            del self._pending[key]

    def _keep(self, key: str, value: ValueT) -> None:
        with self._lock:
            del self._pending[key]
            self._insert(key, value)

    def _insert(self, key: str, value: ValueT) -> None:
        """The lock is held."""
        if key in self._values:
            self._nbytes -= self._values.pop(key).nbytes
        if value.nbytes > self._budget_bytes:
            return
        self._values[key] = value
        self._nbytes += value.nbytes
        while self._nbytes > self._budget_bytes:
            _, oldest = self._values.popitem(last=False)
            self._nbytes -= oldest.nbytes
