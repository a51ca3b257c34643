"""Prometheus metrics of one backend, in a registry of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # [s]


class Metrics:
    """Counts and latencies; any number of threads may write."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "clickmask_requests", "Requests answered", ["route", "status"], registry=self._registry
        )
        self._errors = Counter("clickmask_errors", "Requests that failed", ["error"], registry=self._registry)
        self._steps = Histogram(
            "clickmask_step_seconds", "Time by step", ["step"], buckets=_BUCKETS, registry=self._registry
        )
        self._images = Counter(
            "clickmask_embedding_cache", "Clicks by whether the image was encoded", ["cache"], registry=self._registry
        )

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(route, str(status)).inc()
        self._steps.labels(f"request {route}").observe(seconds)

    def error(self, error: BaseException) -> None:
        """Count a failed request by the error's class."""
        self._errors.labels(type(error).__name__).inc()

    def embedding(self, *, was_cached: bool) -> None:
        """Count a click by whether its image was encoded before."""
        self._images.labels("hit" if was_cached else "miss").inc()

    def observe(self, step: str, milliseconds: float) -> None:
        """Count the time of one step."""
        self._steps.labels(step).observe(milliseconds / 1000)

    @contextmanager
    def step(self, step: str) -> Iterator[None]:
        """Measure one step."""
        start = perf_counter()
        try:
            yield
        finally:
            self.observe(step, 1000 * (perf_counter() - start))

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Show a number that is read whenever the metrics are asked for, such as the length of a queue."""
        Gauge(f"clickmask_{name}", about, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
