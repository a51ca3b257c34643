"""The rows of a video's project, as frozen values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from clickmask.decoder import Size
from clickmask.decoder.shapes import Rle

Direction = Literal[1, -1]  # forward or backward in time


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What must not change about a video while it has tracks."""

    width: int  # [px]
    height: int
    frames: int


@dataclass(frozen=True, slots=True)
class VideoObject:
    """Something to follow; ``name`` is its class. A removed one keeps its tracks, so that undo brings all back."""

    id: int
    name: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class FramePrompt:
    """What a person said about one object on one frame.

    Args:
        points: Clicks as (x [px], y [px], whether it belongs to the object), oldest first.
        box: (x0, y0, x1, y1) [px], or None.
        absent: The object is not in this frame; then there are no points and no box.
    """

    points: tuple[tuple[float, float, bool], ...] = ()
    box: tuple[float, float, float, float] | None = None
    absent: bool = False

    @property
    def key(self) -> str:
        """Equal for equal prompts only."""
        return hashlib.sha256(json.dumps(prompt_message(self)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Found:
    """Where an object is on one frame."""

    counts: str  # compressed COCO run lengths at the video's size
    confidence: float  # the network's own expectation, in [0, 1]
    present: bool

    def rle(self, size: Size) -> Rle:
        """The mask as COCO run lengths of a video of this size."""
        return {"size": [size.height, size.width], "counts": self.counts}


@dataclass(frozen=True, slots=True)
class Track:
    """An object that was followed to a frame.

    Args:
        object: Its id.
        frame: From 0.
        found: Where it is.
        direction: In which time ran.
        basis: Names the prompts that were passed on the way; tracks of other prompts are outdated.
    """

    object: int
    frame: int
    found: Found
    direction: Direction
    basis: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A track without its mask, to draw the timeline and to plan from."""

    frame: int
    confidence: float
    present: bool
    direction: Direction
    basis: str


def prompt_message(prompt: FramePrompt | None) -> dict[str, Any] | None:
    """A prompt as the page and the history keep it."""
    if prompt is None:
        return None
    return {
        "points": [list(point) for point in prompt.points],
        "box": list(prompt.box) if prompt.box else None,
        "absent": prompt.absent,
    }
