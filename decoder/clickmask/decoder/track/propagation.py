"""What every way of tracking can do, whichever network it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.prompts import Prompt
from clickmask.decoder.segment import ImageEmbedding
from clickmask.decoder.track.memory import Direction, FrameMemory, MemoryBank

ContentT = TypeVar("ContentT")


@dataclass(frozen=True, slots=True, eq=False)
class FrameView:
    """One frame as the network sees it."""

    index: int
    image: NDArray[np.uint8]  # (H, W, 3) RGB
    embedding: Callable[[], ImageEmbedding]  # computed at most once, and only where it is asked for
    frame_count: int | None  # of the video, None if nobody knows


@dataclass(frozen=True, slots=True, eq=False)
class PromptedObject(Generic[ContentT]):
    """An object, all it left behind so far, and where a person points now."""

    bank: MemoryBank[ContentT]
    prompt: Prompt


class Propagation(Protocol[ContentT]):
    """A way of tracking: pure, every answer is a function of the arguments."""

    @property
    def reach(self) -> int:
        """Memories of frames further away than this are never looked at, prompted ones apart."""

    def encode(self, image: NDArray[np.uint8]) -> ImageEmbedding:
        """Encode a frame (H, W, 3) once for all objects."""

    def answer(self, view: FrameView, asked: PromptedObject[ContentT]) -> FrameMemory[ContentT]:
        """Answer a person's prompt on a frame; the prompt was checked."""

    def follow(
        self, view: FrameView, banks: Sequence[MemoryBank[ContentT]], direction: Direction
    ) -> list[FrameMemory[ContentT]]:
        """Find objects that nobody pointed at on this frame; one answer per bank, in order."""
