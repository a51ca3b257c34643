"""What one project wants different: the extra params of its connection."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from clickmask.decoder import MODELS, RULES, Rule
from clickmask.plugin.errors import RequestError

Prelabel = Literal["off", "prompts", "everything", "like these"]
TrackDirection = Literal["both", "forward"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProjectOptions:
    """What one project wants different; the extra params of its connection, as JSON.

    Args:
        model: A model name; "" for the server's.
        rule: How a mask is chosen: "auto", "iou" or "stability".
        min_score: Answers below this predicted IoU are left out, in [0, 1].
        min_iou: Polygons keep at least this overlap with the mask, in [0.5, 1]; 1 is exact.
        fill_holes_px: Holes smaller than this are filled [pixels of area].
        drop_specks_px: Loose parts smaller than this are dropped [pixels of area].
        largest_part: Whether only the largest part is kept.
        smooth_px: Edges are smoothed by this radius [px].
        answer: Names of the tags that hold answers; empty for those that are not smart.
        zoom: Whether each answer gets a second look on a crop: sharper, and slower; None where the model's own masks
            are coarse.
        chain: Whether each click starts from the answer to the clicks before.
        candidates: Whether a click is answered with all masks that differ, for people who want to choose.
        prelabel: What is segmented where nobody clicked: nothing, existing boxes, points and
            outlines; where a task has none, everything, or what is like the project's accepted annotations.
        label: The label of what "everything" finds.
        track: Whether an object is followed through a video both ways from the first frame it was drawn on.
        labels: What objects of a label want different again, by label.
    """

    model: str = ""
    rule: Rule = "auto"
    min_score: float = 0.0
    min_iou: float = 0.98
    fill_holes_px: float = 0.0
    drop_specks_px: float = 0.0
    largest_part: bool = False
    smooth_px: float = 0.0
    answer: tuple[str, ...] = ()
    zoom: bool | None = None
    chain: bool = True
    candidates: bool = False
    prelabel: Prelabel = "prompts"
    label: str = ""
    track: TrackDirection = "both"
    labels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def for_labels(self, labels: tuple[str, ...]) -> ProjectOptions:
        """Return the options for objects of these labels; where several say something, the first does.

        Example:
            >>> read_options({"labels": {"Road": {"min_iou": 0.95}}}).for_labels(("Road",)).min_iou
            0.95
        """
        wanted = next((self.labels[label] for label in labels if label in self.labels), {})
        return replace(self, **wanted) if wanted else self


def read_options(extra_params: object) -> ProjectOptions:
    """Read a connection's extra params: nothing, a JSON object, or its text.

    Raises:
        RequestError: If a name is unknown or a value cannot work.

    Example:
        >>> read_options({"rule": "stability", "min_iou": 1}).min_iou
        1.0
        >>> read_options('{"rule": "best"}')
        Traceback (most recent call last):
            ...
        clickmask.plugin.errors.RequestError: extra params: rule is 'best', wanted one of auto, iou, stability
    """
    given = _with_new_names(_as_mapping(extra_params))
    known = [option.name for option in fields(ProjectOptions)]
    for name in given:
        if name not in known:
            raise RequestError(f"extra params: {name!r} is unknown, wanted one of {', '.join(known)}")
    return ProjectOptions(**{name: _READERS[name](name, value) for name, value in given.items()})


def _as_mapping(extra_params: object) -> Mapping[str, Any]:
    if isinstance(extra_params, str) and extra_params.strip():
        try:
            extra_params = json.loads(extra_params)
        except ValueError as error:
            raise RequestError(f"extra params are no JSON: {error}") from error
    if not extra_params:
        return {}
    if not isinstance(extra_params, Mapping):
        raise RequestError(f"extra params are {extra_params!r}, wanted a JSON object")
    return extra_params


def _with_new_names(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the names of 0.1 too, for one release."""
    for old, new in _RENAMED.items():
        if old in given:
            _log.warning("extra params: %s is called %s now; the old name will go with the next release", old, new)
    return {_RENAMED.get(name, name): value for name, value in given.items()}


def _number(lowest: float, highest: float) -> Any:
    def read(name: str, value: object) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest
        if not good:
            upper = "" if math.isinf(highest) else f" to {highest:g}"
            raise RequestError(f"extra params: {name} is {value!r}, wanted a number from {lowest:g}{upper}")
        return float(value)  # type: ignore[arg-type]

    return read


def _one_of(*allowed: str) -> Any:
    def read(name: str, value: object) -> str:
        if value not in allowed:
            raise RequestError(f"extra params: {name} is {value!r}, wanted one of {', '.join(allowed)}")
        return str(value)

    return read


def _yes_or_no(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise RequestError(f"extra params: {name} is {value!r}, wanted true or false")
    return value


def _name(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise RequestError(f"extra params: {name} is {value!r}, wanted text")
    return value


def _tag_names(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise RequestError(f"extra params: {name} is {value!r}, wanted a list of tag names")
    return tuple(value)


def _by_label(name: str, value: object) -> dict[str, dict[str, Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(wanted, Mapping) for wanted in value.values()):
        raise RequestError(f"extra params: {name} is {value!r}, wanted an object of options by label")
    return {str(label): _options_of(str(label), wanted) for label, wanted in value.items()}


def _options_of(label: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    for option in wanted:
        if option not in _PER_LABEL:
            raise RequestError(
                f"extra params: {option!r} of label {label!r} is unknown, wanted one of {', '.join(_PER_LABEL)}"
            )
    return {option: _READERS[option](f"{option} of label {label!r}", value) for option, value in wanted.items()}


_PER_LABEL = (
    "rule",
    "min_score",
    "min_iou",
    "fill_holes_px",
    "drop_specks_px",
    "largest_part",
    "smooth_px",
    "answer",
    "zoom",
    "chain",
    "candidates",
)
_RENAMED = {"closely": "zoom", "refine": "chain"}
_AREA = _number(0.0, math.inf)
_READERS: dict[str, Any] = {
    "model": _one_of(*MODELS),
    "rule": _one_of(*RULES),
    "min_score": _number(0.0, 1.0),
    "min_iou": _number(0.5, 1.0),
    "fill_holes_px": _AREA,
    "drop_specks_px": _AREA,
    "largest_part": _yes_or_no,
    "smooth_px": _number(0.0, 100.0),
    "answer": _tag_names,
    "zoom": _yes_or_no,
    "chain": _yes_or_no,
    "candidates": _yes_or_no,
    "prelabel": _one_of(*get_args(Prelabel)),
    "label": _name,
    "track": _one_of(*get_args(TrackDirection)),
    "labels": _by_label,
}
