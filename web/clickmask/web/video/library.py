"""The videos a person may open: files and folders of numbered frames, each with its project file."""

from __future__ import annotations

import re
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from clickmask.decoder import PICTURE_SUFFIXES, Cache, Prompt, Size, VideoError, check_prompt
from clickmask.decoder.shapes import rle_to_mask
from clickmask.decoder.video import Video, open_video
from clickmask.web.listing import is_text, natural, walk
from clickmask.web.photos.library import Library
from clickmask.web.video.frame_pictures import FramePictures
from clickmask.web.video.project import VideoStore, is_begun
from clickmask.web.video.records import Found, FramePrompt, VideoFacts
from clickmask.web.video.run import Stopped

if TYPE_CHECKING:
    from clickmask.decoder import Model
    from clickmask.decoder.track import FrameMemory, TrackedMask, Tracker

SUFFIXES = frozenset({".3gp", ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts",
                      ".webm", ".wmv"})  # fmt: skip
OPEN_VIDEOS = 4  # with decoder, pictures and embeddings in memory
KEPT_ANSWERS = 256
FEWEST_FRAMES = 3  # numbered pictures that make a folder a video
VIDEOS = "videos"  # folder of the project files of video files
NUMBERED = re.compile(r"^(.*?)(\d+)$")
NOT_HERE = -10.0  # logit of every pixel where an object is said not to be


def _new_answers() -> Cache[tuple[Any, ...], tuple[FrameMemory[Any], Found]]:
    return Cache(KEPT_ANSWERS, lambda _: 1)


@dataclass(frozen=True, slots=True)
class VideoEntry:
    """A video that can be opened."""

    path: Path
    name: str  # inside the folder looked at
    is_folder: bool
    begun: bool  # there is work of a person


@dataclass(slots=True, eq=False, weakref_slot=True)
class OpenVideo:
    """A video with its project and all that is kept in memory about it.

    Args:
        path: The file or folder.
        video: Its frames.
        store: Objects, prompts and tracks.
        pictures: Frames for the page.
        tracking: Held while a thread tracks.
        job: Name of the newest tracking job.
        stopped: Where the last run was stopped, if it did not come to its end.
    """

    path: Path
    video: Video
    store: VideoStore
    pictures: FramePictures
    tracking: Lock = field(default_factory=Lock)
    job: str | None = None
    stopped: Stopped | None = None
    _tracker: Tracker[Any] | None = None
    _answers: Cache[tuple[Any, ...], tuple[FrameMemory[Any], Found]] = field(default_factory=_new_answers)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        # A video that was put away may still be answering somebody: its file is closed when nobody holds it.
        weakref.finalize(self, self.store.close)

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        count = self.video.frame_count
        assert count is not None  # files and folders know
        return count

    @property
    def exports(self) -> Path:
        """The folder exported files are put into."""
        folder = self.store.file.parent
        return (folder.parent if folder.name == VIDEOS else folder) / "exports"

    def tracker(self, model: Model) -> Tracker[Any]:
        """The tracker of this video; made on first use."""
        from clickmask.decoder.track import open_tracker  # the page is up before PyTorch is

        with self._lock:
            if self._tracker is None:
                self._tracker = open_tracker(model, self.video)
            return self._tracker

    def answer(self, model: Model, object_id: int, frame: int, prompt: FramePrompt) -> tuple[FrameMemory[Any], Found]:
        """Answer what a person said; always the same for the same tracks, whatever was asked before.

        Clicks correct the mask the object was tracked to; a box starts afresh.

        Raises:
            PromptError: If the prompt means nothing.
            VideoError: If the frame cannot be had.
        """
        base = None if prompt.box or prompt.absent else self.store.tracked(object_id, frame)
        base = base if base and base.present else None
        key = (object_id, frame, prompt.key, base and base.counts)
        return self._answers.get(key, lambda: self._computed(model, object_id, frame, prompt, base))[0]

    def _computed(
        self, model: Model, object_id: int, frame: int, prompt: FramePrompt, base: Found | None
    ) -> tuple[FrameMemory[Any], Found]:
        asked = check_prompt(to_prompt(prompt, base, self.video.size), self.video.size)
        tracker = self.tracker(model)
        step = tracker.prompt(tracker.start(), frame, object_id, asked)
        if base is not None:
            kept = _corrected(base, step.masks[object_id], prompt, self.video.size)
            step = tracker.prompt(tracker.start(), frame, object_id, kept)
        memory = step.state.banks[object_id].at(frame)
        assert memory is not None  # just answered
        mask = step.masks[object_id]
        return memory, Found(str(mask.rle["counts"]), mask.predicted_iou, mask.present)


