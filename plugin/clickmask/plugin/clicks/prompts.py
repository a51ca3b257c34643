"""What a person drew on the page, read from a request's context: one object's prompt and its label.

The page sends every region of the type and label just drawn, so the context also holds
regions that are no prompts: key points saved with a draft, predictions, other objects'
rectangles. Only key points drawn since the page was opened carry ``is_positive``, and a
live rectangle, brush or polygon is the last of the list.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clickmask.decoder import Box, Point, Prompt, Size
from clickmask.plugin.clicks.mask_prompts import outline_prompt, stroke_prompt
from clickmask.plugin.errors import RequestError
from clickmask.plugin.projects.label_config import ANSWER_TAGS

Item = Mapping[str, Any]

_KINDS = {kind.lower(): kind for kind in ANSWER_TAGS}
_LARGEST_PERCENT = 1e6  # anything beyond is no place on a picture
_BORDER_PERCENT = 1.0  # a click on the very edge of the image may be reported just outside of it


@dataclass(frozen=True, slots=True)
class PercentPoint:
    """One click [percent of the image's width and height]."""

    x_percent: float
    y_percent: float
    positive: bool


@dataclass(frozen=True, slots=True)
class RegionPrompt:
    """One object as drawn, not yet in pixels.

    Args:
        to_name: The image tag it was drawn on.
        labels: The labels of the object.
        points: Live key points, oldest first.
        shape: The rectangle, ellipse, brush, bitmask, polygon or vector around or over the object, or None.
        image_rotation: How the page shows the image [degrees clockwise]; coordinates do not turn with it.
        item_index: Which image of a list of images, or None.
        size: Of the image as the page has it [px], or None where no page says so: imported regions are often wrong.
    """

    to_name: str
    labels: tuple[str, ...]
    points: tuple[PercentPoint, ...]
    shape: Item | None
    image_rotation: int
    item_index: int | None
    size: Size | None = None

    @property
    def says_where(self) -> bool:
        """Whether anything of it lies on the object; clicks that only leave out point at nothing."""
        return self.shape is not None or any(point.positive for point in self.points)

    def prompt(self, size: Size) -> Prompt:
        """The prompt in pixels of an image of this size.

        Raises:
            RequestError: If a coordinate is missing or no number.
            PromptError: If a brush, bitmask, polygon or vector covers no pixel.
            ShapeError: If it is malformed.
            DatasetError: If a field of it is missing or wrong.
        """
        points = tuple(
            Point(_pixels(point.x_percent, size.width), _pixels(point.y_percent, size.height), point.positive)
            for point in self.points
        )
        if self.shape is None:
            return Prompt(points=points)
        match region_kind(self.shape):
            case "Rectangle" | "Ellipse":
                return Prompt(points=points, box=shape_box(self.shape, size))
            case "Brush" | "Bitmask":
                return stroke_prompt(self.shape, points, size)
            case _:
                return outline_prompt(self.shape, points, size)


def read_prompt(result: Sequence[Item]) -> RegionPrompt | None:
    """Find the live prompt in a context's ``result``; None if nothing of it is live, or says where the object is.

    A key point without ``is_positive`` counts as positive only where it does not come from
    the page either (no ``origin``), so that plain API clients may leave it out.

    Raises:
        RequestError: If an item is malformed.

    Example:
        >>> drawn = read_prompt([
        ...     {"type": "keypointlabels", "from_name": "point", "to_name": "image", "is_positive": True,
        ...      "value": {"x": 50, "y": 25, "width": 0.2, "keypointlabels": ["Cat"]}}
        ... ])
        >>> drawn.prompt(Size(480, 640)).points
        (Point(x=320.0, y=120.0, positive=True),)
    """
    live = [item for item in map(_checked, result) if _is_live(item)]
    if not live:
        return None
    last = live[-1]
    of_last = _object_of(last)
    same = [item for item in live if item is last or _object_of(item) == of_last]
    shapes = [item for item in same if region_kind(item) != "KeyPoint"]
    points = tuple([_point(item) for item in same if region_kind(item) == "KeyPoint"])
    drawn = replace(_drawn(last, points, shapes[-1] if shapes else None), size=_page_size(last))
    return drawn if drawn.says_where else None


def prompt_from_region(item: Item) -> RegionPrompt:
    """Take one existing region as the prompt of one object.

    Raises:
        RequestError: If the region is malformed.
    """
    region = _checked(item)
    if region_kind(region) == "KeyPoint":
        return _drawn(region, (_point(region),), None)
    return _drawn(region, (), region)


def with_labels(region: Item, items: Sequence[Item]) -> Item:
    """Return a region with its labels inside, where its tag carries none and an item of a <Labels> tag has them."""
    beside = next((it for it in items if it.get("type") == "labels" and it.get("id") == region.get("id")), None)
    inside = region.get("value")
    given = beside.get("value") if beside is not None else None
    if not isinstance(inside, Mapping) or not isinstance(given, Mapping) or "labels" in inside:
        return region
    return {**region, "value": {**inside, "labels": given.get("labels")}}


def label_only_prompt(to_name: str, label: str) -> RegionPrompt:
    """The stand-in for an object that nobody pointed at."""
    return RegionPrompt(to_name, (label,) if label else (), (), None, 0, None)


def objects(value: object) -> list[Item]:
    """The JSON objects of what should be a list of them."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def region_kind(item: Item) -> str:
    """The kind of a region, one of ``ANSWER_TAGS``; "" if it is not drawn on an image."""
    return _KINDS.get(str(item.get("type", "")).removesuffix("labels"), "")


def region_labels(item: Item) -> tuple[str, ...]:
    """The labels of a region, from whichever tag gave them."""
    value = item["value"]
    labels = value.get(item["type"]) or value.get("labels") or ()
    if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
        raise RequestError(f"labels of region {item.get('id')} are {labels!r}, wanted a list of names")
    return tuple(labels)


def shape_box(item: Item, size: Size) -> Box:
    """The upright box around a rectangle or ellipse, turned ones included [px].

    Label Studio turns a rectangle clockwise about its top-left corner, an ellipse about its centre.
    """
    value = item["value"]
    x, y = _coordinate(value, "x") / 100 * size.width, _coordinate(value, "y") / 100 * size.height
    angle = math.radians(_coordinate(value, "rotation") if value.get("rotation") else 0.0)
    cos, sin = math.cos(angle), math.sin(angle)
    if region_kind(item) == "Ellipse":
        a, b = _coordinate(value, "radiusX") / 100 * size.width, _coordinate(value, "radiusY") / 100 * size.height
        half_width, half_height = math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos)
        return Box(x - half_width, y - half_height, x + half_width, y + half_height)
    width, height = _coordinate(value, "width") / 100 * size.width, _coordinate(value, "height") / 100 * size.height
    xs = [x, x + width * cos, x - height * sin, x + width * cos - height * sin]
    ys = [y, y + width * sin, y + height * cos, y + width * sin + height * cos]
    return Box(min(xs), min(ys), max(xs), max(ys))


def _drawn(item: Item, points: tuple[PercentPoint, ...], shape: Item | None) -> RegionPrompt:
    rotation, index = item.get("image_rotation"), item.get("item_index")
    return RegionPrompt(
        to_name=item["to_name"],
        labels=region_labels(item),
        points=points,
        shape=shape,
        image_rotation=rotation if isinstance(rotation, int) else 0,
        item_index=index if isinstance(index, int) else None,
    )


def _page_size(item: Item) -> Size | None:
    """The size of the image as the page has it; None where a region does not say."""
    width, height = item.get("original_width"), item.get("original_height")
    known = isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0
    return Size(height, width) if known else None  # type: ignore[arg-type]


def _object_of(item: Item) -> tuple[object, ...]:
    """What regions of one object have in common."""
    return item["to_name"], item.get("item_index"), region_labels(item)


def _checked(item: object) -> Item:
    if not isinstance(item, Mapping) or not isinstance(item.get("value"), Mapping):
        raise RequestError(f"got {str(item)[:200]} in the context's result, wanted a region with a value")
    if not all(isinstance(item.get(name), str) for name in ("type", "from_name", "to_name")):
        raise RequestError(f"region {item.get('id')} lacks one of type, from_name and to_name")
    return item


def _is_live(item: Item) -> bool:
    kind = region_kind(item)
    if kind == "KeyPoint":
        return isinstance(item.get("is_positive"), bool) or not item.get("origin")
    return bool(kind) and item.get("origin") != "prediction"


def _point(item: Item) -> PercentPoint:
    value = item["value"]
    return PercentPoint(_coordinate(value, "x"), _coordinate(value, "y"), item.get("is_positive", True))


def _coordinate(value: Item, name: str) -> float:
    number = value.get(name)
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= _LARGEST_PERCENT:
        raise RequestError(f"got {str(number)[:50]} for {name!r}, wanted a number of percent")
    return float(number)


def _pixels(percent: float, length: int) -> float:
    """Percent to pixels; what is a hair outside counts as the border."""
    if -_BORDER_PERCENT <= percent <= 100 + _BORDER_PERCENT:
        percent = min(max(percent, 0.0), 100.0)
    return percent / 100 * length
