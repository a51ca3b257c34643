"""The cache computes once, keeps to its budget and never keeps a failure."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from clickmask.decoder.cache import Cache, nbytes


@dataclass(frozen=True)
class Block:
    """A value of a given weight."""

    nbytes: int


def test_a_key_is_computed_once_however_many_ask_at_once() -> None:
    cache: Cache[str, Block] = Cache(100, nbytes)
    calls: list[int] = []
    gate = threading.Event()

    def compute() -> Block:
        gate.wait(5)
        calls.append(1)
        return Block(10)

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(cache.get, "a", compute) for _ in range(8)]
        gate.set()
        values = {id(answer.result()[0]) for answer in answers}
    assert len(calls) == 1
    assert len(values) == 1


def test_the_least_recently_used_leave_first() -> None:
    cache: Cache[str, Block] = Cache(25, nbytes)
    for key in "ab":
        cache.get(key, lambda: Block(10))
    cache.get("a", lambda: Block(10))
    cache.get("c", lambda: Block(10))
    assert [key in cache for key in "abc"] == [True, False, True]
    cache.get("d", lambda: Block(10))  # what left is no longer counted, or more would have to leave now
    assert [key in cache for key in "acd"] == [False, True, True]


def test_a_value_beyond_the_budget_is_given_but_not_kept() -> None:
    cache: Cache[str, Block] = Cache(5, nbytes)
    value, hit = cache.get("a", lambda: Block(10))
    assert (value.nbytes, hit) == (10, False)
    assert "a" not in cache


def test_a_value_beyond_the_budget_drives_out_no_other() -> None:
    cache: Cache[str, Block] = Cache(15, nbytes)
    for key, weight in (("a", 10), ("b", 20)):
        cache.get(key, lambda weight=weight: Block(weight))  # type: ignore[misc]
    assert "a" in cache


def test_a_failure_reaches_the_caller_and_is_not_kept() -> None:
    cache: Cache[str, Block] = Cache(50, nbytes)

    def fail() -> Block:
        raise RuntimeError("no picture")

    with pytest.raises(RuntimeError, match="no picture"):
        cache.get("a", fail)
    assert cache.get("a", lambda: Block(1)) == (Block(1), False)
    assert cache.get("a", fail) == (Block(1), True)


def test_a_budget_may_be_a_number_of_values() -> None:
    cache: Cache[tuple[int, str], str] = Cache(2, lambda value: 1)
    for number in range(3):
        cache.put((number, "frame"), "x" * 100)
    assert [(number, "frame") in cache for number in range(3)] == [False, True, True]
    cache.clear()
    cache.put((3, "frame"), "x")
    assert [(number, "frame") in cache for number in range(4)] == [False, False, False, True]
