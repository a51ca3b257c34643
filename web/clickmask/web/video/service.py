"""What the video page asks for: plain dictionaries in, plain dictionaries out, no Gradio.

A request names its video; the server keeps everything about it on disk. Pages that look at the
same video share it, and one that was slower is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clickmask.decoder import VideoError
from clickmask.decoder.video import FolderVideo
from clickmask.web.jobs import Job, Jobs
from clickmask.web.photos.imports import free_name
from clickmask.web.photos.library import Library
from clickmask.web.video.export import StoredTracks, VideoExport, check_request, run_video_export, write_photos
from clickmask.web.video.frame_pictures import first_picture
from clickmask.web.video.imports import add_video_file, writable_folder
from clickmask.web.video.library import OpenVideo, VideoLibrary
from clickmask.web.video.messages import Message, data_url, found_runs, read_frames
from clickmask.web.video.one_shot import track_once
from clickmask.web.video.prompts import say
from clickmask.web.video.records import VideoObject
from clickmask.web.video.sample import make_sample_clip
from clickmask.web.video.timeline import work_message
from clickmask.web.video.tracking import VideoTracking

if TYPE_CHECKING:
    from clickmask.decoder import Model

Answer = dict[str, Any]
LONGEST_PX = 4096  # side of a picture for the page


class VideoService:
    """Everything the video page can do.

    Args:
        model: The model, possibly still loading; not the engine's faster form, which knows no memory.
        library: Knows which folders may be opened.
        jobs: The server's background work.
        file_url: Where the browser finds a file of this machine.
        photo: To make a sample clip of.
    """

    def __init__(
        self,
        model: Future[Model],
        library: Library,
        jobs: Jobs,
        *,
        file_url: Callable[[Path], str],
        photo: Path,
    ) -> None:
        self.videos = VideoLibrary(library)
        self.tracking = VideoTracking(model, jobs)
        self.jobs = jobs
        self._model = model
        self._library = library
        self.gate = library.gate
        self._file_url = file_url
        self._photo = photo
        self._thumbnail = lru_cache(maxsize=512)(_thumbnail)

    # videos

    def video_list(self, message: Message) -> Answer:
        """The videos in a folder, at any depth."""
        folder = self.gate.folder(message["folder"])
        entries = [{**asdict(entry), "path": str(entry.path)} for entry in self.videos.entries(folder)]
        return {"folder": str(folder), "name": folder.name, "videos": entries}

    def video_thumbnail(self, message: Message) -> Answer:
        """The first frame, small; None if it cannot be had."""
        path = self.gate.video(message["video"])
        return {"url": self._thumbnail(path, path.stat().st_mtime_ns)}

    def video_add(self, message: Message) -> Answer:
        """Put an uploaded video into a folder, if it can be read."""
        folder = writable_folder(self._library, message["folder"])
        return {"video": str(add_video_file(folder, self.gate.upload(message["path"]), str(message["name"])))}

    def video_sample(self, message: Message) -> Answer:
        """Make a short clip to try things out."""
        return {"video": str(make_sample_clip(writable_folder(self._library, message["folder"]), self._photo))}

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
            "job": self.tracking.running(opened),
            **work_message(opened),
        }

    def video_work(self, message: Message) -> Answer:
        """Objects, prompts and timeline, as they are now."""
        return work_message(self._opened(message))

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
        return say(self._opened(message), message, self._model)

    def video_object(self, message: Message) -> Answer:
        """Add, rename, remove or bring back an object."""
        opened = self._opened(message)
        item = VideoObject(int(message["object"]), str(message["name"]), bool(message.get("removed", False)))
        revision = opened.store.write_object(item, int(message["revision"]))
        return {**work_message(opened), "revision": revision}

    def video_history(self, message: Message) -> Answer:
        """The latest changes, oldest first, to undo them after a reload."""
        return {"changes": self._opened(message).store.history()}

    # tracking

    def video_track(self, message: Message) -> Answer:
        """Begin to follow the objects: ``way`` is both, forward or backward (from ``frame``).

        Both does what is missing or outdated on all frames. A run under way is stopped first.
        """
        way, frame = str(message.get("way", "both")), int(message.get("frame", 0))
        return self.tracking.start(self._opened(message), way, frame)

    def video_progress(self, message: Message) -> Answer:
        """How far a run is, and the timeline's cells that are new since the ``seen`` first ones."""
        progress = self.jobs.job(str(message["job"])).message()
        cells = progress.get("cells", [])[int(message.get("seen", 0)) :]
        return {**progress, "cells": [list(cell) for cell in cells], "result": None}

    def track_once(self, path: Path, prompts: Sequence[Message], file_format: str) -> Path:
        """Track a video for a program, beside all that persons did with it, and return the exported file."""
        exports = self._library.home / "exports"
        return track_once(path, prompts, file_format, model=self._model, tracking=self.tracking, exports=exports)

    # export

    def video_export(self, message: Message) -> Answer:
        """Begin an export; the job's result names the file and where the browser finds it."""
        opened = self._opened(message)
        file_format = str(message.get("format", "youtube-vis"))
        if not opened.store.tracked_frames():
            raise VideoError("there is nothing to export yet: click an object and track it first")
        request = VideoExport(str(opened.path), str(opened.store.file), str(opened.exports), file_format)
        return {"job": self.jobs.start(partial(self._export, check_request(request)))}

    def video_to_photos(self, message: Message) -> Answer:
        """Begin to write ``every`` so many frames with their masks as a folder of photos beside the video.

        The job's result names the ``folder``, whose labels are read when it is opened.
        """
        opened, every = self._opened(message), int(message.get("every", 1))
        if every < 1:
            raise VideoError(f"every is {every}, wanted 1 or more")
        beside = writable_folder(self._library, opened.path.parent)
        return {"job": self.jobs.start(partial(self._to_photos, opened, beside, every))}

    def _to_photos(self, opened: OpenVideo, beside: Path, every: int, job: Job) -> Answer:
        folder = free_name(beside, f"{opened.path.stem}-frames")
        folder.mkdir()
        try:
            write_photos(StoredTracks(opened.store, opened.video, opened.path), folder, job.report, every)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return {"folder": str(folder)}

    def _export(self, request: VideoExport, job: Job) -> Answer:
        result = run_video_export(request, job.report)
        path = Path(result["path"])
        return {**result, "name": path.name, "url": self._file_url(path)}

    def _opened(self, message: Message) -> OpenVideo:
        return self.videos.open(str(message["video"]))


def _thumbnail(path: Path, version: int) -> str | None:
    del version  # part of the cache's key: a replaced file gets a new thumbnail
    picture = first_picture(path)
    return data_url(picture) if picture else None
