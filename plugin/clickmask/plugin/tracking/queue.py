"""Videos that wait to be tracked: one at a time on the device, clicks first, and what was found is kept.

A track is looked up by what was asked, never by who asked: a repeat costs nothing, and two people
who ask the same share the work.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

from clickmask.decoder import ClickMaskError
from clickmask.plugin.errors import BackendError, BusyError, CancelledError
from clickmask.plugin.priority import ClickPriority
from clickmask.plugin.tracking.follow import Track, TrackKey
from clickmask.plugin.work import Work

KEPT_PICTURES = 4_000_000  # of all tracks together, at 21 bytes each
_KEPT_OWNERS = 1_000
_REPORT_SECONDS = 10.0
_LAST_SECONDS = 5.0

Owner = tuple[object, ...]  # names the region that a track is for: project, task, region

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Job:
    """Tracks of one video that are found together.

    Args:
        name: For the log.
        tracks: What is to be found.
        work: Finds it; calls its argument before every picture, which raises where the job was cancelled.
        urgent: Whether a person waits.
    """

    name: str
    tracks: tuple[Track, ...]
    work: Callable[[Sequence[Track], Callable[[], None]], None]
    urgent: bool


class TrackingQueue:
    """Tracks by what was asked.

    Args:
        priority: Who waits for an answer; clicks have the right of way.
        most_waiting: Jobs that may wait; those that nobody waits for may take half of the places.
        kept_pictures: Old tracks are forgotten beyond so many pictures.
    """

    def __init__(self, priority: ClickPriority, most_waiting: int, kept_pictures: int = KEPT_PICTURES) -> None:
        self._priority = priority
        self._most_waiting = most_waiting
        self._kept_pictures = kept_pictures
        self._tracks: OrderedDict[TrackKey, Track] = OrderedDict()  # the most recently asked last
        self._owners: OrderedDict[Owner, TrackKey] = OrderedDict()
        self._wanted: Counter[TrackKey] = Counter()  # by how many owners
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._pictures_done = 0  # of ended jobs
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
        self._thread.start()

    def known(self, key: TrackKey) -> Track | None:
        """The track of a key if it was asked before."""
        with self._changed:
            return self._tracks.get(key)

    def ask(
        self,
        wanted: Sequence[tuple[Owner, TrackKey]],
        work: Callable[[Sequence[Track], Callable[[], None]], None],
        *,
        name: str,
        urgent: bool = True,
    ) -> list[Track]:
        """Give the tracks of all keys; those not known are put in the queue, and any may still be on its way.

        What an owner asked for before is given up, unless somebody else wants it too.

        Raises:
            BusyError: If too many wait already.
        """
        with self._changed:
            new = [key for key in dict.fromkeys(key for _, key in wanted) if key not in self._tracks]
            if new:
                self._check_place(urgent)
                tracks = tuple(Track(key) for key in new)
                self._tracks.update(zip(new, tracks, strict=True))
                self._waiting.append(Job(name, tracks, work, urgent))
                self._changed.notify_all()
            for owner, key in wanted:
                self._own(owner, key)
                self._tracks.move_to_end(key)
            found = [self._tracks[key] for _, key in wanted]
            self._tidy()
            return found

    def work(self) -> list[Work]:
        """The jobs that run or wait, in order."""
        with self._changed:
            jobs = [*([self._running] if self._running is not None else []), *self._waiting]
        return [_work(job, partial(self._give_up, job)) for job in jobs]

    def _give_up(self, job: Job) -> None:
        """End a job as if nobody wanted it any more; what was found until then is kept by nobody."""
        keys = {track.key for track in job.tracks}
        with self._changed:
            for owner, key in list(self._owners.items()):
                if key in keys:
                    self._release(self._owners.pop(owner))
            self._tidy()

    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    def running(self) -> int:
        """How many jobs are at work, 0 or 1."""
        return int(self._running is not None)

    def pictures_done(self) -> int:
        """How many pictures were looked at since the start, once for every object."""
        running = self._running
        return self._pictures_done + (0 if running is None else _done(running))

    def kept(self) -> int:
        """How many tracks are kept."""
        return len(self._tracks)

    def close(self) -> None:
        """Give up what runs and what waits."""
        with self._changed:
            self._closed = True
            abandoned = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for job in abandoned:
            _end(job, CancelledError("the backend was stopped"))
        self._thread.join(_LAST_SECONDS)

    def _check_place(self, urgent: bool) -> None:
        most = self._most_waiting if urgent else (self._most_waiting + 1) // 2
        if len(self._waiting) >= most:
            raise BusyError(f"{len(self._waiting)} videos wait to be tracked: try again in a few minutes")

    def _own(self, owner: Owner, key: TrackKey) -> None:
        """Note what an owner wants now instead of what it wanted before; the caller holds the lock."""
        self._wanted[key] += 1
        if owner in self._owners:
            self._release(self._owners.pop(owner))
        self._owners[owner] = key
        while len(self._owners) > _KEPT_OWNERS:
            self._release(self._owners.popitem(last=False)[1])

    def _release(self, key: TrackKey) -> None:
        self._wanted[key] -= 1
        if not self._wanted[key]:
            del self._wanted[key]

    def _is_wanted(self, job: Job) -> bool:
        """Whether any track of a job is somebody's; the caller holds the lock."""
        return any(track.key in self._wanted for track in job.tracks)

    def _tidy(self) -> None:
        """Forget the oldest tracks beyond the budget, and jobs that nobody wants; the caller holds the lock."""
        for job in [job for job in self._waiting if not self._is_wanted(job)]:
            self._waiting.remove(job)
            self._drop(job)
            _end(job, CancelledError("the boxes were changed since"))
        total = sum(track.pictures() for track in self._tracks.values())
        for key, track in list(self._tracks.items()):
            if total <= self._kept_pictures:
                return
            if track.ended.done():
                total -= track.pictures()
                del self._tracks[key]

    def _drop(self, job: Job) -> None:
        for track in job.tracks:
            if self._tracks.get(track.key) is track:
                del self._tracks[track.key]

    def _run(self) -> None:
        while (job := self._next()) is not None:
            start = monotonic()
            error = self._outcome(job)
            with self._changed:
                self._running = None
                self._pictures_done += _done(job)
                if error is not None:
                    self._drop(job)
            outcome = "done" if error is None else f"ended: {error}"
            pictures, seconds = _done(job) // len(job.tracks), monotonic() - start
            _log.info("tracking %s %s; %d pictures in %.1f s", job.name, outcome, pictures, seconds)
            _end(job, error)
            with self._changed:
                self._tidy()

    def _outcome(self, job: Job) -> Exception | None:
        """Do the work; the error that ended it, if any."""
        try:
            job.work(job.tracks, self._before_frame(job))
        except ClickMaskError as error:
            return error
        except Exception as error:
            _log.exception("tracking %s failed", job.name)
            return BackendError(f"tracking failed inside the backend, its log tells why: {type(error).__name__}")
        return None

    def _before_frame(self, job: Job) -> Callable[[], None]:
        reported = monotonic()

        def before_frame() -> None:
            nonlocal reported
            self._priority.give_way()
            with self._changed:
                if self._closed or not self._is_wanted(job):
                    self._drop(job)  # before anybody can ask for what is given up
                    raise CancelledError("the backend was stopped" if self._closed else "the boxes were changed since")
            if monotonic() - reported >= _REPORT_SECONDS:
                reported = monotonic()
                track = job.tracks[0]
                _log.info("tracking %s: %d of %d pictures", job.name, track.done(), track.pictures())

        return before_frame

    def _next(self) -> Job | None:
        """Wait for a job; the first that a person waits for, else the first. None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            job = next((job for job in self._waiting if job.urgent), self._waiting[0])
            self._waiting.remove(job)
            self._running = job
            return job


def _work(job: Job, cancel: Callable[[], None]) -> Work:
    """A job as a person sees it; all its tracks go through the same pictures."""
    track = job.tracks[0]
    objects = f"{len(job.tracks)} object{'s' * (len(job.tracks) > 1)}"
    return Work(f"track-{id(job)}", f"{job.name}: tracking {objects}", track.done(), track.pictures(), cancel)


def _done(job: Job) -> int:
    """How many pictures were looked at, once for every object."""
    return sum(track.done() for track in job.tracks)


def _end(job: Job, error: Exception | None) -> None:
    for track in job.tracks:
        track.end(error)
