"""Threads that answer requests, while the event loop stays free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from clickmask.plugin.errors import BusyError

AnswerT = TypeVar("AnswerT")


class Workers:
    """A bounded number of threads with a bounded queue before them and a limit on each answer's time.

    Args:
        count: Requests answered at the same time.
        waiting: Requests that may wait.
        seconds: Longest answer.
    """

    def __init__(self, count: int, waiting: int, seconds: float) -> None:
        self._seconds = seconds
        self._most = count + waiting
        self._workers = count
        self._pool = ThreadPoolExecutor(count, "request")
        self._inside = 0  # touched by the event loop's thread only

    async def run(self, work: Callable[[], AnswerT]) -> AnswerT:
        """Run work in a thread.

        Raises:
            BusyError: If too many wait already, or it takes too long; what it began is finished
                all the same, so that trying again is quick.
        """
        if self._inside >= self._most:
            raise BusyError(f"{self._inside} requests are being answered or wait, wanted at most {self._most}")
        self._inside += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except TimeoutError as error:
            future.add_done_callback(_forget)
            raise BusyError(f"the answer takes longer than {self._seconds:g} s: try again in a while") from error
        finally:
            del future  # it holds its error, whose traceback holds this frame: a circle that keeps the request's body

    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return max(0, self._inside - self._workers)

    def close(self) -> None:
        """Take no more work; what runs is finished, but nobody waits for it: a server must end when it is told to."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, _: object) -> None:
        self._inside -= 1


def _forget(future: asyncio.Future[Any]) -> None:
    """Nobody waits for this answer any more: look at its error, so that asyncio does not complain."""
    if not future.cancelled():
        future.exception()
