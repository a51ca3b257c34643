"""What the page knows of a video's objects: what was said where, and a lane of the timeline for each."""

from __future__ import annotations

import base64
from typing import Any

from clickmask.web.video.library import OpenVideo
from clickmask.web.video.messages import objects_message
from clickmask.web.video.plan import Basis
from clickmask.web.video.records import Track, prompt_message

Cell = tuple[int, int, str, int]  # frame, object, letter, confidence in 1/255


def work_message(opened: OpenVideo) -> dict[str, Any]:
    """Objects, prompts and timeline of a video, as they are now."""
    store = opened.store
    prompts = store.prompts()
    return {
        "revision": store.revision,
        "objects": objects_message(store.objects()),
        "prompts": {
            str(object_id): {str(frame): prompt_message(prompt) for frame, prompt in asked.items()}
            for object_id, asked in prompts.items()
        },
        "lanes": {str(item.id): lane_message(opened, item.id) for item in store.objects() if not item.removed},
    }


def lane_message(opened: OpenVideo, object_id: int) -> dict[str, Any]:
    """An object's line of the timeline: a letter and a confidence for each frame.

    Letters: ``.`` not tracked, ``s`` seen, ``l`` lost (capital: outdated), ``p`` a person pointed
    there, ``n`` a person said it is not there.
    """
    letters, confidence = ["."] * opened.frame_count, bytearray(opened.frame_count)
    prompts = opened.store.prompts().get(object_id, {})
    basis = Basis(prompts)
    for track in opened.store.passed(object_id):
        letters[track.frame] = _letter(track.present, basis.is_current(track))
        confidence[track.frame] = _byte(track.confidence)
    for frame, found in opened.store.answers(object_id).items():
        letters[frame] = "n" if frame in prompts and prompts[frame].absent else "p"
        confidence[frame] = _byte(found.confidence)
    return {"letters": "".join(letters), "confidence": base64.b64encode(confidence).decode("ascii")}


def fresh_cell(track: Track) -> Cell:
    """What a track that was just made changes in the timeline."""
    return track.frame, track.object, _letter(track.found.present, True), _byte(track.found.confidence)


def _letter(present: bool, current: bool) -> str:
    letter = "s" if present else "l"
    return letter if current else letter.upper()


def _byte(confidence: float) -> int:
    return round(255 * min(1.0, max(0.0, confidence)))
