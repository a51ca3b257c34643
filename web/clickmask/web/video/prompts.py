"""What is said about an object on a frame: answered with a mask, and kept."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from clickmask.decoder import VideoError
from clickmask.web.video.library import OpenVideo
from clickmask.web.video.messages import Message, found_runs, objects_message, read_frame_prompt
from clickmask.web.video.records import prompt_message
from clickmask.web.video.timeline import lane_message

if TYPE_CHECKING:
    from clickmask.decoder import Model


def say(opened: OpenVideo, message: Message, model: Future[Model]) -> dict[str, Any]:
    """Answer a prompt, or its end (no points, no box, not absent), and keep both.

    Raises:
        ConflictError: If the video was changed since the message's ``revision``.
        PromptError: If the prompt means nothing.
        VideoError: If there is no such frame.
    """
    object_id, frame = int(message["object"]), int(message["frame"])
    if not 0 <= frame < opened.frame_count:
        raise VideoError(f"frame {frame} does not exist, wanted 0 to {opened.frame_count - 1}")
    prompt = read_frame_prompt(message)
    found = opened.answer(model.result(), object_id, frame, prompt)[1] if prompt else None
    revision = opened.store.write_prompt(object_id, frame, prompt, found, int(message["revision"]))
    shown = found or opened.store.tracked(object_id, frame)
    return {
        "revision": revision,
        "objects": objects_message(opened.store.objects()),
        "prompt": prompt_message(prompt),
        "runs": found_runs(shown, opened.video.size) if shown and shown.present else None,
        "lane": lane_message(opened, object_id),
    }
