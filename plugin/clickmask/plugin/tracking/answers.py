"""Video tasks: boxes that a person drew in, tracks out, whole or as far as they are known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

from clickmask.decoder import ClickMaskError
from clickmask.plugin.engines import Engines
from clickmask.plugin.errors import CancelledError, RequestError
from clickmask.plugin.files.locations import Location, locate
from clickmask.plugin.files.video_files import VideoFiles
from clickmask.plugin.projects.label_config import VideoTag
from clickmask.plugin.projects.projects import Project
from clickmask.plugin.protocol.replies import JsonObject, PendingReply, Reply, prediction, unprompted_reply
from clickmask.plugin.protocol.requests import PredictRequest
from clickmask.plugin.tracking.clock import read_rate
from clickmask.plugin.tracking.follow import Track, TrackKey, follow, video_clock
from clickmask.plugin.tracking.queue import Owner, TrackingQueue
from clickmask.plugin.tracking.video import DrawnObject, Known, read_objects, with_note, write_region

Task = Mapping[str, Any]
Tags = Mapping[str, VideoTag]
MOST_OBJECTS = 100  # per request

_AGAIN = "pick another label and this one again for the rest"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Asked:
    """Objects of one task that are being tracked.

    Args:
        objects: What a person drew.
        tracks: One per object.
    """

    objects: tuple[DrawnObject, ...]
    tracks: tuple[Track, ...]

    def unfinished(self) -> list[Future[None]]:
        """What is still to be waited for."""
        return [track.ended for track in self.tracks if not track.ended.done()]

    def is_whole(self) -> bool:
        """Whether every object was followed to its end."""
        return all(track.ended.done() and track.ended.exception() is None for track in self.tracks)

    def regions(self) -> list[JsonObject]:
        """The tracks as far as they are known, in place of what was drawn.

        Raises:
            ClickMaskError: If an object could not be tracked at all.
        """
        return [_region(drawn, track) for drawn, track in zip(self.objects, self.tracks, strict=True)]

    def score(self) -> float:
        """Mean of the objects' scores, in [0, 1]."""
        return fmean(track.score() for track in self.tracks) if self.tracks else 0.0

    def status(self) -> JsonObject:
        """How far it is, for the log and for programs that ask."""
        done, total = (min(count(track) for track in self.tracks) for count in (Track.done, Track.pictures))
        state = "done" if self.is_whole() else "running" if self.unfinished() else "stopped"
        return {"state": state, "objects": len(self.objects), "pictures": f"{done}/{total or '?'}"}


