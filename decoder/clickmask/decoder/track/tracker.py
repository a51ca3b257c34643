"""The tracker: prompts and frames in, masks out; all it knows is in a state that is handed around.

Pause by stopping to iterate, resume from any state, undo by going back to an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Generic, TypeVar

from clickmask.decoder.cache import Cache, nbytes
from clickmask.decoder.errors import PromptError, VideoError
from clickmask.decoder.prompts import Prompt, Size, check_prompt
from clickmask.decoder.segment import ImageEmbedding, binarize
from clickmask.decoder.shapes import mask_to_rle, rle_area
from clickmask.decoder.shapes.rle import Rle
from clickmask.decoder.track.memory import Direction, FrameMemory, MemoryBank
from clickmask.decoder.track.propagation import FrameView, PromptedObject, Propagation
from clickmask.decoder.video.frames import Frame, Video

ContentT = TypeVar("ContentT")

CACHE_BYTES = 32 * 2**20  # of frame features: one frame of SAM 2's, sixty of nano's


@dataclass(frozen=True, slots=True, eq=False)
class TrackState(Generic[ContentT]):
    """Everything the tracker knows; never changed."""

    banks: Mapping[int, MemoryBank[ContentT]] = field(default_factory=lambda: MappingProxyType({}))  # by object id

    def with_memories(self, memories: Mapping[int, FrameMemory[ContentT]], reach: int) -> TrackState[ContentT]:
        """The state that also remembers these, one per object id."""
        added = {key: self.banks.get(key, MemoryBank()).add(memory, reach) for key, memory in memories.items()}
        return TrackState(MappingProxyType(dict(self.banks) | added))

    def without(self, object_id: int) -> TrackState[ContentT]:
        """The state that does not know this object."""
        return TrackState(MappingProxyType({key: bank for key, bank in self.banks.items() if key != object_id}))


@dataclass(frozen=True, slots=True)
class TrackedMask:
    """One object on one frame."""

    rle: Rle  # at the video's size
    predicted_iou: float  # what the network expects of its mask, in [0, 1]
    object_score: float  # logit, > 0: the object is in the frame
    prompted: bool  # whether a person pointed here

    @property
    def present(self) -> bool:
        """Whether the object is seen in the frame."""
        return self.object_score > 0 and rle_area(self.rle) > 0


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[ContentT]):
    """One frame done."""

    frame: int
    masks: Mapping[int, TrackedMask]  # by object id
    state: TrackState[ContentT]  # to go on from


class Tracker(Generic[ContentT]):
    """Follow objects through one video."""

    def __init__(self, propagation: Propagation[ContentT], video: Video, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.video = video
        self._propagation = propagation
        self._embeddings: Cache[int, ImageEmbedding] = Cache(cache_bytes, nbytes)

    @property
    def reach(self) -> int:
        """Memories of frames further away than this are never looked at, prompted ones apart."""
        return self._propagation.reach

    def start(self) -> TrackState[ContentT]:
        """The state in which no object is known."""
        return TrackState()

    def prompt(self, state: TrackState[ContentT], frame: int, object_id: int, prompt: Prompt) -> Step[ContentT]:
        """Point at an object, new or known, on any frame.

        The frame becomes one that all others look at. Frames done before are not touched:
        propagate again from here, either way. On a frame that was tracked before, the answer is found in the light
        of the memories that led to it; where they are kept no longer, the object is tracked there again from the
        nearest prompt before, which takes as long as it did. A prompt of nothing but mask logits is taken
        as the mask; logits beside clicks or a box are the answer they correct (as a rule the
        state still knows it by itself).

        Args:
            state: To start from.
            frame: Index from 0.
            object_id: Any number; a new one is a new object.
            prompt: In pixels of the video. It replaces an earlier prompt on this frame.

        Raises:
            PromptError: See ``check_prompt``.
            VideoError: If the video has no such frame.
        """
        view = self._view(self._frame(frame))
        bank: MemoryBank[ContentT] = state.banks.get(object_id, MemoryBank())
        if bank.forgot(frame):
            bank = self._recalled(bank, frame)
            state = TrackState(MappingProxyType({**state.banks, object_id: bank}))
        asked = PromptedObject(bank, check_prompt(prompt, self.video.size))
        return self._step(view, {object_id: self._propagation.answer(view, asked)}, state)

    def propagate(
        self, state: TrackState[ContentT], frames: range, *, lost_after: int | None = None
    ) -> Iterator[Step[ContentT]]:
        """Carry every object through a range of frames, forward or backward.

        Args:
            state: With at least one prompted object.
            frames: Indices in the order to go, such as ``range(0, 50)`` or ``range(9, -1, -1)``;
                ends early where the video does.
            lost_after: Give an object up once it was not seen on so many frames in a row, and
                stop when all are given up; None never gives up.

        Yields:
            One step per frame; its state is where to resume.

        Raises:
            PromptError: If nothing was pointed at, or ``lost_after`` is less than 1.
            VideoError: If a frame cannot be had.
        """
        if not state.banks:
            raise PromptError("no object to follow: wanted a prompt on some frame first")
        if lost_after is not None and lost_after < 1:
            raise PromptError(f"objects are to be given up after {lost_after} frames, wanted at least 1")
        if abs(frames.step) != 1:
            raise VideoError(f"the range steps by {frames.step}, wanted 1 or -1")
        direction: Direction = 1 if frames.step > 0 else -1
        for frame in self.video.frames(frames):
            followed = [
                key
                for key, bank in state.banks.items()
                if lost_after is None or bank.lost_for(frame.index, direction) < lost_after
            ]
            if not followed:
                return
            step = self._follow(state, frame, followed, direction)
            state = step.state
            yield step

    def _recalled(self, bank: MemoryBank[ContentT], frame: int) -> MemoryBank[ContentT]:
        """The bank as it was when the object was tracked to a frame that it forgot."""
        before = [t for t in bank.prompted if t < frame]
        start, direction = (max(before), 1) if before else (min(bank.prompted), -1)
        known: MemoryBank[ContentT] = MemoryBank(MappingProxyType(bank.prompted), bank.done)
        state = TrackState(MappingProxyType({0: known}))
        for step in self.propagate(state, range(start, frame + direction, direction)):
            state = step.state
        return state.banks[0]

    def _follow(
        self, state: TrackState[ContentT], frame: Frame, followed: Sequence[int], direction: Direction
    ) -> Step[ContentT]:
        view = self._view(frame)
        memories: dict[int, FrameMemory[ContentT]] = {}
        asked = []
        for key in followed:
            memory = state.banks[key].at(frame.index)
            if memory is not None and memory.prompted:
                memories[key] = replace(memory, passed=direction)
            else:
                asked.append(key)
        found = self._propagation.follow(view, [state.banks[key] for key in asked], direction) if asked else []
        memories.update(zip(asked, found, strict=True))
        return self._step(view, memories, state)

    def _step(
        self, view: FrameView, memories: Mapping[int, FrameMemory[ContentT]], state: TrackState[ContentT]
    ) -> Step[ContentT]:
        masks = {key: _to_mask(memory, self.video.size) for key, memory in sorted(memories.items())}
        return Step(view.index, MappingProxyType(masks), state.with_memories(memories, self._propagation.reach))

    def _view(self, frame: Frame) -> FrameView:
        def embedding() -> ImageEmbedding:
            return self._embeddings.get(frame.index, lambda: self._propagation.encode(frame.image))[0]

        return FrameView(frame.index, frame.image, embedding, self.video.frame_count)

    def _frame(self, index: int) -> Frame:
        frame = next(self.video.frames(range(index, index + 1)), None)
        if frame is None:
            count = self.video.frame_count
            raise VideoError(f"frame {index} does not exist, wanted 0 to {'the last' if count is None else count - 1}")
        return frame


def _to_mask(memory: FrameMemory[ContentT], size: Size) -> TrackedMask:
    mask = binarize(memory.logits, size)
    return TrackedMask(mask_to_rle(mask), memory.predicted_iou, memory.object_score, memory.prompted)