class VideoLibrary:
    """Opens videos below the allowed roots and keeps the last few open.

    Args:
        library: Knows the roots and where labels are kept.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._open: OrderedDict[tuple[Path, int], OpenVideo] = OrderedDict()
        self._lock = Lock()

    def open(self, path: str | Path) -> OpenVideo:
        """The open video; opened on first use, and again after its file was replaced.

        Raises:
            DatasetError: If it is outside the roots, or its project cannot be opened.
            VideoError: If it is gone or cannot be read.
        """
        place = self._library.gate.video(path)
        key = (place, place.stat().st_mtime_ns)
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        opened = open_one(place, self._store_file(place))  # may take long: other videos do not wait for it
        with self._lock:
            self._open.setdefault(key, opened)
            for old in [kept for kept in self._open if kept[0] == place and kept != key]:
                self._open.pop(old).pictures.close()
            self._close_idle(key)
            return self._open[key]

    def entries(self, folder: str | Path) -> list[VideoEntry]:
        """Every video inside a folder, at any depth, by name."""
        top = self._library.gate.folder(folder)
        found = [
            VideoEntry(path, path.relative_to(top).as_posix(), path.is_dir(), is_begun(self._store_file(path)))
            for path in _find_videos(top)
            if is_text(str(path)) and self._library.gate.holds(path)
        ]
        return sorted(found, key=lambda entry: natural(entry.name))

    def rest(self) -> None:
        """Make the project files whole that nobody has written to for a while."""
        for opened in list(self._open.values()):
            opened.store.database.rest()

    def close(self) -> None:
        """Close every video."""
        with self._lock:
            for opened in self._open.values():
                opened.pictures.close()
                opened.store.close()
            self._open.clear()

    def _store_file(self, place: Path) -> Path:
        if place.is_dir():
            return self._library.store_of(place) / "video.db"
        return self._library.store_of(place.parent) / VIDEOS / f"{place.name}.db"

    def _close_idle(self, wanted: tuple[Path, int]) -> None:
        idle = [key for key, opened in self._open.items() if key != wanted and not opened.tracking.locked()]
        for key in idle[: max(0, len(self._open) - OPEN_VIDEOS)]:
            self._open.pop(key).pictures.close()


def open_one(path: Path, store_file: Path) -> OpenVideo:
    """Open a video and its project.

    Raises:
        DatasetError: If the project cannot be opened, or was made for another video.
        VideoError: If the video cannot be read.
    """
    video = open_video(path)
    if not video.frame_count:
        raise VideoError(f"{path.name} has no frames")
    facts = VideoFacts(video.size.width, video.size.height, video.frame_count)
    return OpenVideo(path, video, VideoStore(store_file, facts), FramePictures(video))


def _corrected(base: Found, answer: TrackedMask, prompt: FramePrompt, size: Size) -> Prompt:
    """The mask that clicks make of the one that was tracked: it changes near them only, see ``correct``."""
    from clickmask.decoder import Point, mask_to_logits  # the page is up before PyTorch is
    from clickmask.decoder.correct import correct

    clicks = [Point(*point) for point in prompt.points]
    mask = correct(rle_to_mask(base.rle(size)), rle_to_mask(answer.rle), clicks)
    return Prompt(mask_logits=mask_to_logits(mask))


def to_prompt(prompt: FramePrompt, base: Found | None, size: Size) -> Prompt:
    """What a person said, as the tracker takes it; ``base`` is the mask that clicks correct."""
    import torch  # the page is up before PyTorch is

    from clickmask.decoder import Box, Point, PromptError

    if prompt.absent:
        return Prompt(mask_logits=torch.full((64, 64), NOT_HERE))
    if base is None and prompt.box is None and not any(positive for _, _, positive in prompt.points):
        raise PromptError("there is nothing to take away from yet: click the object on this frame first")
    logits = None
    if base is not None:
        mask = rle_to_mask(base.rle(size))
        logits = (torch.from_numpy(mask).float() * 2 - 1) * -NOT_HERE
    return Prompt(tuple(Point(*point) for point in prompt.points), Box(*prompt.box) if prompt.box else None, logits)


def _find_videos(top: Path) -> Iterator[Path]:
    """Video files and folders of numbered pictures, leaving out hidden ones."""
    for place, _, files in walk(top):
        if _are_frames(files):
            yield place
        yield from (place / name for name in files if Path(name).suffix.lower() in SUFFIXES)


def _are_frames(names: list[str]) -> bool:
    """Whether the pictures among the files are numbered, and called the same apart from that."""
    stems = [Path(name).stem for name in names if Path(name).suffix.lower() in PICTURE_SUFFIXES]
    matches = [NUMBERED.match(stem) for stem in stems]
    return len(stems) >= FEWEST_FRAMES and len({match and match[1] for match in matches}) == 1 and None not in matches
