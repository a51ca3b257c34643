"""Engines by model name, loaded in threads of their own, so that the server answers from its first second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError

from clickmask.decoder import ClickEngine
from clickmask.plugin.errors import NotReadyError

LoadEngine = Callable[[str], ClickEngine]


class Engines:
    """The engines of one process.

    Args:
        load: Makes the engine of a model name; may take as long as it likes.
        default: The model of projects that name none.
        ready_seconds: How long ``get`` waits for a model that still loads.
    """

    def __init__(self, load: LoadEngine, default: str, ready_seconds: float) -> None:
        self.default = default
        self._load = load
        self._ready_seconds = ready_seconds
        self._futures: dict[str, Future[ClickEngine]] = {}
        self._lock = threading.Lock()

    def start(self, name: str = "") -> None:
        """Begin to load a model, the default one without a name; at once and only once."""
        self._future(name or self.default)

    def get(self, name: str = "") -> ClickEngine:
        """The engine of a model, the default one without a name; waits a while if it still loads.

        Raises:
            NotReadyError: If it is not ready in time, or could not be loaded.
        """
        name = name or self.default
        future = self._future(name)
        try:
            engine = future.result(timeout=self._ready_seconds)
        except FutureTimeoutError as error:
            raise NotReadyError(f"model {name} still loads: try again in a few seconds") from error
        except Exception as error:
            raise NotReadyError(f"model {name} cannot be loaded: {error}") from error
        return engine

    def wait(self, name: str = "") -> ClickEngine:
        """The engine of a model, however long it takes to load.

        Raises:
            NotReadyError: If it could not be loaded.
        """
        wait([self._future(name or self.default)])
        return self.get(name)

    def ready(self, name: str = "") -> ClickEngine | None:
        """The engine of a model if it is loaded; never waits."""
        future = self._futures.get(name or self.default)
        done = future is not None and future.done() and future.exception() is None
        return future.result() if future is not None and done else None

    def loaded(self) -> list[ClickEngine]:
        """All engines that are ready."""
        return [engine for name in list(self._futures) if (engine := self.ready(name)) is not None]

    def states(self) -> dict[str, str]:
        """For every model asked for: "loading", "ready", or why it could not be loaded."""
        return {name: _state(future) for name, future in list(self._futures.items())}

    def _future(self, name: str) -> Future[ClickEngine]:
        with self._lock:
            future = self._futures.get(name)
            if future is None or (future.done() and future.exception() is not None):  # try a failed model again
                future = self._futures[name] = Future()
                threading.Thread(target=self._fill, args=(name, future), name=f"load {name}", daemon=True).start()
            return future

    def _fill(self, name: str, future: Future[ClickEngine]) -> None:
        try:
            future.set_result(self._load(name))
        except Exception as error:  # kept in the future and told to whoever asks
            future.set_exception(error)


def _state(future: Future[ClickEngine]) -> str:
    if not future.done():
        return "loading"
    error = future.exception()
    return "ready" if error is None else str(error)
