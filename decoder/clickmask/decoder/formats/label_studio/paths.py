"""Label Studio's vectors: points joined by straight lines or cubic Bezier curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clickmask.decoder.formats.fields import Fields, as_fields, number

STEPS_PER_CURVE = 32
_PULL = 0.3  # where Label Studio puts a control point that one end of a curve does not have

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Vertex:
    """A point [percent] with the control points of the curves that arrive and leave, if any."""

    point: XY
    arriving: XY | None = None
    leaving: XY | None = None


def read_vertex(vertex: Any, where: str) -> Vertex:
    """Return one of ``value.vertices``.

    Raises:
        DatasetError: If a coordinate is missing or not a finite number.
    """
    fields = as_fields(vertex, f"{where}: vertex")
    if not fields.get("isBezier"):
        return Vertex(_xy(fields, where))
    return Vertex(
        _xy(fields, where), _control(fields, "controlPoint1", where), _control(fields, "controlPoint2", where)
    )


def flatten_path(vertices: Sequence[Vertex]) -> Iterator[XY]:
    """Yield the points of a closed path, curves cut into straight pieces."""
    for start, end in zip(vertices, [*vertices[1:], *vertices[:1]], strict=True):
        yield start.point
        if start.leaving or end.arriving:
            yield from _curve(start, end)


def _curve(start: Vertex, end: Vertex) -> Iterator[XY]:
    """Points between two vertices, without them."""
    first = start.leaving or _between(start.point, end.point)
    last = end.arriving or _between(end.point, start.point)
    corners = np.array([start.point, first, last, end.point])  # (4, 2)
    t = np.arange(1, STEPS_PER_CURVE)[:, None] / STEPS_PER_CURVE  # (N, 1)
    weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])  # (N, 4)
    yield from map(tuple, (weights @ corners).tolist())


def _between(near: XY, far: XY) -> XY:
    return near[0] + _PULL * (far[0] - near[0]), near[1] + _PULL * (far[1] - near[1])


def _control(fields: Fields, name: str, where: str) -> XY | None:
    return None if fields.get(name) is None else _xy(as_fields(fields[name], f"{where}: {name}"), where)


def _xy(fields: Fields, where: str) -> XY:
    return number(fields, "x", where), number(fields, "y", where)
