"""The simulation of many annotators agrees with what can be computed."""

from __future__ import annotations

import pytest

from benchmarks.scale import Habits, Times, ring, simulate


def test_alone_nobody_waits_for_others() -> None:
    habits = Habits(objects=2, clicks=2, pause=5.0, turn=5.0, encodes_ahead=False, network=0.0)
    found = simulate(1, 1, Times(0.0, 0.1, 0.1), habits, seconds=2_000)
    assert [found.median, found.p99] == pytest.approx([0.1, 0.1])


def test_many_wait_as_a_queue_of_equal_services_does() -> None:
    """M/D/1: the mean wait is S + S rho / 2(1 - rho); many people who pause long are nearly a Poisson stream."""
    people, pause, service = 700, 10.0, 0.01
    habits = Habits(objects=1, clicks=10**9, pause=pause, turn=pause, encodes_ahead=False, network=0.0)
    found = simulate(people, 1, Times(0.0, service, service), habits, seconds=2_000)
    assert found.busy == pytest.approx(people * service / (pause + service), rel=0.03)
    assert found.answers == pytest.approx(0.9 * 2_000 * people / pause, rel=0.03)
    assert service < found.median < service + service * found.busy / (2 * (1 - found.busy)) < found.p95


def test_more_replicas_move_only_their_share() -> None:
    keys = [f"picture {number}" for number in range(2_000)]
    before, after = ring(4), ring(5)
    moved = [key for key in keys if before(key) != after(key)]
    assert 0.1 < len(moved) / len(keys) < 0.3
    assert {after(key) for key in moved} == {4}
