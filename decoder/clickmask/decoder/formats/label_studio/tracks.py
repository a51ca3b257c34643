"""Label Studio's video regions, frame by frame: what its player draws between the keyframes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.builder import UNLABELED, DatasetBuilder
from clickmask.decoder.formats.fields import Fields, array, as_fields, integer, number, optional_score
from clickmask.decoder.formats.label_studio.masks import extent, result_to_mask
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle
from clickmask.decoder.shapes.rle import Rle

MOST_FRAMES = 10_000_000
_SIDES = ("x", "y", "width", "height", "rotation")


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """One object of a video.

    Args:
        labels: Of the object; at least one.
        score: Or None.
        frame_count: Of the video, in Label Studio's frames.
        keyframes: By frame, from 1.
    """

    labels: tuple[str, ...]
    score: float | None
    frame_count: int
    keyframes: tuple[Mapping[str, Any], ...]

    def place(self, frame: int) -> dict[str, float] | None:
        """The box on a frame, from 1: x, y, width, height [percent] and rotation; None where none is drawn.

        A keyframe that is not ``enabled`` is the last one of a stretch.
        """
        index = sum(keyframe["frame"] <= frame for keyframe in self.keyframes) - 1
        if index < 0:
            return None
        before, after = self.keyframes[index], self.keyframes[index + 1 : index + 2]
        if before["frame"] < frame and not before["enabled"]:
            return None
        place = {side: float(before[side]) for side in _SIDES}
        if not after:
            return place
        share = (frame - before["frame"]) / (after[0]["frame"] - before["frame"])
        turn = (after[0]["rotation"] - before["rotation"] + 180) % 360 - 180  # the shorter way round
        moved = {side: place[side] + share * (after[0][side] - place[side]) for side in _SIDES}
        return moved | {"rotation": place["rotation"] + share * turn}


def is_track(item: object) -> TypeGuard[Fields]:
    """Whether an item of a ``result`` is a box on a video."""
    return isinstance(item, dict) and item.get("type") == "videorectangle"


def read_track(item: Fields) -> VideoTrack:
    """Read a video region.

    Raises:
        DatasetError: If a field is missing or wrong.
        ShapeError: If a box is empty.
    """
    where = f"region {item.get('id')!r:.40}"
    value = as_fields(item.get("value"), f"{where}: value")
    sequence = [as_fields(keyframe, f"{where}: sequence") for keyframe in array(value, "sequence", where)]
    keyframes = sorted((_keyframe(keyframe, where) for keyframe in sequence), key=lambda it: int(it["frame"]))
    if len({keyframe["frame"] for keyframe in keyframes}) < len(keyframes):
        raise DatasetError(f"{where}: has two keyframes on one frame")
    count = integer(value, "framesCount", where, least=1, most=MOST_FRAMES)
    labels = value.get("labels")
    named = [label for label in labels if isinstance(label, str) and label] if isinstance(labels, list) else []
    return VideoTrack(tuple(named) or (UNLABELED,), optional_score(item, where), count, tuple(keyframes))


def add_tracks(tracks: Sequence[VideoTrack], video: str, size: Size, builder: DatasetBuilder) -> None:
    """Add every frame of a video as an image, with the boxes of all objects as masks.

    Args:
        tracks: Of the video; none where none can be used.
        video: Its name.
        size: Of its pictures.
        builder: Takes them.
    """
    numbers = {name: builder.category_id(name) for track in tracks for name in track.labels}
    for frame in range(1, max((track.frame_count for track in tracks), default=0) + 1):
        image = builder.add_image(f"{video}/{frame - 1:05d}.jpg", size, video=video, frame=frame - 1)
        for track_id, track in enumerate(tracks, start=1):
            place = track.place(frame)
            for label in track.labels if place is not None else ():
                builder.add_object(image, numbers[label], _rle(place, size), score=track.score, track_id=track_id)


def _keyframe(fields: Fields, where: str) -> dict[str, Any]:
    extent(fields, "x", "y", "width", "height", size=Size(1, 1), where=where)  # raises unless it can be filled
    sides = {side: number(fields, side, where) for side in _SIDES if side != "rotation" or fields.get("rotation")}
    frame = integer(fields, "frame", where, least=1, most=MOST_FRAMES)
    return {"rotation": 0.0, **sides, "frame": frame, "enabled": bool(fields.get("enabled", True))}


def _rle(place: Mapping[str, float] | None, size: Size) -> Rle:
    item = {"type": "rectangle", "original_width": size.width, "original_height": size.height, "value": place}
    return mask_to_rle(result_to_mask(item))
