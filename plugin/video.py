"""Label Studio's video regions: what a person drew, and the track that takes its place.

A region is a list of keyframes, and the page draws straight lines between them. Of a track's
keyframes a person set some, and this backend the others. Each of ours carries a seal over its own
values, which the page keeps and hands back, so any later request tells them apart by itself: what
a person moved or added since is a correction, wherever and whenever it was made.

A keyframe that is not ``enabled`` is the last one on which the object is seen.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from decoder.prompts import Box, Size
from decoder.track.keyframes import LEAST_IOU, Keyframe, choose_keyframes
from plugin.errors import RequestError
from plugin.prompts import shape_box

Item = Mapping[str, Any]

REGION_TYPE = "videorectangle"
SEAL = "tracked"  # the key of a keyframe's seal
_NUMBERS = ("x", "y", "width", "height")
_DECIMALS = 4  # of a percent: a hundredth of a pixel in the largest video
_FIRST_FRAME = 1


@dataclass(frozen=True, slots=True)
class SetKeyframe:
    """A box that a person set.

    Args:
        frame: From 1, as Label Studio counts.
        place: x, y, width, height [percent], and rotation [degrees about the top-left corner].
        goes_on: Whether the object is still seen after this frame.
    """

    frame: int
    place: tuple[float, float, float, float, float]
    goes_on: bool

    def box(self, size: Size) -> Box:
        """The upright box around it [px], within the picture."""
        fields = dict(zip((*_NUMBERS, "rotation"), self.place, strict=True))
        found = shape_box({"type": "rectanglelabels", "value": fields}, size)
        return Box(max(found.x0, 0.0), max(found.y0, 0.0), min(found.x1, size.width), min(found.y1, size.height))


@dataclass(frozen=True, slots=True)
class DrawnObject:
    """One object of a video.

    Args:
        region: As Label Studio sent it.
        keyframes: Those that a person set, by frame; at least one.
    """

    region: Item
    keyframes: tuple[SetKeyframe, ...]

    @property
    def is_tracked(self) -> bool:
        """Whether keyframes of ours are among its own."""
        return len(self.keyframes) < len(_sequence(self.region))


@dataclass(frozen=True, slots=True)
class Known:
    """What tracking knows of an object.

    Args:
        boxes: By frame from 1, of consecutive frames [px]; None where it is not seen.
        size: Of the video's pictures.
        rate: Label Studio's frames per second.
        frame_count: Of the whole video, in Label Studio's frames.
        note: For the person, shown with the region; "" for none.
    """

    boxes: Mapping[int, Box | None]
    size: Size
    rate: float
    frame_count: int
    note: str = ""


def read_objects(result: Iterable[Item]) -> list[DrawnObject]:
    """Find the video regions that a person drew or corrected.

    Predictions that nobody touched are passed over unless this backend made them.

    Raises:
        RequestError: If a region is malformed.
    """
    found = []
    for region in result:
        if isinstance(region, Mapping) and region.get("type") == REGION_TYPE:
            keyframes = tuple(_set_keyframe(item) for item in _sequence(region) if not _is_sealed(item))
            untouched = region.get("origin") == "prediction" and len(keyframes) == len(_sequence(region))
            if keyframes and not untouched:
                found.append(DrawnObject(region, keyframes))
    return found


def write_region(drawn: DrawnObject, known: Known, least_iou: float = LEAST_IOU) -> dict[str, Any]:
    """Write a track in place of the region it was asked for.

    What a person set stays as it is, to the last digit. Where the tracked frames end before the
    video does, so does the region.

    Args:
        drawn: What was asked for.
        known: The track, as far as it is known.
        least_iou: Between every box and what the page draws in its place.
    """
    by_hand = {item["frame"]: dict(item) for item in _sequence(drawn.region) if not _is_sealed(item)}
    boxes = {frame: box for frame, box in known.boxes.items() if frame <= known.frame_count}
    boxes |= {keyframe.frame: keyframe.box(known.size) for keyframe in drawn.keyframes}
    for first, last in _gaps(drawn.keyframes, known.frame_count):
        boxes |= {frame: None for frame in range(first, last + 1) if frame in boxes}
    sequence = list(by_hand.values())
    for keyframe in _keyframes(boxes, drawn.keyframes, least_iou):
        if keyframe.frame not in by_hand:
            sequence.append(_sealed(keyframe, known.size))
    for item in sequence:
        item["time"] = item["frame"] / known.rate
    value = dict(drawn.region["value"]) | {
        "framesCount": known.frame_count,
        "duration": drawn.region["value"].get("duration") or known.frame_count / known.rate,
        "sequence": sorted(sequence, key=lambda item: int(item["frame"])),
    }
    return _noted({**drawn.region, "value": value}, known.note)


def region_labels(region: Item) -> tuple[str, ...]:
    """The labels of a video region."""
    labels = region["value"].get("labels")
    return tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()


def _keyframes(boxes: Mapping[int, Box | None], by_hand: Sequence[SetKeyframe], least_iou: float) -> list[Keyframe]:
    """As few keyframes as the promise allows beside those set by hand; ``seen`` is False on the last of a stretch.

    A turned box turns back over the frames to the next keyframe, so one follows and one goes before at once.
    """
    turned = {frame for it in by_hand if it.place[4] for frame in (it.frame - 1, it.frame + 1)}
    edges = sorted({it.frame for it in by_hand} | {min(boxes), max(boxes)} | (turned & boxes.keys()))
    pieces = pairwise(edges) if len(edges) > 1 else [(edges[0], edges[0])]
    chosen: dict[int, Keyframe] = {}
    for first, last in pieces:
        piece = {frame: boxes[frame] for frame in range(first, last + 1) if frame in boxes}
        for keyframe in choose_keyframes(piece, least_iou):
            if keyframe.seen:
                chosen[keyframe.frame] = Keyframe(keyframe.frame, keyframe.box)
    for frame in list(chosen):
        after = boxes.get(frame + 1)
        ends = frame + 1 not in boxes or after is None
        if ends:
            chosen[frame] = Keyframe(frame, chosen[frame].box, seen=False)
    return [chosen[frame] for frame in sorted(chosen)]
