"""How many replicas do so many annotators need? A discrete-event simulation, fed by measured times.

    python -m benchmarks.scale                        # 1,000 annotators, nano on cores, SAM 2 tiny on H200s
    python -m benchmarks.scale --annotators 50

Measured: the times of ``MEASURED``. Assumed: how people work (``Habits``) and the network. Computed: what is printed.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

VIRTUAL_NODES = 100  # of each replica, as its router has


@dataclass(frozen=True, slots=True)
class Times:
    """What one replica takes [s].

    Args:
        encode: For a picture.
        first_click: For the first click on an object, its second look included.
        further_click: For each that follows.
    """

    encode: float
    first_click: float
    further_click: float


MEASURED = {  # docs/benchmarks.md, docs/scale.md
    "nano, one core": Times(0.048, 0.096, 0.040),
    "SAM 2.1 tiny, one H200": Times(0.0116, 0.0033, 0.0033),
}


@dataclass(frozen=True, slots=True)
class Habits:
    """How people work: assumptions.

    Args:
        objects: Of a picture.
        clicks: Of an object.
        pause: Between two clicks, on average [s]; exponential.
        turn: Between two pictures, on average [s]; exponential.
        encodes_ahead: Whether the next picture is encoded while a person works on one, as the backend does.
        network: There and back, apart from the replica [s].
    """

    objects: int = 8
    clicks: int = 3
    pause: float = 2.0
    turn: float = 5.0
    encodes_ahead: bool = True
    network: float = 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    """What people would feel.

    Args:
        median: Of the wait for an answer [s].
        p95: 95 of 100 answers come sooner [s].
        p99: 99 of 100 do [s].
        busy: Share of the time the replicas work, on average, in [0, 1].
        busiest: That of the busiest.
        answers: How many clicks were answered.
    """

    median: float
    p95: float
    p99: float
    busy: float
    busiest: float
    answers: int


def simulate(
    annotators: int, replicas: int, times: Times, habits: Habits | None = None, *, seconds: float = 600.0, seed: int = 0
) -> Outcome:
    """Let people work for a while; each picture belongs to one replica, which does one thing after the other.

    Batches are left out: a replica that decodes several clicks at once is no slower than this.

    Args:
        annotators: How many people.
        replicas: How many there are.
        times: What a replica takes.
        habits: How people work.
        seconds: How long; the first tenth is not counted.
        seed: Of the chances.
    """
    habits = habits or Habits()
    chance = random.Random(seed)
    home = ring(replicas)
    free = [0.0] * replicas  # when each has done what it was given
    work = [0.0] * replicas
    waits: list[float] = []
    order = count()
    events: list[tuple[float, int, int, int, int]] = []  # when, order, who, picture of theirs, click of that picture
    for person in range(annotators):
        heapq.heappush(events, (chance.uniform(0, habits.turn + habits.pause), next(order), person, 0, 0))

    def ask(replica: int, now: float, takes: float) -> float:
        """Give a replica something to do; when it is done."""
        free[replica] = max(free[replica], now) + takes
        work[replica] += takes
        return free[replica]

    while events and events[0][0] < seconds:
        now, _, person, picture, click = heapq.heappop(events)
        here = home(f"{person} {picture}")
        if click == 0 and not (habits.encodes_ahead and picture > 0):
            ask(here, now, times.encode)
        if click == 0 and habits.encodes_ahead:
            ask(home(f"{person} {picture + 1}"), now, times.encode)
        is_first = click % habits.clicks == 0
        done = ask(here, now, times.first_click if is_first else times.further_click)
        if now > seconds / 10:
            waits.append(done - now + habits.network)
        is_last = click + 1 == habits.objects * habits.clicks
        pause = chance.expovariate(1 / (habits.turn if is_last else habits.pause))
        following = (picture + 1, 0) if is_last else (picture, click + 1)
        heapq.heappush(events, (done + habits.network + pause, next(order), person, *following))
    median, p95, p99 = np.percentile(waits, [50, 95, 99])
    shares = [min(1.0, total / seconds) for total in work]
    return Outcome(float(median), float(p95), float(p99), sum(shares) / replicas, max(shares), len(waits))


def ring(replicas: int) -> Callable[[str], int]:
    """Consistent hashing as the router does it: each replica at many places of a ring."""
    places = sorted(
        (_hash(f"{replica}:{node}"), replica) for replica in range(replicas) for node in range(VIRTUAL_NODES)
    )
    hashes = [place for place, _ in places]
    return lambda key: places[bisect.bisect_right(hashes, _hash(key)) % len(places)][1]


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def fewest_replicas(annotators: int, times: Times, longest_p95: float, habits: Habits | None = None) -> int:
    """The fewest replicas whose answers come soon enough."""
    low, high = 0, 1
    while simulate(annotators, high, times, habits).p95 > longest_p95:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if simulate(annotators, middle, times, habits).p95 > longest_p95:
            low = middle
        else:
            high = middle
    return high


def main() -> None:
    """Print a table for each kind of replica."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotators", type=int, default=1_000)
    parser.add_argument("--p95", type=float, default=0.3, help="longest wait of 95 of 100 answers [s]")
    arguments = parser.parse_args()
    for name, times in MEASURED.items():
        fewest = fewest_replicas(arguments.annotators, times, arguments.p95)
        print(f"{arguments.annotators} annotators, {name}: {fewest} replicas answer 95 of 100 within {arguments.p95} s")
        for replicas in sorted({max(1, fewest // 2), fewest, fewest + 1, round(1.5 * fewest)}):
            found = simulate(arguments.annotators, replicas, times)
            print(
                f"  {replicas:3} replicas: median {found.median:.3f} s, p95 {found.p95:.3f}, p99 {found.p99:.3f}, "
                f"busy {found.busy:.2f}, the busiest {found.busiest:.2f}, {found.answers} answers"
            )


if __name__ == "__main__":
    main()
