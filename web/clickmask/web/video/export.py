"""Exports of a video's tracks, in a process of their own like those of photos.

``python -m clickmask.web.video.export REQUEST`` is that process, see ``clickmask.web.photos.export``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from clickmask.decoder import Box, ClickMaskError, DatasetError, Size
from clickmask.decoder.formats import (
    AnnotatedImage,
    Category,
    Dataset,
    ImageRecord,
    ObjectRecord,
    WriteOptions,
    find_format,
)
from clickmask.decoder.formats.label_studio import to_video_rectangle
from clickmask.decoder.shapes import Rle, mask_to_box, rle_to_mask
from clickmask.decoder.video import Frame, Video, frame_name, open_video
from clickmask.web.exports import Report, run_apart, say, zipped
from clickmask.web.video.project import VideoStore
from clickmask.web.video.records import Found

if TYPE_CHECKING:
    from clickmask.decoder.track import TrackedMask

FORMATS = ("youtube-vis", "mots", "coco", "yolo", "label-studio", "mp4")
ANNOTATIONS = "annotations.json"
LABEL_CONFIG = """<View>
  <Labels name="label" toName="video">
{labels}  </Labels>
  <Video name="video" value="$video" framerate="{rate:g}"/>
  <VideoRectangle name="box" toName="video"/>
