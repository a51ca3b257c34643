"""Runs of the tracker in the background: what is missing is planned, followed, and written frame by frame.

Videos share the device a frame at a time, and a run never holds up clicks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any

from decoder import ClickMaskError, PromptError
from web.jobs import Jobs
from web.video_library import OpenVideo
from web.video_plan import Basis, Leg, plan_all, plan_from
from web.video_records import Direction, Found, Track
from web.video_run import follow, frames_to_do, taking_turns
from web.video_timeline import Cell, fresh_cell

if TYPE_CHECKING:
    from decoder.models import Model
    from decoder.track.tracker import Step

WAYS: Mapping[str, Direction | None] = {"both": None, "forward": 1, "backward": -1}


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
        legs = plan(opened, way, frame)
        if opened.job is not None and self.running(opened):
            self._jobs.job(opened.job).stop()
        opened.job = self._jobs.start(lambda job: self.run(opened, legs, job.report))
        return {"job": opened.job, "total": frames_to_do(legs)}

    def running(self, opened: OpenVideo) -> str | None:
        """The name of the run under way, if there is one."""
        if opened.job is None:
            return None
        try:
            return opened.job if self._jobs.job(opened.job).message()["state"] == "running" else None
        except ClickMaskError:
            return None  # so long ago that it is forgotten

    def run(self, opened: OpenVideo, legs: Sequence[Leg], report: Callable[..., None]) -> dict[str, Any]:
        """Follow a plan to its end; ``report`` gets the frames done, those to do, and the timeline's new cells."""
        total, cells = frames_to_do(legs), list[Cell]()
        while not opened.tracking.acquire(timeout=0.1):  # the run before this one is still ending
            report(0, total, cells=cells)
        try:
            prompts = opened.store.prompts()
            legs = [leg for leg in legs if leg.object in prompts]
            model = self._model.result()
            memories = {}
            for leg in legs:
                asked = sorted(prompts[leg.object].items())
                memories[leg.object] = [opened.answer(model, leg.object, frame, prompt)[0] for frame, prompt in asked]
                report(0, total, cells=cells)
            bases = {leg.object: Basis(prompts[leg.object]) for leg in legs}
            steps = taking_turns(follow(opened.tracker(model), legs, memories), self.turn)
            for done, (direction, step) in enumerate(steps, start=1):
                tracks = _tracks(step, direction, bases)
                opened.store.write_tracks(tracks)
                cells += map(fresh_cell, tracks)
                report(done, total, cells=cells, frame=step.frame)
        finally:
            opened.tracking.release()
        return {"frames": total}


def plan(opened: OpenVideo, way: str, frame: int) -> list[Leg]:
    """What there is to follow: ``way`` is both (all that is missing or outdated), forward or backward from a frame.

    Raises:
        PromptError: If there is nothing to follow.
    """
    if way not in WAYS:
        raise PromptError(f"the way is {way!r}, wanted one of {', '.join(WAYS)}")
    prompts = opened.store.prompts()
    if not any(not prompt.absent for asked in prompts.values() for prompt in asked.values()):
        raise PromptError("there is no object to follow yet: click one first")
    legs: list[Leg] = []
    for object_id, asked in prompts.items():
        passed, direction = opened.store.passed(object_id), WAYS[way]
        if direction is None:
            legs += plan_all(object_id, asked, passed, opened.frame_count)
        else:
            legs += plan_from(object_id, asked, passed, opened.frame_count, frame, direction)
    if not legs:
        raise PromptError(
            "everything is tracked already: correct an object on a frame where it is wrong, then track again"
        )
    return legs


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
