"""What the video page sends and gets: JSON on one side, values of the project on the other."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from clickmask.decoder import PromptError, Size, VideoError
from clickmask.decoder.shapes import rle_to_mask
from clickmask.web.browser_rle import mask_to_runs
from clickmask.web.video.records import Found, FramePrompt, VideoObject

Message = Mapping[str, Any]
MOST_FRAMES = 64  # in one answer


def read_frame_prompt(message: Message) -> FramePrompt | None:
    """What is said about an object on a frame: ``points`` [[x, y, positive]], ``box``, ``absent``; None if nothing.

    Raises:
        PromptError: If a number is missing or is no number.
    """
    try:
        points = tuple((float(x), float(y), bool(positive)) for x, y, positive in message.get("points") or ())
        box = message.get("box") or None
        if box is not None:
            x0, y0, x1, y1 = (float(value) for value in box)
            box = (x0, y0, x1, y1)
    except (TypeError, ValueError) as error:
        raise PromptError(f"points or box are malformed: {error}") from error
    absent = bool(message.get("absent", False))
    if absent:
        return FramePrompt(absent=True)
    return FramePrompt(points, box) if points or box else None


def objects_message(objects: Sequence[VideoObject]) -> list[dict[str, Any]]:
    """Objects as the page keeps them, each with the colour it has in every picture."""
    from clickmask.decoder.track import colour_of  # the page is up before PyTorch is

    return [{**asdict(item), "color": "#{:02x}{:02x}{:02x}".format(*colour_of(item.id))} for item in objects]


def found_runs(found: Found, size: Size) -> str:
    """The mask of an object as the page paints it."""
    return mask_to_runs(rle_to_mask(found.rle(size)))


def read_frames(message: Message, frame_count: int) -> range:
    """The ``count`` frames from ``start`` on that a page asks for.

    Raises:
        VideoError: If there are none such, or they are too many at once.
    """
    start, count = int(message["start"]), int(message.get("count", 1))
    if not (0 <= start < frame_count and 1 <= count <= MOST_FRAMES):
        raise VideoError(
            f"{count} frames from {start} are wanted: got a video of {frame_count}, and at most {MOST_FRAMES} at once"
        )
    return range(start, min(start + count, frame_count))


def data_url(data: bytes) -> str:
    """A JPEG as the page shows it."""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
