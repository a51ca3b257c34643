"""What the video page asks for: plain dictionaries in, plain dictionaries out, no Gradio.

A request names its video; the server keeps everything about it on disk. Pages that look at the
same video share it, and one that was slower is told. Tracking runs in the background, a frame of
one video at a time, and never holds up clicks.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from decoder import ClickMaskError, PromptError, VideoError
from decoder.track.video_file import FolderVideo, open_video
from web.incoming import free_name
from web.jobs import Job, Jobs
from web.library import Library
from web.video_export import VideoExport, check_request, run_video_export
from web.video_library import OpenVideo, VideoLibrary, allow_folder, open_one
from web.video_pictures import FramePictures
from web.video_plan import Basis, Leg, plan_all, plan_from
from web.video_records import Direction, Found, Track, VideoObject, prompt_message
from web.video_run import follow, frames_to_do, taking_turns
from web.video_sample import make_sample_clip
from web.video_wire import (
    Message,
    data_url,
    found_runs,
    lane_byte,
    lane_letter,
    objects_message,
    read_frame_prompt,
    read_frames,
)

if TYPE_CHECKING:
    from decoder.models import Model
    from decoder.track.tracker import Step

Answer = dict[str, Any]
Cell = tuple[int, int, str, int]  # frame, object, letter of the timeline, confidence in 1/255
LONGEST_PX = 4096  # side of a picture for the page
THUMBNAIL_PX = 160


class VideoService:
    """Everything the video page can do.

    Args:
        model: The model, possibly still loading; not the engine's faster form, which knows no memory.
        library: Knows which folders may be opened.
        jobs: The server's background work.
        file_url: Where the browser finds a file of this machine.
        uploaded: Checks that a path is that of an uploaded file.
        photo: To make a sample clip of.
    """

    def __init__(
        self,
        model: Future[Model],
        library: Library,
        jobs: Jobs,
        *,
        file_url: Callable[[Path], str],
        uploaded: Callable[[str], Path],
        photo: Path,
    ) -> None:
        self.videos = VideoLibrary(library)
        self._model = model
        self._library = library
        self._jobs = jobs
        self._file_url = file_url
        self._uploaded = uploaded
        self._photo = photo
        self._turn = Lock()
        self._thumbnail = lru_cache(maxsize=512)(_thumbnail)

    # videos

    def video_list(self, message: Message) -> Answer:
        """The videos in a folder, at any depth."""
        folder = self._library.allowed(message["folder"])
        entries = [{**asdict(entry), "path": str(entry.path)} for entry in self.videos.entries(folder)]
        return {"folder": str(folder), "name": folder.name, "videos": entries}

    def video_thumbnail(self, message: Message) -> Answer:
        """The first frame, small; None if it cannot be had."""
        path = Path(message["video"]).resolve()
        self._library.allowed(path if path.is_dir() else path.parent)
        return {"url": self._thumbnail(path, path.stat().st_mtime_ns) if path.exists() else None}

    def video_add(self, message: Message) -> Answer:
        """Copy an uploaded video into a folder, if it can be read."""
        folder = allow_folder(self._library, message["folder"])
        source, name = self._uploaded(message["path"]), Path(message["name"]).name
        try:
            open_video(source)
        except VideoError as error:
            raise VideoError(str(error).replace(str(source), name)) from error
        target = free_name(folder, name)
        try:
            source.replace(target)
        except OSError:
            _copy(source, target)
        return {"video": str(target)}

    def video_sample(self, message: Message) -> Answer:
        """Make a short clip to try things out."""
        return {"video": str(make_sample_clip(allow_folder(self._library, message["folder"]), self._photo))}

    def video_open(self, message: Message) -> Answer:
        """Everything about a video but pictures and masks."""
        opened = self._opened(message)
        video = opened.video
        return {
            "video": str(opened.path),
            "name": opened.path.name,
            "width": video.size.width,
            "height": video.size.height,
            "rate": video.rate,
            "frames": opened.frame_count,
            "is_folder": isinstance(video, FolderVideo),
            "labels": str(opened.store.file),
            "job": self._running_job(opened),
            **self._work(opened),
        }

    def video_work(self, message: Message) -> Answer:
        """Objects, prompts and timeline, as they are now."""
        return self._work(self._opened(message))

    def video_frames(self, message: Message) -> Answer:
        """Pictures of ``count`` frames from ``start`` on, as data URLs, no side longer than ``longest``."""
        opened = self._opened(message)
        frames = read_frames(message, opened.frame_count)
        longest = min(LONGEST_PX, max(16, int(message.get("longest", LONGEST_PX))))
        return {"start": frames.start, "urls": [data_url(data) for data in opened.pictures.read(frames, longest)]}

    def video_masks(self, message: Message) -> Answer:
        """Masks of ``count`` frames from ``start`` on: {frame: {object: runs}}; objects not seen are left out."""
        opened = self._opened(message)
        frames = read_frames(message, opened.frame_count)
        masks: dict[str, dict[str, str]] = {str(frame): {} for frame in frames}
        for frame, object_id, found, _ in opened.store.found(frames):
            if found.present:
                masks[str(frame)][str(object_id)] = found_runs(found, opened.video.size)
        return {"masks": masks}

    # objects and prompts

    def video_prompt(self, message: Message) -> Answer:
        """Say something about an object on a frame, or clear it (no points, no box, not absent); gives the mask."""
        return self._prompt(self._opened(message), message)

    def _prompt(self, opened: OpenVideo, message: Message) -> Answer:
        object_id, frame = int(message["object"]), int(message["frame"])
        if not 0 <= frame < opened.frame_count:
            raise VideoError(f"frame {frame} does not exist, wanted 0 to {opened.frame_count - 1}")
        prompt = read_frame_prompt(message)
        found = opened.answer(self._model.result(), object_id, frame, prompt)[1] if prompt else None
        revision = opened.store.write_prompt(object_id, frame, prompt, found, int(message["revision"]))
        shown = found or opened.store.tracked(object_id, frame)
        runs = found_runs(shown, opened.video.size) if shown and shown.present else None
        return {
            "revision": revision,
            "objects": objects_message(opened.store.objects()),
            "prompt": prompt_message(prompt),
            "runs": runs,
            "lane": self._lane(opened, object_id),
        }

    def video_object(self, message: Message) -> Answer:
        """Add, rename, remove or bring back an object."""
        opened = self._opened(message)
        item = VideoObject(int(message["object"]), str(message["name"]), bool(message.get("removed", False)))
        revision = opened.store.write_object(item, int(message["revision"]))
        return {**self._work(opened), "revision": revision}

    def video_history(self, message: Message) -> Answer:
        """The latest changes, oldest first, to undo them after a reload."""
        return {"changes": self._opened(message).store.history()}

    # tracking

    def video_track(self, message: Message) -> Answer:
        """Begin to follow the objects: ``way`` is both, forward or backward (from ``frame``).

        Both does what is missing or outdated on all frames. A run under way is stopped first.
        """
        opened = self._opened(message)
        legs = self._plan(opened, str(message.get("way", "both")), int(message.get("frame", 0)))
        if opened.job is not None and self._running_job(opened):
            self._jobs.job(opened.job).stop()
        opened.job = self._jobs.start(lambda job: self._track(opened, legs, job.report))
        return {"job": opened.job, "total": frames_to_do(legs)}

    def video_progress(self, message: Message) -> Answer:
        """How far a run is, and the timeline's cells that are new since the ``seen`` first ones."""
        progress = self._jobs.job(str(message["job"])).message()
        cells = progress.get("cells", [])
        seen = int(message.get("seen", 0))
        return {**progress, "cells": [list(cell) for cell in cells[seen:]], "result": None}

    def _plan(self, opened: OpenVideo, way: str, frame: int) -> list[Leg]:
        if way not in _WAYS:
            raise PromptError(f"the way is {way!r}, wanted one of {', '.join(_WAYS)}")
        prompts = opened.store.prompts()
        if not any(not prompt.absent for asked in prompts.values() for prompt in asked.values()):
            raise PromptError("there is no object to follow yet: click one first")
        legs: list[Leg] = []
        for object_id, asked in prompts.items():
            passed, direction = opened.store.passed(object_id), _WAYS[way]
            if direction is None:
                legs += plan_all(object_id, asked, passed, opened.frame_count)
            else:
                legs += plan_from(object_id, asked, passed, opened.frame_count, frame, direction)
        if not legs:
            raise PromptError(
                "everything is tracked already: correct an object on a frame where it is wrong, then track again"
            )
        return legs

    def track_once(self, path: Path, prompts: Sequence[Message], file_format: str) -> Path:
        """Track a video for a program, beside all that persons did with it, and return the exported file.

        Args:
            path: The file or folder.
            prompts: What ``video_prompt`` takes, each with an ``object``, and a ``name`` if wanted.
            file_format: See ``video_export``.
        """
        if not prompts:
            raise PromptError("there is no prompt, wanted one for each object at least")
        with tempfile.TemporaryDirectory(prefix="clickmask-") as place:
            opened = open_one(path, Path(place) / "once.db")
            for prompt in prompts:
                said = {"frame": 0, **prompt, "video": str(path), "revision": opened.store.revision}
                self._prompt(opened, said)
                name = str(prompt.get("name", "object"))
                opened.store.write_object(VideoObject(int(prompt["object"]), name), opened.store.revision)
            self._track(opened, self._plan(opened, "both", 0), lambda *_done, **_found: None)
            exports = str(self._library.home / "exports")
            request = VideoExport(str(path), str(opened.store.file), exports, file_format)
            return Path(run_video_export(request, lambda _done, _total: None)["path"])

    def _track(self, opened: OpenVideo, legs: Sequence[Leg], report: Callable[..., None]) -> Answer:
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
            steps = taking_turns(follow(opened.tracker(model), legs, memories), self._turn)
            for done, (direction, step) in enumerate(steps, start=1):
                tracks = _tracks(step, direction, bases)
                opened.store.write_tracks(tracks)
                cells += [
                    (t.frame, t.object, lane_letter(t.found.present, True), lane_byte(t.found.confidence))
                    for t in tracks
                ]
                report(done, total, cells=cells, frame=step.frame)
        finally:
            opened.tracking.release()
        return {"frames": total}

    def _running_job(self, opened: OpenVideo) -> str | None:
        """The name of the run under way, if there is one."""
        if opened.job is None:
            return None
        try:
            return opened.job if self._jobs.job(opened.job).message()["state"] == "running" else None
        except ClickMaskError:
            return None  # so long ago that it is forgotten

    # export

    def video_export(self, message: Message) -> Answer:
        """Begin an export; the job's result names the file and where the browser finds it."""
        opened = self._opened(message)
        file_format = str(message.get("format", "youtube-vis"))
        if not opened.store.tracked_frames():
            raise VideoError("there is nothing to export yet: click an object and track it first")
        request = check_request(VideoExport(str(opened.path), str(opened.store.file), _exports(opened), file_format))
        return {"job": self._jobs.start(partial(self._export, request))}

    def _export(self, request: VideoExport, job: Job) -> Answer:
        result = run_video_export(request, job.report)
        path = Path(result["path"])
        return {**result, "name": path.name, "url": self._file_url(path)}

    # the rest

    def _opened(self, message: Message) -> OpenVideo:
        return self.videos.open(str(message["video"]))

    def _work(self, opened: OpenVideo) -> Answer:
        prompts = opened.store.prompts()
        return {
            "revision": opened.store.revision,
            "objects": objects_message(opened.store.objects()),
            "prompts": {
                str(object_id): {str(frame): prompt_message(prompt) for frame, prompt in asked.items()}
                for object_id, asked in prompts.items()
            },
            "lanes": {str(item.id): self._lane(opened, item.id) for item in opened.store.objects() if not item.removed},
        }

    def _lane(self, opened: OpenVideo, object_id: int) -> Answer:
        """An object's line of the timeline: a letter and a confidence for each frame.

        Letters: ``.`` not tracked, ``s`` seen, ``l`` lost (capital: outdated), ``p`` a person pointed
        there, ``n`` a person said it is not there.
        """
        letters, confidence = ["."] * opened.frame_count, bytearray(opened.frame_count)
        prompts = opened.store.prompts().get(object_id, {})
        basis = Basis(prompts)
        for track in opened.store.passed(object_id):
            letters[track.frame] = lane_letter(track.present, basis.is_current(track))
            confidence[track.frame] = lane_byte(track.confidence)
        for frame, found in opened.store.answers(object_id).items():
            letters[frame] = "p" if found.present else "n"
            confidence[frame] = lane_byte(found.confidence)
        return {"letters": "".join(letters), "confidence": base64.b64encode(confidence).decode("ascii")}


_WAYS: Mapping[str, Direction | None] = {"both": None, "forward": 1, "backward": -1}


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


def _exports(opened: OpenVideo) -> str:
    folder = opened.store.file.parent
    return str((folder.parent if folder.name == "videos" else folder) / "exports")


def _copy(source: Path, target: Path) -> None:
    import shutil

    try:
        shutil.copyfile(source, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise VideoError(f"{target.name} cannot be added to {target.parent}: {error.strerror or error}") from error


def _thumbnail(path: Path, version: int) -> str | None:
    del version  # part of the cache's key: a replaced file gets a new thumbnail
    try:
        return data_url(FramePictures(open_video(path)).read(range(1), THUMBNAIL_PX)[0])
    except ClickMaskError:
        return None
