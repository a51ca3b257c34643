"""Videos on disk, decoded when a frame is wanted: a file of any codec, or a folder of pictures."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.errors import VideoError
from clickmask.decoder.images import PICTURE_SUFFIXES, load_image, picture_size
from clickmask.decoder.prompts import Size
from clickmask.decoder.video.container import open_container, video_stream
from clickmask.decoder.video.frames import DEFAULT_RATE, Frame, Video, check_frame

BACKWARD_CHUNK = 32  # frames held at once when going backward through a file, at most
BACKWARD_BYTES = 2**28  # that they may take, one always


def open_video(path: Path) -> Video:
    """Open a video file, or a folder whose pictures are the frames.

    Raises:
        VideoError: If there is none, or it cannot be read.
    """
    if not path.exists():
        raise VideoError(f"{path} does not exist")
    return FolderVideo.open(path) if path.is_dir() else FileVideo.open(path)


def video_name(path: Path) -> str:
    """The name of a file without its suffix, or of a folder, also of the one called "."."""
    if not path.is_dir():
        return path.stem
    return (path.resolve() if path.name in ("", "..") else path).name


def frame_name(path: Path, video: Video, index: int) -> str:
    """The file name of a frame in annotation files: its own in a folder of frames, else made up."""
    own = video.paths[index].name if isinstance(video, FolderVideo) else f"{index:05d}.jpg"
    return f"{video_name(path)}/{own}"


@dataclass(frozen=True, slots=True)
class FolderVideo:
    """Pictures of one size, in the order of the numbers in their names."""

    paths: tuple[Path, ...]
    size: Size
    rate: float = DEFAULT_RATE

    @classmethod
    def open(cls, folder: Path) -> FolderVideo:
        """List the pictures.

        Raises:
            VideoError: If there are none.
        """
        found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
        if not found:
            raise VideoError(f"{folder} holds no picture, wanted frames as {', '.join(sorted(PICTURE_SUFFIXES))}")
        paths = in_order(found)
        return cls(paths, picture_size(paths[0]))

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return len(self.paths)

    def frames(self, indices: range) -> Iterator[Frame]:
        """Yield frames in the order of the range.

        Raises:
            ImageError: If a picture cannot be read.
            VideoError: If a picture has another size than the first.
        """
        for index in indices:
            if 0 <= index < len(self.paths):
                yield Frame(index, check_frame(load_image(self.paths[index]), self.size, index))


@dataclass(frozen=True, slots=True, eq=False)
class FileVideo:
    """A video file; holds the time of every frame, and no picture."""

    path: Path
    size: Size
    rate: float
    times: tuple[int, ...]  # of every frame in the order shown, in the stream's own unit
    time_unit: float  # [s]

    @classmethod
    def open(cls, path: Path) -> FileVideo:
        """Read the index of the file; nothing is decoded but one frame.

        Raises:
            VideoError: If it is not a video that can be decoded.
        """
        with open_container(path) as container:
            stream = video_stream(container, path)
            times = sorted({packet.pts for packet in container.demux(stream) if packet.pts is not None})
            rate, unit = float(stream.average_rate or DEFAULT_RATE), float(stream.time_base)
        with open_container(path) as container:
            first = next(_decode(container, path), None)
        if first is None:
            raise VideoError(f"{path} has no frame that can be decoded")
        # Packets that open the file without a picture of their own are no frames.
        times = [time for time in times if time >= first.pts]
        return cls(path, Size(*_to_rgb(first).shape[:2]), rate, tuple(times), unit)

    @property
    def frame_count(self) -> int:
        """How many frames there are."""
        return len(self.times)

    @property
    def seconds(self) -> tuple[float, ...]:
        """When each frame is shown, counted from the first [s]; the steps differ where the rate varies."""
        return tuple((time - self.times[0]) * self.time_unit for time in self.times)

    def frames(self, indices: range) -> Iterator[Frame]:
        """Yield frames in the order of the range.

        Raises:
            VideoError: If the file is broken where a frame is wanted.
        """
        wanted = range(max(indices.start, 0), min(indices.stop, len(self.times)))
        if indices.step == 1:
            yield from self._forward(wanted)
        else:
            yield from self._backward(indices)

    def _forward(self, indices: range) -> Iterator[Frame]:
        """Decode from the key frame before the first wanted frame on."""
        if not indices:
            return
        index_of = {self.times[index]: index for index in indices}
        with open_container(self.path) as container:
            container.seek(self.times[indices[0]], stream=video_stream(container, self.path), backward=True)
            for picture in _decode(container, self.path):
                index = index_of.get(picture.pts)
                if index is not None:
                    yield Frame(index, check_frame(_to_rgb(picture), self.size, index))
                if picture.pts >= self.times[indices[-1]]:
                    return

    def _backward(self, indices: range) -> Iterator[Frame]:
        """Decode forward in chunks, the last chunk first."""
        wanted = deque(index for index in indices if 0 <= index < len(self.times))
        held = max(1, min(BACKWARD_CHUNK, BACKWARD_BYTES // (3 * self.size.height * self.size.width)))
        while wanted:
            chunk = [wanted.popleft() for _ in range(min(held, len(wanted)))]
            frames = {frame.index: frame for frame in self._forward(range(chunk[-1], chunk[0] + 1))}
            yield from (frames[index] for index in chunk if index in frames)


def _decode(container: Any, path: Path) -> Iterator[Any]:
    """Decoded pictures that have a time."""
    return (picture for picture in container.decode(video_stream(container, path)) if picture.pts is not None)


def _to_rgb(picture: Any) -> NDArray[np.uint8]:
    """The picture as players show it: phones film lying and note how to turn it."""
    image: NDArray[np.uint8] = picture.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, round(picture.rotation / 90)))


def in_order(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Sort the pictures of a video: frame10 comes after frame9.

    Example:
        >>> [path.name for path in in_order([Path("frame10.png"), Path("frame9.png")])]
        ['frame9.png', 'frame10.png']
    """
    return tuple(sorted(paths, key=lambda path: (_natural(path.stem), path.name)))


def _natural(stem: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", stem)]
