"""What a tracker needs of a video, and videos that are at hand as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import VideoError
from clickmask.decoder.prompts import Size

DEFAULT_RATE = 25.0  # frames per second, where nobody says


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video."""

    index: int  # from 0
    image: NDArray[np.uint8]  # (H, W, 3) RGB


class Video(Protocol):
    """Pictures in order, fetched when they are needed."""

    @property
    def size(self) -> Size:
        """Of every frame."""

    @property
    def rate(self) -> float:
        """Frames per second."""

    @property
    def frame_count(self) -> int | None:
        """How many frames there are; None if nobody knows."""

    def frames(self, indices: range) -> Iterator[Frame]:
        """Yield frames in the order of the range; ends early where the video does.

        Raises:
            VideoError: If a frame cannot be had.
        """


@dataclass(frozen=True, slots=True, eq=False)
class ArrayVideo:
    """Frames that are all in memory, or load when indexed."""

    images: Sequence[NDArray[np.uint8]]
    rate: float = DEFAULT_RATE

    @property
    def size(self) -> Size:
        """Of every frame."""
        return Size(*self.images[0].shape[:2])

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return len(self.images)

    def frames(self, indices: range) -> Iterator[Frame]:
        """Yield frames in the order of the range."""
        for index in indices:
            if 0 <= index < len(self.images):
                yield Frame(index, check_frame(self.images[index], self.size, index))


class LiveVideo:
    """Frames from a camera or a stream: each is seen once, the last one can be seen again."""

    def __init__(self, images: Iterable[NDArray[np.uint8]], rate: float = DEFAULT_RATE) -> None:
        """Wait for the first frame.

        Raises:
            VideoError: If there is none.
        """
        self._coming = iter(images)
        first = next(self._coming, None)
        if first is None:
            raise VideoError("the stream ended before its first frame")
        self._last = Frame(0, first)
        self._size = Size(*first.shape[:2])
        self.rate = rate

    @property
    def size(self) -> Size:
        """Of every frame."""
        return self._size

    @property
    def frame_count(self) -> None:
        """Nobody knows."""
        return None

    def frames(self, indices: range) -> Iterator[Frame]:
        """Yield frames as they come, from the last one seen on.

        Raises:
            VideoError: If a frame is asked for that has passed.
        """
        for index in indices:
            if index < self._last.index:
                raise VideoError(f"frame {index} of the stream has passed: wanted {self._last.index} or a later one")
            while self._last.index < index:
                image = next(self._coming, None)
                if image is None:
                    return
                self._last = Frame(self._last.index + 1, check_frame(image, self._size, self._last.index + 1))
            yield self._last


def check_frame(image: NDArray[np.uint8], size: Size, index: int) -> NDArray[np.uint8]:
    """Return the image if it is as large as the video's first.

    Raises:
        VideoError: If it is not.
    """
    got = Size(*image.shape[:2])
    if got != size:
        raise VideoError(f"frame {index} is {got}, wanted {size} like the first")
    return image
