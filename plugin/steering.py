"""A box that a person drew and did not accept yet, for the clicks that follow in it.

Label Studio sends clicks and boxes apart. But with every click it sends the drafts of the very
person who clicked, and a drawn box stays in the draft until its answer is accepted or rejected.
The page saves a draft 5 s after a change, so a box counts from then on and, once accepted, for as
long still: that is why a project has to ask for this (``box_steers``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from decoder import Size
from plugin.label_config import LabelConfig
from plugin.prompts import Drawn, drawn_from, objects, region_kind, shape_box

_PERCENT = Size(100, 100)  # boxes and clicks are compared in percent


def steered(drawn: Drawn, task: Mapping[str, Any], config: LabelConfig) -> Drawn:
    """Give clicks the newest unaccepted box of the same label and image that holds all positive ones of them.

    Args:
        drawn: What the person drew; returned as it is if it has a shape, or there is no such box.
        task: With the person's drafts.
        config: Of the project; only boxes of its smart tags are prompts.

    Raises:
        RequestError: If a box in the drafts is malformed.
    """
    if drawn.shape is not None:
        return drawn
    boxes = [box for box in _boxes(task, config) if _object_of(box) == _object_of(drawn) and _holds(box, drawn)]
    return replace(drawn, shape=boxes[-1].shape) if boxes else drawn


def _boxes(task: Mapping[str, Any], config: LabelConfig) -> Iterator[Drawn]:
    smart = {control.name for control in config.controls if control.smart}
    for draft in objects(task.get("drafts")):
        for item in objects(draft.get("result")):
            if item.get("from_name") in smart and region_kind(item) == "Rectangle":
                yield drawn_from(item)


def _object_of(drawn: Drawn) -> tuple[object, ...]:
    return drawn.to_name, drawn.item_index, drawn.labels


def _holds(box: Drawn, drawn: Drawn) -> bool:
    """Whether all positive clicks are inside; a click outside is about something else."""
    around = shape_box(box.shape or {}, _PERCENT)
    inside = [
        around.x0 <= point.x_percent <= around.x1 and around.y0 <= point.y_percent <= around.y1
        for point in drawn.points
        if point.positive
    ]
    return bool(inside) and all(inside)
