"""Few boxes instead of many: the frames between two of them follow on straight lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clickmask.decoder.prompts import Box
from clickmask.decoder.shapes import box_iou

LEAST_IOU = 0.95


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A box on a frame; ``seen`` is False where the object is lost from here to the next keyframe."""

    frame: int  # from 0
    box: Box  # [px]
    seen: bool = True


def choose_keyframes(boxes: Mapping[int, Box | None], least_iou: float = LEAST_IOU) -> list[Keyframe]:
    """Choose keyframes so that lines between them stay close to every box.

    From each keyframe the next one is as far away as the boxes between allow. Where the object is
    not seen, a keyframe that says so follows the last box.

    Args:
        boxes: By frame, of consecutive frames; None where the object is not seen.
        least_iou: Between every box and the one interpolated in its place, in (0, 1].

    Returns:
        Keyframes in order; none if the object is never seen.

    Example:
        >>> walk = {t: Box(t, 0, t + 10, 10) for t in range(100)}
        >>> [keyframe.frame for keyframe in choose_keyframes(walk)]
        [0, 99]
    """
    keyframes: list[Keyframe] = []
    for run in _runs(boxes):
        first, last = run[0], run[-1]
        seen = {frame: box for frame in range(first, last + 1) if (box := boxes[frame]) is not None}
        keyframes += _along(seen, first, last, least_iou)
        if last + 1 in boxes:  # the last box holds until it is said that the object is gone
            keyframes.append(Keyframe(last + 1, seen[last], seen=False))
    return keyframes


def interpolate(before: Keyframe, after: Keyframe, frame: int) -> Box:
    """The box of a frame between two keyframes."""
    share = (frame - before.frame) / (after.frame - before.frame)
    return Box(*(a + share * (b - a) for a, b in zip(before.box.xyxy, after.box.xyxy, strict=True)))


def _runs(boxes: Mapping[int, Box | None]) -> list[list[int]]:
    """Stretches of consecutive frames on which the object is seen."""
    runs: list[list[int]] = []
    for frame in sorted(boxes):
        if boxes[frame] is None:
            continue
        if runs and runs[-1][-1] == frame - 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return runs


def _along(boxes: Mapping[int, Box], first: int, last: int, least_iou: float) -> list[Keyframe]:
    keyframes = [Keyframe(first, boxes[first])]
    while keyframes[-1].frame < last:
        start = keyframes[-1]
        reach = start.frame + 1
        while reach < last and _fits(start, Keyframe(reach + 1, boxes[reach + 1]), boxes, least_iou):
            reach += 1
        keyframes.append(Keyframe(reach, boxes[reach]))
    return keyframes


def _fits(before: Keyframe, after: Keyframe, boxes: Mapping[int, Box], least_iou: float) -> bool:
    between = range(before.frame + 1, after.frame)
    return all(box_iou(interpolate(before, after, frame), boxes[frame]) >= least_iou for frame in between)
