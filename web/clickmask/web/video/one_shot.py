"""Tracking a video for a program, beside all that persons did with it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from clickmask.decoder import PromptError
from clickmask.web.video.export import VideoExport, check_request, run_video_export
from clickmask.web.video.library import open_one
from clickmask.web.video.messages import Message
from clickmask.web.video.prompts import say
from clickmask.web.video.records import VideoObject
from clickmask.web.video.tracking import VideoTracking, plan

if TYPE_CHECKING:
    from clickmask.decoder import Model


def track_once(
    path: Path,
    prompts: Sequence[Message],
    file_format: str,
    *,
    model: Future[Model],
    tracking: VideoTracking,
    exports: Path,
) -> Path:
    """Track a video both ways in a project of its own, and return the exported file.

    Args:
        path: The file or folder.
        prompts: What ``say`` takes, each with an ``object``, and a ``name`` if wanted.
        file_format: See ``VideoExport``.
        model: The model, possibly still loading.
        tracking: Whose turns are taken.
        exports: The folder for the file.

    Raises:
        DatasetError: If the format is unknown.
        PromptError: If there is nothing to follow, or a prompt is malformed.
        VideoError: If the video cannot be read.
    """
    if not prompts:
        raise PromptError("there is no prompt, wanted one for each object at least")
    with tempfile.TemporaryDirectory(prefix="clickmask-") as place:
        store_file = Path(place) / "once.db"
        request = check_request(VideoExport(str(path), str(store_file), str(exports), file_format))
        opened = open_one(path, store_file)
        for prompt in prompts:
            item = _object(prompt)
            say(opened, {"frame": 0, **prompt, "revision": opened.store.revision}, model)
            opened.store.write_object(item, opened.store.revision)
        if opened.frame_count > 1:
            tracking.run(opened, plan(opened, "both", 0), lambda *_done, **_found: None)
        return Path(run_video_export(request, lambda _done, _total: None)["path"])


def _object(prompt: Message) -> VideoObject:
    try:
        return VideoObject(int(prompt["object"]), str(prompt.get("name", "object")))
    except (KeyError, TypeError, ValueError) as error:
        raise PromptError(f"the prompt is {prompt!r}, wanted a number as its object") from error
