"""What is known of each connected project: its Label Studio, its options."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from clickmask.decoder import MODELS, RULES, Rule
from clickmask.plugin.errors import RequestError
from clickmask.plugin.files.locations import Connection, is_http_address
from clickmask.plugin.settings import Settings

_log = logging.getLogger(__name__)

Prelabel = Literal["off", "prompts", "everything"]
TrackDirection = Literal["both", "forward"]


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
        prelabel: What is segmented where nobody clicked: nothing, existing boxes, points and
            outlines, or everything.
        label: The label of what "everything" finds.
        track: Whether an object is followed through a video both ways from the first frame it was drawn on.
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
    prelabel: Prelabel = "prompts"
    label: str = ""
    track: TrackDirection = "both"


@dataclass(frozen=True, slots=True)
class Project:
    """A connected project.

    Args:
        id: As Label Studio sends it: number and time of creation, "3.1795210561".
        connection: The Label Studio server it lives on.
        options: What it wants different.
    """

    id: str
    connection: Connection
    options: ProjectOptions

    @property
    def number(self) -> int:
        """Its number on its Label Studio server, 0 if unknown."""
        head = self.id.partition(".")[0]
        return int(head) if head.isdigit() else 0


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


def connect(hostname: str, access_token: str, settings: Settings) -> Connection:
    """The connection to a Label Studio that introduced itself.

    A configured address and key win over what the request says: the key never goes to an
    address that only a request named.

    Raises:
        RequestError: If the host name is no http(s) address.
    """
    alias = hostname.strip().rstrip("/")
    if alias and not is_http_address(alias):
        raise RequestError(f"hostname is {hostname[:200]!r}, wanted an address like http://label-studio:8080")
    if settings.label_studio_url:
        token = settings.label_studio_api_key or access_token
        return Connection(settings.label_studio_url, token, alias if alias != settings.label_studio_url else "")
    return Connection(alias, access_token)


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
    "prelabel": _one_of(*get_args(Prelabel)),
    "label": _name,
    "track": _one_of(*get_args(TrackDirection)),
}
