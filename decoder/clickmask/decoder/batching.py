"""Requests that wait for the device together are answered together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")


class Batcher(Generic[RequestT, AnswerT]):
    """Run one batch at a time; whoever gets the device next takes along all that wait.

    There is no thread of its own and no delay: a lone request runs at once.
    """

    def __init__(self, answer_all: Callable[[Sequence[RequestT]], Sequence[AnswerT]], largest: int) -> None:
        self._answer_all = answer_all
        self._largest = largest
        self._device = threading.Lock()
        self._waiting: deque[tuple[RequestT, Future[AnswerT]]] = deque()

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def submit(self, request: RequestT) -> AnswerT:
        """Answer one request, perhaps in a batch with others; errors of the batch are raised in each."""
        return self.submit_all([request])[0]

    def submit_all(self, requests: Sequence[RequestT]) -> list[AnswerT]:
        """Answer several requests of one caller, in order."""
        futures: list[Future[AnswerT]] = [Future() for _ in requests]
        self._waiting.extend(zip(requests, futures, strict=True))
        with self._device:
            while futures and not futures[-1].done():  # they are answered in order
                self._run_batch()
        return [future.result() for future in futures]

    def _run_batch(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
        try:
            answers = self._answer_all([request for request, _ in batch])
        except BaseException as error:  # handed to every waiting thread, none may hang
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            future.set_result(answer)
