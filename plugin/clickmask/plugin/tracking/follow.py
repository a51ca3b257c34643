"""One object's way through a video, found frame by frame in the background while others look on."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from clickmask.decoder import Box, Model, Prompt, Size
from clickmask.decoder.shapes import rle_to_mask
from clickmask.decoder.track import TrackedMask, Tracker, TrackState, open_tracker
from clickmask.decoder.video import FileVideo
from clickmask.plugin.tracking.clock import Clock
from clickmask.plugin.tracking.video import SetKeyframe

_SPECK = 0.02  # of the area of a mask's largest part


@dataclass(frozen=True, slots=True)
class TrackKey:
    """All that a track depends on: the same key means the same track.

    Args:
        video: Names the video's content.
        model: A model name.
        rate: Label Studio's frames per second, by which keyframes are counted.
        backward: Whether the object is followed to the frames before the first keyframe too.
        keyframes: What a person set.
    """

    video: str
    model: str
    rate: float
    backward: bool
    keyframes: tuple[SetKeyframe, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a track is.

    Args:
        size: Of the pictures.
        clock: Of the video.
        boxes: By picture from 0, of all that were looked at [px]; None where the object is not seen.
    """

    size: Size
    clock: Clock
    boxes: Mapping[int, Box | None]

    def by_frame(self) -> dict[int, Box | None]:
        """The boxes by Label Studio's frames, from 1."""
        clock = self.clock
        pictures = {frame: clock.picture(frame) for frame in range(1, clock.frame_count + 1)}
        return {frame: self.boxes[picture] for frame, picture in pictures.items() if picture in self.boxes}


class Track:
    """What is found so far; one thread writes, any number may read.

    Args:
        key: What was asked.

    Attributes:
        ended: Done once nothing more will be found; holds the reason where that is an error.
    """

    def __init__(self, key: TrackKey) -> None:
        self.key = key
        self.ended: Future[None] = Future()
        self._lock = threading.Lock()
        self._size: Size | None = None
        self._clock: Clock | None = None
        self._rows = np.empty((0, 5), np.float32)  # box and score by picture; no numbers where the object is not seen
        self._looked = np.empty(0, bool)

    def open(self, size: Size, clock: Clock) -> None:
        """Say what the video is."""
        with self._lock:
            self._size, self._clock = size, clock
            self._rows = np.full((len(clock.seconds), 5), np.nan, np.float32)
            self._looked = np.zeros(len(clock.seconds), bool)

    def found(self, picture: int, box: Box | None, score: float) -> None:
        """Say where the object is on a picture, and how good its mask is expected to be."""
        with self._lock:
            self._looked[picture] = True
            self._rows[picture] = np.nan if box is None else (*box.xyxy, score)

    def done(self) -> int:
        """How many pictures were looked at."""
        return int(self._looked.sum())

    def pictures(self) -> int:
        """How many the video has, 0 as long as nobody knows; a track takes 21 bytes for each."""
        return len(self._looked)

    def progress(self) -> Progress | None:
        """All that is known; None before the video was opened."""
        with self._lock:
            size, clock, rows, looked = self._size, self._clock, self._rows.copy(), self._looked.copy()
        if size is None or clock is None:
            return None
        seen = ~np.isnan(rows[:, 0])
        found = {
            picture: Box(*rows[picture, :4].tolist()) if seen[picture] else None
            for picture in np.flatnonzero(looked).tolist()
        }
        return Progress(size, clock, found)

    def score(self) -> float:
        """Mean predicted IoU of the masks where the object is seen, in [0, 1]; 0 where it is not."""
        with self._lock:
            scores = self._rows[:, 4]
            seen = scores[~np.isnan(scores)]
        return float(seen.mean()) if len(seen) else 0.0

    def end(self, error: Exception | None = None) -> None:
        """Say that nothing more will be found, and why if that is an error."""
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


def follow(model: Model, video: FileVideo, tracks: Sequence[Track], before_frame: Callable[[], None]) -> None:
    """Find objects on every picture of a video: forward from their first keyframes, then backward.

    Objects that begin on the same picture are followed together, each frame encoded once for all.

    Args:
        model: The network.
        video: The opened video, which the tracks were told of.
        tracks: Of one video, rate and way.
        before_frame: Called before every picture; what it raises ends the work.

    Raises:
        VideoError: If a picture cannot be decoded.
        PromptError: If a keyframe's box lies outside of the picture.
    """
    tracker = open_tracker(model, video)
    clock = video_clock(video, tracks[0].key.rate)
    together: dict[int, list[Track]] = defaultdict(list)
    for track in tracks:
        together[clock.picture(track.key.keyframes[0].frame)].append(track)
    for first, group in together.items():
        state = _prompted(tracker, clock, group)
        last = max(_last_picture(track, clock) for track in group)
        _pass(tracker, state, range(first, last + 1), group, before_frame)
        if group[0].key.backward:
            _pass(tracker, state, range(first - 1, -1, -1), group, before_frame)


def video_clock(video: FileVideo, rate: float) -> Clock:
    """How a page of this framerate counts the video's frames."""
    seconds = video.seconds
    return Clock(rate, seconds, seconds[-1] + 1 / video.rate)


def _prompted(tracker: Tracker[Any], clock: Clock, tracks: Sequence[Track]) -> TrackState[Any]:
    state = tracker.start()
    for number, track in enumerate(tracks):
        for keyframe in track.key.keyframes:
            prompt = Prompt(box=keyframe.box(tracker.video.size))
            state = tracker.prompt(state, clock.picture(keyframe.frame), number, prompt).state
    return state


def _pass(
    tracker: Tracker[Any],
    state: TrackState[Any],
    pictures: range,
    tracks: Iterable[Track],
    before_frame: Callable[[], None],
) -> None:
    """Go through pictures one way."""
    numbered = dict(enumerate(tracks))
    steps = tracker.propagate(state, pictures)
    while True:
        before_frame()
        step = next(steps, None)
        if step is None:
            return
        for number, track in numbered.items():
            mask = step.masks[number]
            track.found(step.frame, _box(mask), mask.predicted_iou)


def _last_picture(track: Track, clock: Clock) -> int:
    """The last picture on which the object may be seen."""
    last = track.key.keyframes[-1]
    return len(clock.seconds) - 1 if last.goes_on else clock.picture(last.frame)


def _box(mask: TrackedMask) -> Box | None:
    """The box around a mask; specks far off, which would stretch it, do not count."""
    if not mask.present:
        return None
    pixels = rle_to_mask(mask.rle).astype(np.uint8)
    _, _, parts, _ = cv2.connectedComponentsWithStats(pixels)
    areas = parts[1:, cv2.CC_STAT_AREA]
    kept = parts[1:][areas >= _SPECK * areas.max()]
    x0, y0 = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    x1, y1 = x0 + kept[:, cv2.CC_STAT_WIDTH], y0 + kept[:, cv2.CC_STAT_HEIGHT]
    return Box(float(x0.min()), float(y0.min()), float(x1.max()), float(y1.max()))
