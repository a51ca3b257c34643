"""Runs of the tracker in the background: what is missing is planned, followed, and written frame by frame.

Videos share the device a frame at a time, and a run never holds up clicks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from clickmask.decoder import ClickMaskError, PromptError
from clickmask.web.jobs import Jobs
from clickmask.web.video.library import OpenVideo
from clickmask.web.video.plan import Basis, Leg, Place, Prompts, plan_all, plan_back, plan_from
from clickmask.web.video.records import Direction, Found, Track
from clickmask.web.video.run import Stopped, follow, frames_to_do, taking_turns
from clickmask.web.video.timeline import Cell, fresh_cell

if TYPE_CHECKING:
    from clickmask.decoder import Model
    from clickmask.decoder.track import FrameMemory, Step

WAYS: Mapping[str, Direction | None] = {"both": None, "forward": 1, "backward": -1}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to follow, and what it was planned from."""

    legs: Sequence[Leg]
    prompts: Mapping[int, Prompts]  # by object
    stopped: Stopped | None


class VideoTracking:
    """Tracks videos, each by one thread at a time.

    Args:
        model: The model, possibly still loading.
        jobs: The server's background work.
    """

    def __init__(self, model: Future[Model], jobs: Jobs) -> None:
        self._model = model
        self._jobs = jobs
        self.turn = Lock()  # held for every frame that is tracked

    def start(self, opened: OpenVideo, way: str, frame: int) -> dict[str, Any]:
        """Begin to follow the objects of a video; a run under way is stopped first. See ``plan``."""
        planned = plan(opened, way, frame)
        if opened.job is not None and self.running(opened):
            self._jobs.job(opened.job).stop()
        opened.job = self._jobs.start(lambda job: self.run(opened, planned, job.report))
        return {"job": opened.job, "total": frames_to_do(planned.legs)}

    def running(self, opened: OpenVideo) -> str | None:
        """The name of the run under way, if there is one."""
        if opened.job is None:
            return None
        try:
            return opened.job if self._jobs.job(opened.job).message()["state"] == "running" else None
        except ClickMaskError:
            return None  # so long ago that it is forgotten

    def run(self, opened: OpenVideo, planned: Plan, report: Callable[..., None]) -> dict[str, Any]:
        """Follow a plan to its end; ``report`` gets the frames done, those to do, and the timeline's new cells."""
        total, cells = frames_to_do(planned.legs), list[Cell]()
        waiting = partial(report, 0, total, cells=cells)
        while not opened.tracking.acquire(timeout=0.1):  # the run before this one is still ending
            waiting()
        try:
            model = self._model.result()
            memories = {leg: _known_before(leg, planned, opened, model, waiting) for leg in planned.legs}
            bases = {leg.object: Basis(planned.prompts[leg.object]) for leg in planned.legs}
            steps = taking_turns(follow(opened.tracker(model), planned.legs, memories), self.turn)
            for done, (direction, step) in enumerate(steps, start=1):
                tracks = _tracks(step, direction, bases)
                opened.store.write_tracks(tracks)
                opened.stopped = Stopped(Place(step.frame, direction), step.state)
                cells += map(fresh_cell, tracks)
                report(done, total, cells=cells, frame=step.frame)
            opened.stopped = None
        finally:
            opened.tracking.release()
        return {"frames": total}


def plan(opened: OpenVideo, way: str, frame: int) -> Plan:
    """What there is to follow: ``way`` is both (all that is missing or outdated), forward or backward from a frame.

    If nothing is missing, both carries what was said on the frame back to the frames before it.

    Raises:
        PromptError: If there is nothing to follow.
    """
    if way not in WAYS:
        raise PromptError(f"the way is {way!r}, wanted one of {', '.join(WAYS)}")
    prompts, stopped = opened.store.prompts(), opened.stopped
    if not any(not prompt.absent for asked in prompts.values() for prompt in asked.values()):
        raise PromptError("there is no object to follow yet: click one first")
    legs: list[Leg] = []
    for object_id, asked in prompts.items():
        passed, direction = opened.store.passed(object_id), WAYS[way]
        place = stopped.place if stopped and object_id in stopped.state.banks else None
        if direction is None:
            legs += plan_all(object_id, asked, passed, opened.frame_count, place)
        else:
            legs += plan_from(object_id, asked, passed, opened.frame_count, frame, direction, place)
    if not legs and WAYS[way] is None:
        for object_id, asked in prompts.items():
            legs += plan_back(object_id, asked, opened.store.passed(object_id), frame)
    if not legs:
        raise PromptError(
            "everything is tracked already: correct an object on a frame where it is wrong, then track again; [ and ] "
            "follow from the frame that is shown"
        )
    return Plan(legs, prompts, stopped)


def _known_before(
    leg: Leg, planned: Plan, opened: OpenVideo, model: Model, waiting: Callable[[], None]
) -> list[FrameMemory[Any]]:
    """What the prompts of an object left behind, and the run that goes on; ``waiting`` is told before each prompt."""
    prompts = planned.prompts[leg.object]
    memories = []
    for frame in sorted(prompts):
        waiting()
        memories.append(opened.answer(model, leg.object, frame, prompts[frame])[0])
    if leg.start not in prompts:
        assert planned.stopped is not None  # there is no other start
        memories += planned.stopped.memories(leg.object)
    return memories


def _tracks(step: Step[Any], direction: Direction, bases: Mapping[int, Basis]) -> list[Track]:
    """What is worth keeping of a step: what a person pointed at is kept already."""
    return [
        Track(
            object=object_id,
            frame=step.frame,
            found=Found(str(mask.rle["counts"]), mask.predicted_iou, mask.present),
            direction=direction,
            basis=bases[object_id].of(step.frame, direction),
        )
        for object_id, mask in step.masks.items()
        if not mask.prompted
    ]
