"""Tracking a video for a program, beside all that persons did with it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from decoder import PromptError
from web.video_export import VideoExport, run_video_export
from web.video_library import open_one
from web.video_records import VideoObject
from web.video_saying import say
from web.video_tracking import VideoTracking, plan
from web.video_wire import Message

if TYPE_CHECKING:
    from decoder.models import Model


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
        PromptError: If there is nothing to follow.
        VideoError: If the video cannot be read.
    """
    if not prompts:
        raise PromptError("there is no prompt, wanted one for each object at least")
    with tempfile.TemporaryDirectory(prefix="clickmask-") as place:
        opened = open_one(path, Path(place) / "once.db")
        for prompt in prompts:
            say(opened, {"frame": 0, **prompt, "revision": opened.store.revision}, model)
            name = str(prompt.get("name", "object"))
            opened.store.write_object(VideoObject(int(prompt["object"]), name), opened.store.revision)
        tracking.run(opened, plan(opened, "both", 0), lambda *_done, **_found: None)
        request = VideoExport(str(path), str(opened.store.file), str(exports), file_format)
        return Path(run_video_export(request, lambda _done, _total: None)["path"])
