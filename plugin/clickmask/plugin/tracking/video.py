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
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from clickmask.decoder import Box, Size
from clickmask.decoder.formats.label_studio import LEAST_IOU, Keyframe, choose_keyframes
from clickmask.plugin.clicks.prompts import shape_box
from clickmask.plugin.errors import RequestError

Item = Mapping[str, Any]

REGION_TYPE = "videorectangle"
SEAL = "tracked"  # the key of a keyframe's seal
_NUMBERS = ("x", "y", "width", "height")
_DECIMALS = 4  # of a percent: a hundredth of a pixel in the largest video
_FIRST_FRAME = 1
_NOTE = "ClickMask: "


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
        boxes: By frame from 1, of consecutive frames [px], at least one; None where it is not seen.
        size: Of the video's pictures.
        rate: Label Studio's frames per second.
        frame_count: Of the whole video, in Label Studio's frames.
        score: What the network expects of its masks, in [0, 1].
        note: For the person, shown with the region; "" for none.
    """

    boxes: Mapping[int, Box | None]
    size: Size
    rate: float
    frame_count: int
    score: float
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
            by_hand = [_set_keyframe(item) for item in _sequence(region) if not _is_sealed(item)]
            keyframes = tuple(sorted(by_hand, key=lambda it: it.frame))
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
    hands = [keyframe for keyframe in drawn.keyframes if keyframe.frame <= known.frame_count]
    boxes = dict(known.boxes) | {keyframe.frame: keyframe.box(known.size) for keyframe in hands}
    for first, last in _gaps(hands, known.frame_count):
        boxes |= {frame: None for frame in range(first, last + 1) if frame in boxes}
    sequence = list(by_hand.values())
    for keyframe in _keyframes(boxes, hands, known.frame_count, least_iou):
        if keyframe.frame not in by_hand:
            sequence.append(_sealed(keyframe, known.size))
    for item in sequence:
        item["time"] = item["frame"] / known.rate
    value = dict(drawn.region["value"]) | {
        "framesCount": known.frame_count,
        "duration": drawn.region["value"].get("duration") or known.frame_count / known.rate,
        "sequence": sorted(sequence, key=lambda item: int(item["frame"])),
    }
    return with_note({**drawn.region, "value": value, "score": round(known.score, 4)}, known.note)


def with_note(region: Item, note: str) -> dict[str, Any]:
    """The region with our line in what the page shows as its notes, in place of an earlier one of ours."""
    meta = dict(region.get("meta") or {})
    text = meta.pop("text", "")
    lines = text if isinstance(text, list) else str(text).split("\n")
    kept = [str(line) for line in lines if line and not str(line).startswith(_NOTE)]
    if note:
        kept.append(_NOTE + note)
    if kept:
        meta["text"] = "\n".join(kept)
    rest = {name: value for name, value in region.items() if name != "meta"}
    return rest | {"meta": meta} if meta else rest


def _keyframes(
    boxes: Mapping[int, Box | None], by_hand: Sequence[SetKeyframe], frame_count: int, least_iou: float
) -> list[Keyframe]:
    """As few keyframes as the promise allows beside those set by hand; ``seen`` is False on the last of a stretch.

    A turned box turns back over the frames to the next keyframe, so one follows and one goes before at once.
    """
    turned = {frame for it in by_hand if it.place[4] for frame in (it.frame - 1, it.frame + 1)}
    edges = sorted({it.frame for it in by_hand} | {min(boxes), max(boxes)} | (turned & boxes.keys()))
    chosen: dict[int, Keyframe] = {}
    for first, last in list(pairwise(edges)) or [(edges[0], edges[0])]:
        piece = {frame: boxes[frame] for frame in range(first, last + 1) if frame in boxes}
        for keyframe in choose_keyframes(piece, least_iou):
            if keyframe.seen:
                chosen[keyframe.frame] = keyframe
    going_on = {it.frame for it in by_hand if it.goes_on}
    for frame, keyframe in list(chosen.items()):
        if frame < frame_count and boxes.get(frame + 1) is None:
            if frame not in going_on:
                chosen[frame] = replace(keyframe, seen=False)
            elif frame + 1 in boxes:  # the person's word stands for its own frame, and no longer
                chosen[frame + 1] = Keyframe(frame + 1, keyframe.box, seen=False)
    return [chosen[frame] for frame in sorted(chosen)]


def _gaps(keyframes: Sequence[SetKeyframe], frame_count: int) -> Iterable[tuple[int, int]]:
    """Where a person says that the object is not seen: first and last frames."""
    lasts = [it.frame - 1 for it in keyframes[1:]] + [frame_count][: len(keyframes)]
    return [(it.frame + 1, last) for it, last in zip(keyframes, lasts, strict=True) if not it.goes_on]


def _sealed(keyframe: Keyframe, size: Size) -> dict[str, Any]:
    box = keyframe.box
    item = {
        "frame": keyframe.frame,
        "enabled": keyframe.seen,
        "rotation": 0,
        "x": round(100 * box.x0 / size.width, _DECIMALS),
        "y": round(100 * box.y0 / size.height, _DECIMALS),
        "width": round(100 * (box.x1 - box.x0) / size.width, _DECIMALS),
        "height": round(100 * (box.y1 - box.y0) / size.height, _DECIMALS),
    }
    return item | {SEAL: _seal(item)}


def _is_sealed(item: Item) -> bool:
    """Whether a keyframe is one of ours, and nobody touched it."""
    try:
        return SEAL in item and item[SEAL] == _seal(item)
    except (KeyError, TypeError, ValueError):
        return False


def _seal(item: Item) -> str:
    numbers = [float(item[name]) for name in (*_NUMBERS, "rotation")]
    text = " ".join([str(int(item["frame"])), str(bool(item["enabled"])), *(f"{it + 0:.3f}" for it in numbers)])
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()


def _sequence(region: Item) -> list[Item]:
    value = region.get("value")
    sequence = value.get("sequence") if isinstance(value, Mapping) else None
    if not isinstance(sequence, list) or not all(isinstance(item, Mapping) for item in sequence):
        raise RequestError(f"region {region.get('id')} has no list of keyframes in its value's 'sequence'")
    return sequence


def _set_keyframe(item: Item) -> SetKeyframe:
    frame = item.get("frame")
    if not isinstance(frame, int) or isinstance(frame, bool) or frame < _FIRST_FRAME:
        raise RequestError(f"a keyframe's frame is {frame!r}, wanted a whole number from {_FIRST_FRAME}")
    x, y, width, height = (_number(item, name) for name in _NUMBERS)
    rotation = _number(item, "rotation") if item.get("rotation") else 0.0
    return SetKeyframe(frame, (x, y, width, height, rotation), bool(item.get("enabled", True)))


def _number(item: Item, name: str) -> float:
    number = item.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise RequestError(f"got {number!r} for {name!r} of a keyframe, wanted a number of percent")
    return float(number)
