"""Which picture of a video Label Studio shows on which of its frames.

Label Studio knows no pictures, only time: frame ``n`` (from 1) is what the browser shows at
``(n - 1) / framerate``, by the label config's framerate, whatever the video's own is. So frames
are found by time, and a wrong framerate or one that varies moves no box.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clickmask.plugin.protocol.task_values import task_value

DEFAULT_RATE = 24.0  # Label Studio's own
_BROWSER_STEP = 0.002  # [s]; the page seeks this much behind a frame's beginning, as browsers round times to it


@dataclass(frozen=True, slots=True)
class Clock:
    """The frames of one video on one project's page.

    Args:
        rate: Label Studio's frames per second.
        seconds: When each picture of the video is shown, from 0 on [s].
        duration: Of the video [s].

    Example:
        >>> clock = Clock(rate=10.0, seconds=(0.0, 0.04, 0.08, 0.12, 0.16), duration=0.2)
        >>> clock.frame_count, clock.picture(1), clock.picture(2)
        (2, 0, 2)
    """

    rate: float
    seconds: tuple[float, ...]
    duration: float

    @property
    def frame_count(self) -> int:
        """How many frames the page counts."""
        return max(round(self.duration * self.rate), 1)

    def picture(self, frame: int) -> int:
        """The picture, from 0, that the page shows on a frame, from 1; the nearest one beyond the ends."""
        shown_at = (frame - 1) / self.rate + _BROWSER_STEP
        return max(bisect_right(self.seconds, shown_at) - 1, 0)


def read_rate(text: str, data: Mapping[str, Any]) -> float:
    """Read the framerate of a Video tag as the page does: a number, or where the task's data has one (``$fps``).

    Example:
        >>> read_rate("$fps", {"fps": 29.97}), read_rate("0.04", {}), read_rate("", {})
        (29.97, 25.0, 24.0)
    """
    value = task_value(text, data)
    try:
        rate = float(value)
    except (TypeError, ValueError):
        return DEFAULT_RATE
    if not 0 < rate < math.inf:
        return DEFAULT_RATE
    return 1 / rate if rate < 1 else rate  # the page takes what is below 1 for the seconds of one frame
