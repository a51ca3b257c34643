"""Requests that wait together are answered together, and none is left waiting."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from clickmask.decoder.batching import Batcher


def test_requests_that_wait_share_a_batch() -> None:
    sizes: list[int] = []
    first_runs, go_on = threading.Event(), threading.Event()

    def answer(requests: Sequence[int]) -> list[int]:
        sizes.append(len(requests))
        first_runs.set()
        go_on.wait(5)
        return [2 * request for request in requests]

    batcher = Batcher(answer, largest=4)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(batcher.submit, 0)
        first_runs.wait(5)
        rest = [threads.submit(batcher.submit, n) for n in range(1, 7)]
        while len(batcher) < 6:
            threading.Event().wait(0.001)
        go_on.set()
        assert [first.result(5)] + [future.result(5) for future in rest] == [0, 2, 4, 6, 8, 10, 12]
    assert sizes == [1, 4, 2]


def test_an_error_reaches_everyone_in_the_batch_and_the_next_one_works() -> None:
    def answer(requests: Sequence[int]) -> list[int]:
        if 13 in requests:
            raise RuntimeError("unlucky")
        return list(requests)

    batcher = Batcher(answer, largest=4)
    with pytest.raises(RuntimeError, match="unlucky"):
        batcher.submit(13)
    assert batcher.submit_all([1, 2, 3, 4, 5, 6]) == [1, 2, 3, 4, 5, 6]
