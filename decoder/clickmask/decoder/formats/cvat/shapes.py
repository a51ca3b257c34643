"""CVAT's shapes as masks and as they were drawn, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from clickmask.decoder.errors import DatasetError, ShapeError
from clickmask.decoder.formats.coco.segmentation import box_to_rle
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import ObjectRecord, Ring
from clickmask.decoder.formats.xml_reader import as_number, number_of, whole_of
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import Ellipse, ellipse_to_mask, mask_to_rle, polygons_to_mask, rle_area, rle_to_polygons
from clickmask.decoder.shapes.rle import Rle, crop_to_rle, rle_to_crop

Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape's pixels, and how it was drawn: as a polygon, a box, or neither."""

    rle: Rle
    ring: Ring = ()
    box: tuple[float, float, float, float] | None = None  # x, y, width, height [px]


def read_shape(kind: str, attributes: Attributes, size: Size, where: str) -> Shape:
    """Return a box (upright or turned), polygon, ellipse or mask.

    Args:
        kind: The element's name.
        attributes: Its attributes.
        size: Of the image.
        where: Names the element in errors.

    Raises:
        DatasetError: If an attribute is missing or malformed.
        ShapeError: If the shape is malformed or has no area (points, polylines, skeletons, cuboids).
    """
    if kind not in _SHAPES:
        raise ShapeError(f"{where}: is a {kind}, which has no area, wanted {', '.join(_SHAPES)}")
    try:
        return _SHAPES[kind](attributes, size, where)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None


def shape_attributes(item: ObjectRecord, options: WriteOptions) -> list[tuple[str, dict[str, str]]]:
    """Return an object as elements, each its name and its attributes: what was drawn, else its mask.

    An object of several drawn polygons is one mask, as CVAT has it; only where points are to be saved
    it is several polygons.

    Raises:
        ShapeError: If the object has no pixel, or the limits of the options cannot hold.
    """
    if options.keeps_drawn and item.is_box and item.box is not None:
        x, y, width, height = item.box
        return [("box", {"xtl": repr(x), "ytl": repr(y), "xbr": repr(x + width), "ybr": repr(y + height)})]
    if not rle_area(item.rle):
        raise ShapeError("has no pixel, wanted at least one")
    if options.keeps_drawn and len(item.rings) == 1:
        return [("polygon", {"points": _points(item.rings[0])})]
    if options.min_iou is None and options.max_points is None and options.style is None:
        return [("mask", _mask_attributes(item.rle))]
    polygons = rle_to_polygons(
        item.rle, style=options.style or "parts", min_iou=options.min_iou, max_points=options.max_points
    )
    return [("polygon", {"points": _points(ring)}) for ring in polygons.to_coco()]


def _box(attributes: Attributes, size: Size, where: str) -> Shape:
    x0, y0, x1, y1 = (number_of(attributes, name, where) for name in ("xtl", "ytl", "xbr", "ybr"))
    turned = as_number(attributes.get("rotation", "0"), "rotation", where) % 360
    if turned:
        return _filled(_turned_corners(x0, y0, x1, y1, turned), size)
    box = (x0, y0, x1 - x0, y1 - y0)
    return Shape(box_to_rle(list(box), size), (), box)


def _turned_corners(x0: float, y0: float, x1: float, y1: float, degrees: float) -> Ring:
    """The corners of a box turned about its centre, clockwise on the screen."""
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(x0 - x, y0 - y), (x1 - x, y0 - y), (x1 - x, y1 - y), (x0 - x, y1 - y)]
    return tuple(value for dx, dy in corners for value in (x + dx * cos - dy * sin, y + dx * sin + dy * cos))


def _polygon(attributes: Attributes, size: Size, where: str) -> Shape:
    pairs = [pair.split(",") for pair in attributes.get("points", "").split(";")]
    if any(len(pair) != 2 for pair in pairs):
        raise DatasetError(f"{where}: points are {attributes.get('points')!r:.80}, wanted x,y;x,y;...")
    return _filled(tuple(as_number(value, "a coordinate", where) for pair in pairs for value in pair), size)


def _filled(ring: Ring, size: Size) -> Shape:
    return Shape(mask_to_rle(polygons_to_mask([list(ring)], size)), ring)


def _ellipse(attributes: Attributes, size: Size, where: str) -> Shape:
    x, y, rx, ry = (number_of(attributes, name, where) for name in ("cx", "cy", "rx", "ry"))
    turned = as_number(attributes.get("rotation", "0"), "rotation", where)
    return Shape(mask_to_rle(ellipse_to_mask(Ellipse(x, y, rx, ry, turned), size)))


def _mask(attributes: Attributes, size: Size, where: str) -> Shape:
    """Runs of a window of the image, row by row, background first."""
    left, top, width, height = (whole_of(attributes, name, where) for name in ("left", "top", "width", "height"))
    if not (0 <= left < left + width <= size.width and 0 <= top < top + height <= size.height):
        raise ShapeError(
            f"the mask covers {width}x{height} pixels from ({left}, {top}), which the {size} image has not"
        )
    texts = [text.strip() for text in attributes.get("rle", "").split(",")]
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
        raise DatasetError(f"{where}: rle is {attributes.get('rle')!r:.80}, wanted whole numbers")
    runs = [int(text) for text in texts]
    if sum(runs) != width * height:
        raise ShapeError(f"the runs add up to {sum(runs)} pixels, wanted {width * height} for {width}x{height}")
    pixels = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8).reshape(height, width)
    return Shape(crop_to_rle(pixels, left, top, size))


def _mask_attributes(rle: Rle) -> dict[str, str]:
    pixels, left, top = rle_to_crop(rle)
    flat = pixels.reshape(-1)
    starts = np.flatnonzero(np.diff(flat, prepend=np.uint8(0)))
    runs = np.diff(starts, prepend=0, append=flat.size).tolist()
    height, width = pixels.shape
    window = {"left": left, "top": top, "width": width, "height": height}
    return {"rle": ", ".join(map(str, runs)), **{name: str(value) for name, value in window.items()}}


def _points(ring: Ring | list[float]) -> str:
    return ";".join(f"{x!r},{y!r}" for x, y in zip(ring[::2], ring[1::2], strict=True))


_SHAPES: Mapping[str, Callable[[Attributes, Size, str], Shape]] = {
    "box": _box,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "mask": _mask,
}
