"""Long work in the background: start it, watch it, stop it."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

from clickmask.decoder import ClickMaskError

log = logging.getLogger(__name__)
KEPT_JOBS = 50


class CancelledError(Exception):
    """Raised inside a job when a person stopped it."""


class Job:
    """One piece of work; everything a watcher sees is in ``message``."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._seen: dict[str, Any] = {"state": "running", "done": 0, "total": 0}

    def report(self, done: int, total: int, **found: Any) -> None:
        """Say how far the work is; ``found`` is handed to the watcher as it is.

        Raises:
            CancelledError: If the job was stopped.
        """
        if self._stop.is_set():
            raise CancelledError
        self._update(done=done, total=total, **found)

    def report_share(self, share: float) -> None:
        """Say how far the work is, as a share in [0, 1].

        Raises:
            CancelledError: If the job was stopped.
        """
        self.report(round(100 * share), 100)

    def stop(self) -> None:
        """Ask the job to end at its next report."""
        self._stop.set()

    def message(self) -> dict[str, Any]:
        """State, progress, and result or error so far."""
        with self._lock:
            return dict(self._seen)

    def run(self, work: Callable[[Job], dict[str, Any]]) -> None:
        """Do the work and keep its outcome."""
        try:
            self._update(result=work(self), state="done")
        except CancelledError:
            self._update(state="cancelled")
        except ClickMaskError as error:
            self._update(state="failed", error=str(error))
        except Exception as error:
            log.exception("a background job failed")
            self._update(state="failed", error=f"unexpected problem, see the server's log: {error!r}")

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self._seen.update(changes)


class Jobs:
    """The jobs of a server; old ones are forgotten."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(self, work: Callable[[Job], dict[str, Any]]) -> str:
        """Begin the work in a thread of its own and return the job's name."""
        job = Job()
        with self._lock:
            name = uuid.uuid4().hex[:12]  # a page that asks after a restart must not get another's job
            self._jobs[name] = job
            for old in list(self._jobs)[:-KEPT_JOBS]:
                del self._jobs[old]
        threading.Thread(target=job.run, args=(work,), name=f"job-{name}", daemon=True).start()
        return name

    def job(self, name: str) -> Job:
        """The job of this name.

        Raises:
            ClickMaskError: If there is none, for example after a restart of the server.
        """
        with self._lock:
            found = self._jobs.get(name)
        if found is None:
            raise ClickMaskError(f"there is no job {name}: the server was restarted, start it again")
        return found
