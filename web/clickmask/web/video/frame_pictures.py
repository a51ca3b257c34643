"""A video's frames as JPEG for the page, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import cv2

from clickmask.decoder import Cache, ClickMaskError, VideoError
from clickmask.decoder.video import Frame, Video, open_video

QUALITY = 88  # of the JPEG; masks are never made from it
THUMBNAIL_PX = 160
KEPT_BYTES = 48 * 2**20  # of JPEGs, for going back and forth


class FramePictures:
    """The frames of one video, for any number of threads.

    Going forward continues to decode where the last request stopped; going anywhere else
    starts at the key frame before. A small number of pictures is kept.
    """

    def __init__(self, video: Video) -> None:
        self._video = video
        self._lock = Lock()
        self._coming: Iterator[Frame] = iter(())
        self._next = -1
        self._kept: Cache[tuple[int, int], bytes] = Cache(KEPT_BYTES, len)

    def read(self, frames: range, longest: int) -> list[bytes]:
        """The JPEGs of consecutive frames, made smaller if a side is longer than ``longest`` [px].

        Raises:
            VideoError: If the file is gone, or broken where a frame is wanted.
        """
        with self._lock:
            return [self._picture(index, longest) for index in frames]

    def close(self) -> None:
        """Forget all pictures and stop decoding."""
        with self._lock:
            self._coming = iter(())
            self._next = -1
            self._kept.clear()

    def _picture(self, index: int, longest: int) -> bytes:
        return self._kept.get((index, longest), lambda: _jpeg(self._decode(index), longest))[0]

    def _decode(self, index: int) -> Frame:
        if index != self._next:
            end = self._video.frame_count
            assert end is not None  # files and folders know
            self._coming = self._video.frames(range(index, end))
        self._next = -1  # whatever goes wrong, the next request starts anew
        frame = next(self._coming, None)
        if frame is None or frame.index != index:
            raise VideoError(f"frame {index} cannot be decoded: the video is broken there")
        self._next = index + 1
        return frame


def first_picture(path: Path) -> bytes | None:
    """The first frame of a video as a small JPEG; None if it cannot be had."""
    try:
        return FramePictures(open_video(path)).read(range(1), THUMBNAIL_PX)[0]
    except ClickMaskError:
        return None


def _jpeg(frame: Frame, longest: int) -> bytes:
    image = frame.image[..., ::-1]  # OpenCV writes BGR
    share = longest / max(image.shape[:2])
    if share < 1:
        size = (max(1, round(image.shape[1] * share)), max(1, round(image.shape[0] * share)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data)