</View>
"""


@dataclass(frozen=True, slots=True)
class VideoExport:
    """What to export and how.

    Args:
        video: The file or folder of frames.
        store: Its project file.
        target: A folder for the result.
        file_format: One of ``FORMATS``.
    """

    video: str
    store: str
    target: str
    file_format: str = "youtube-vis"


def check_request(request: VideoExport) -> VideoExport:
    """Return the request if its format is known.

    Raises:
        DatasetError: If it is not.
    """
    if request.file_format not in FORMATS:
        raise DatasetError(f"format is {request.file_format!r}, wanted one of {', '.join(FORMATS)}")
    return request


def run_video_export(request: VideoExport, report: Report) -> dict[str, Any]:
    """Export in a new process and return ``{"path", "objects"}``; an exception in ``report`` ends the process.

    Raises:
        DatasetError: If the export fails.
    """
    return run_apart("clickmask.web.video.export", asdict(check_request(request)), report)


def write_video_export(request: VideoExport, report: Report) -> dict[str, Any]:
    """Export in this process; several files become one zip file."""
    place = Path(request.video)
    tracks = StoredTracks(VideoStore(Path(request.store)), open_video(place), place)
    name = f"{place.stem}-{request.file_format}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        path = _WRITERS[request.file_format](tracks, Path(request.target) / name, report)
    except OSError as error:
        raise DatasetError(f"cannot write {request.target}: {error.strerror or error}") from error
    return {"path": str(path), "objects": len(tracks.names)}


class StoredTracks:
    """The tracks of a video, read from its project a frame at a time."""

    def __init__(self, store: VideoStore, video: Video, place: Path) -> None:
        self.store = store
        self.video = video
        self.place = place
        self.names = {item.id: item.name for item in store.objects() if not item.removed}
        self.frame_count = video.frame_count or 0

    def at(self, frame: int) -> dict[int, tuple[Found, bool]]:
        """Where every object is on a frame, and whether a person pointed there, by object."""
        return {key: (found, said) for _, key, found, said in self.store.found(range(frame, frame + 1))}

    def rle(self, found: Found) -> Rle:
        """The mask as COCO run lengths."""
        return found.rle(self.video.size)


@dataclass(frozen=True, slots=True)
class _Images:
    """Frames of the video as annotated images; can be passed over again."""

    tracks: StoredTracks
    categories: Mapping[str, int]
    report: Report
    frames: range

    def __iter__(self) -> Iterator[AnnotatedImage]:
        tracks = self.tracks
        video = tracks.place.stem
        for frame in self.frames:
            name = frame_name(tracks.place, tracks.video, frame)
            image = ImageRecord(frame + 1, name, tracks.video.size, video, frame)
            found = tracks.at(frame).items()
            yield AnnotatedImage(image, tuple(self._record(frame, *one) for one in found if one[1][0].present))
            self.report(frame + 1, tracks.frame_count)

    def _record(self, frame: int, object_id: int, known: tuple[Found, bool]) -> ObjectRecord:
        found, said = known
        return ObjectRecord(
            id=(frame << 16) + object_id,
            category_id=self.categories[self.tracks.names[object_id]],
            rle=self.tracks.rle(found),
            score=None if said else found.confidence,
            track_id=object_id,
        )


def _dataset(tracks: StoredTracks, report: Report, every: int = 1) -> Dataset:
    frames = range(0, tracks.frame_count, every)
    categories = {name: number for number, name in enumerate(dict.fromkeys(tracks.names.values()), start=1)}
    info = {"description": f"{tracks.place.name}, tracked with ClickMask"}
    images = _Images(tracks, categories, report, frames)
    return Dataset(tuple(Category(n, name) for name, n in categories.items()), images, len(frames), info=info)


def write_frames(tracks: StoredTracks, folder: Path, report: Report, every: int = 1) -> None:
    """Write frames as JPEG files below a folder, under the names that annotation files give them."""
    for frame in tracks.video.frames(range(tracks.frame_count)):
        if frame.index % every == 0:
            file = folder / frame_name(tracks.place, tracks.video, frame.index)
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(frame.image).save(file, "JPEG" if file.suffix in {".jpg", ".jpeg"} else None, quality=95)
        report(frame.index + 1, tracks.frame_count)


def write_photos(tracks: StoredTracks, folder: Path, report: Report, every: int) -> None:
    """Write every so many frames and what is known on them as a folder that can be opened as photos.

    Raises:
        DatasetError: If the disk refuses.
    """
    write_frames(tracks, folder, report, every)
    dataset = _dataset(tracks, _silent, every)
    find_format("coco").write(dataset, folder / ANNOTATIONS, WriteOptions(encoding="rle"))


def _silent(_done: int, _total: int) -> None:
    """Report nothing: the frames were reported before."""


def _write_coco(tracks: StoredTracks, target: Path, report: Report) -> Path:
    target.mkdir()
    write_photos(tracks, target, report, every=1)
    return zipped(target)


def _write_yolo(tracks: StoredTracks, target: Path, report: Report) -> Path:
    with tempfile.TemporaryDirectory(dir=target.parent) as frames:
        write_frames(tracks, Path(frames), report)
        target.mkdir()
        find_format("yolo").write(_dataset(tracks, _silent), target, WriteOptions(images=Path(frames)))
    return zipped(target)


def _write_json(file_format: str, tracks: StoredTracks, target: Path, report: Report) -> Path:
    file = target.with_name(f"{target.name}.json")
    find_format(file_format).write(_dataset(tracks, report), file, WriteOptions(encoding="rle"))
    return file


def _write_mots(tracks: StoredTracks, target: Path, report: Report) -> Path:
    find_format("mots").write(_dataset(tracks, report), target, WriteOptions())
    return zipped(target)


def _write_label_studio(tracks: StoredTracks, target: Path, report: Report) -> Path:
    """A zip of one video task with a track of boxes per object, and the labeling configuration for it."""
    boxes: dict[int, dict[int, Box | None]] = {}
    for frame in range(tracks.frame_count):
        for key, (found, _) in tracks.at(frame).items():
            boxes.setdefault(key, {})[frame] = _box(tracks, found)
        report(frame + 1, tracks.frame_count)
    regions = [
        to_video_rectangle(
            {frame: boxes[key].get(frame) for frame in range(min(boxes[key]), max(boxes[key]) + 1)},
            size=tracks.video.size,
            rate=tracks.video.rate,
            frame_count=tracks.frame_count,
            region_id=f"object-{key}",
            from_name="box",
            to_name="video",
            labels=[tracks.names[key]],
        )
        for key in sorted(boxes)
    ]
    task = {
        "data": {"video": tracks.place.name},
        "annotations": [{"result": [region for region in regions if region is not None]}],
    }
    target.mkdir()
    (target / "tasks.json").write_text(json.dumps([task]), "utf-8")
    (target / "config.xml").write_text(_label_config(tracks), "utf-8")
    return zipped(target)


def _box(tracks: StoredTracks, found: Found) -> Box | None:
    if not found.present:
        return None
    return mask_to_box(rle_to_mask(tracks.rle(found)))


def _label_config(tracks: StoredTracks) -> str:
    from xml.sax.saxutils import quoteattr

    labels = "".join(f"    <Label value={quoteattr(name)}/>\n" for name in dict.fromkeys(tracks.names.values()))
    return LABEL_CONFIG.format(labels=labels, rate=tracks.video.rate)


def _write_mp4(tracks: StoredTracks, target: Path, report: Report) -> Path:
    from clickmask.decoder.track import write_overlay

    file = target.with_name(f"{target.name}.mp4")
    write_overlay(_WatchedVideo(tracks.video, report), _TrackedMasks(tracks), file)
    return file


class _TrackedMasks(Mapping[int, Mapping[int, "TrackedMask"]]):
    """Every frame's masks by object, empty where there are none; nothing is held."""

    def __init__(self, tracks: StoredTracks) -> None:
        self._tracks = tracks

    def __len__(self) -> int:
        return self._tracks.frame_count

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __getitem__(self, frame: int) -> Mapping[int, TrackedMask]:
        from clickmask.decoder.track import TrackedMask

        return {
            key: TrackedMask(self._tracks.rle(found), found.confidence, 1.0 if found.present else -1.0, said)
            for key, (found, said) in self._tracks.at(frame).items()
        }


class _WatchedVideo:
    """The same video, whose frames are counted as they pass."""

    def __init__(self, video: Video, report: Report) -> None:
        self._video = video
        self._report = report
        self.size: Size = video.size
        self.rate = video.rate
        self.frame_count = video.frame_count

    def frames(self, indices: range) -> Iterator[Frame]:
        """The frames of the video."""
        for done, frame in enumerate(self._video.frames(indices), start=1):
            yield frame
            self._report(done, len(indices))


_WRITERS = {
    "youtube-vis": lambda *rest: _write_json("youtube-vis", *rest),
    "coco": _write_coco,
    "yolo": _write_yolo,
    "mots": _write_mots,
    "label-studio": _write_label_studio,
    "mp4": _write_mp4,
}


def main() -> None:
    """Do the export this process was started for."""
    request = VideoExport(**json.loads(sys.argv[1]))
    try:
        say(**write_video_export(request, lambda done, total: say(done=done, total=total)))
    except ClickMaskError as error:
        say(error=str(error))


if __name__ == "__main__":
    main()