class VideoAnswers:
    """Answers video tasks for all projects and people of a process."""

    def __init__(self, engines: Engines, files: VideoFiles, queue: TrackingQueue, seconds: float) -> None:
        self._seconds = seconds
        self._engines = engines
        self._files = files
        self._queue = queue

    def answer(self, request: PredictRequest, tags: Tags, project: Project, version: str) -> Reply | PendingReply:
        """Answer /predict: begin to track what a person drew, as far as it is not known; never waits.

        Raises:
            BusyError: If too many videos wait already.
            RequestError: If a region is malformed or on no video of the config, or the task has no such video.
            RefusedError: If its address may not be read.
        """
        if request.context is None:
            return self._unprompted(request.tasks, tags, project, version)
        task = request.tasks[0]
        asked = self._begin(task, read_objects(request.context), tags, project, urgent=True)
        later = PendingReply(asked.unfinished(), partial(_prompted_reply, task, asked, version), self._seconds)
        return later if later.futures else later.reply()

    def _unprompted(self, tasks: Sequence[Task], tags: Tags, project: Project, version: str) -> Reply | PendingReply:
        """Answer for a task that is most likely being opened from what is finished; begin to track several tasks."""
        look = self.known if len(tasks) == 1 else self._begin_quietly
        asked = [look(task, tags, project) for task in tasks]
        later = PendingReply(
            [future for one in asked if one is not None for future in one.unfinished()],
            partial(_unprompted_reply, asked, version),
            self._seconds,
        )
        return later if later.futures else later.reply()

    def _begin_quietly(self, task: Task, tags: Tags, project: Project) -> Asked | None:
        """Begin to track a task's boxes; one that cannot be is left out, with a line in the log."""
        try:
            return self.begin(task, tags, project)
        except ClickMaskError as error:
            _log.warning("task %s: %s", task.get("id"), error)
            return None

    def prediction(self, task: Task, tags: Tags, project: Project, version: str) -> JsonObject:
        """Track a task's boxes to the end; a task that fails gets an empty result and a line in the log."""
        asked = self._begin_quietly(task, tags, project)
        if asked is None:
            return prediction([], 0.0, version)
        wait(asked.unfinished())
        try:
            return prediction(asked.regions(), asked.score(), version)
        except ClickMaskError as error:
            _log.warning("task %s: %s", task.get("id"), error)
            return prediction([], 0.0, version)

    def known(self, task: Task, tags: Tags, project: Project) -> Asked | None:
        """The tracks of a task's boxes if all of them are finished; begins nothing."""
        objects = untracked_objects(task)
        tracks = [self._queue.known(key) for _, key, _ in self._wanted(task, objects, tags, project)]
        asked = Asked(tuple(objects), tuple(track for track in tracks if track is not None))
        return asked if objects and len(asked.tracks) == len(objects) and asked.is_whole() else None

    def begin(self, task: Task, tags: Tags, project: Project) -> Asked | None:
        """Begin to track a task's boxes where nobody waits at the page; None if it has none.

        Raises:
            ClickMaskError: As ``answer``; other people's tracks keep half of the places.
        """
        objects = untracked_objects(task)
        return self._begin(task, objects, tags, project, urgent=False) if objects else None

    def close(self) -> None:
        """Stop tracking."""
        self._queue.close()

    def _begin(
        self, task: Task, objects: Sequence[DrawnObject], tags: Tags, project: Project, *, urgent: bool
    ) -> Asked:
        if len(objects) > MOST_OBJECTS:
            raise RequestError(f"got {len(objects)} boxes to track, wanted at most {MOST_OBJECTS}")
        wanted = self._wanted(task, objects, tags, project)
        tracks: dict[TrackKey, Track] = {}
        for location, rate in dict.fromkeys((location, key.rate) for _, key, location in wanted):
            pairs = [(owner, key) for owner, key, where in wanted if (where, key.rate) == (location, rate)]
            work = partial(self._work, location, project)
            found = self._queue.ask(pairs, work, name=f"task {task.get('id')}", urgent=urgent)
            tracks |= {track.key: track for track in found}
        return Asked(tuple(objects), tuple(tracks[key] for _, key, _ in wanted))

    def _wanted(
        self, task: Task, objects: Sequence[DrawnObject], tags: Tags, project: Project
    ) -> list[tuple[Owner, TrackKey, Location]]:
        """For every object whose it is, what is asked, and where its video is."""
        data = task.get("data")
        model = project.options.model or self._engines.default
        wanted: list[tuple[Owner, TrackKey, Location]] = []
        for drawn in objects:
            tag = _tag(drawn, tags)
            location = locate(task, tag.source, None, project.connection, what="video")
            rate = read_rate(tag.framerate, data if isinstance(data, Mapping) else {})
            backward = project.options.track == "both"
            key = TrackKey(location.key, model, rate, backward, drawn.keyframes)
            wanted.append(((project.id, task.get("id"), drawn.region.get("id")), key, location))
        return wanted

    def _work(
        self, location: Location, project: Project, tracks: Sequence[Track], before_frame: Callable[[], None]
    ) -> None:
        """Find tracks; runs in the queue's thread."""
        with self._files.open(location, project.connection) as video:
            engine = self._engines.wait(project.options.model)
            clock = video_clock(video, tracks[0].key.rate)
            for track in tracks:
                track.open(video.size, clock)
            follow(engine.model, video, tracks, before_frame)


def untracked_objects(task: Task) -> list[DrawnObject]:
    """The boxes of a task that nobody tracked: of its annotations, else of its drafts, else of its predictions."""
    for source in ("annotations", "drafts", "predictions"):
        entries = task.get(source)
        found = [
            drawn
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, Mapping) and not entry.get("was_cancelled") and isinstance(entry.get("result"), list)
            for drawn in read_objects(entry["result"])
            if not drawn.is_tracked
        ]
        if found:
            return found
    return []


def _prompted_reply(task: Task, asked: Asked, version: str) -> Reply:
    status = asked.status() if asked.objects else {"prompt": "none"}
    answer = prediction(asked.regions(), asked.score(), version) | {"tracking": status}
    return Reply({"results": [answer]}, {"task": task.get("id")} | status)


def _unprompted_reply(asked: Sequence[Asked | None], version: str) -> Reply:
    """What is finished."""
    return unprompted_reply(
        [prediction(one.regions(), one.score(), version) if one is not None and one.is_whole() else [] for one in asked]
    )


def _tag(drawn: DrawnObject, tags: Tags) -> VideoTag:
    name = drawn.region.get("to_name")
    tag = tags.get(name) if isinstance(name, str) else None
    if tag is None:
        raise RequestError(f"region {drawn.region.get('id')} is on {name!r}, wanted a video: {', '.join(tags)}")
    return tag


def _region(drawn: DrawnObject, track: Track) -> JsonObject:
    ended = track.ended.done()
    error = track.ended.exception() if ended else None
    if isinstance(error, CancelledError):  # the page asked anew meanwhile, and does not look at this answer
        return dict(drawn.region)
    progress = track.progress()
    boxes = progress.by_frame() if progress is not None else {}
    if error is not None and not boxes:
        raise error
    if progress is None or not boxes:
        return with_note(drawn.region, f"waits to be tracked; {_AGAIN}")
    note = ""
    if not ended:
        note = f"tracked on {track.done()} of {track.pictures()} pictures; {_AGAIN}"
    elif error is not None:
        note = f"tracked on {track.done()} of {track.pictures()} pictures, then: {error}"
    clock = progress.clock
    return write_region(drawn, Known(boxes, progress.size, clock.rate, clock.frame_count, track.score(), note))
