"""Tracked boxes as a Label Studio video region: percent, frames from 1, as few keyframes as the promise allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clickmask.decoder.formats.label_studio.keyframes import LEAST_IOU, Keyframe, choose_keyframes
from clickmask.decoder.prompts import Box, Size


def to_video_rectangle(
    boxes: Mapping[int, Box | None],
    *,
    size: Size,
    rate: float,
    frame_count: int,
    region_id: str,
    from_name: str,
    to_name: str,
    labels: Sequence[str],
    least_iou: float = LEAST_IOU,
) -> dict[str, Any] | None:
    """Write one object's track.

    Args:
        boxes: By frame from 0, of consecutive frames, in pixels; None where the object is not seen.
        size: Of the video's frames.
        rate: Frames per second.
        frame_count: Of the whole video.
        region_id: Of the region; the same id replaces a drawn region.
        from_name: The VideoRectangle tag's name.
        to_name: The Video tag's name.
        labels: Of the object.
        least_iou: Between every box and what the player draws in its place.

    Returns:
        A result item, or None if the object is never seen.
    """
    keyframes = choose_keyframes(boxes, least_iou)
    if not keyframes:
        return None
    last = {keyframe.frame - 1 for keyframe in keyframes if not keyframe.seen}  # the player still shows what ends
    value = {
        "framesCount": frame_count,
        "duration": frame_count / rate,
        "sequence": [_sequence_item(it, size, rate, goes_on=it.frame not in last) for it in keyframes if it.seen],
        "labels": list(labels),
    }
    return {"id": region_id, "from_name": from_name, "to_name": to_name, "type": "videorectangle", "value": value}


def _sequence_item(keyframe: Keyframe, size: Size, rate: float, *, goes_on: bool) -> dict[str, Any]:
    box = keyframe.box
    return {
        "frame": keyframe.frame + 1,
        "time": (keyframe.frame + 1) / rate,
        "enabled": goes_on,
        "rotation": 0,
        "x": 100 * box.x0 / size.width,
        "y": 100 * box.y0 / size.height,
        "width": 100 * (box.x1 - box.x0) / size.width,
        "height": 100 * (box.y1 - box.y0) / size.height,
    }
