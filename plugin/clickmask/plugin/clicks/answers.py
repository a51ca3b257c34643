"""A mask as Label Studio regions: one for every tag of the project that holds answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clickmask.decoder.formats.label_studio import (
    Region,
    new_region_id,
    to_bitmask_result,
    to_brush_result,
    to_ellipse_result,
    to_keypoint_result,
    to_polygon_results,
    to_rectangle_result,
    to_vector_results,
)
from clickmask.decoder.shapes import drop_specks, fill_holes, keep_largest_part, smooth_mask
from clickmask.plugin.clicks.prompts import RegionPrompt
from clickmask.plugin.projects.label_config import Control, LabelConfig
from clickmask.plugin.projects.options import ProjectOptions

EXACT = 1.0


def answer_regions(
    mask: NDArray[np.bool_], score: float, drawn: RegionPrompt, config: LabelConfig, options: ProjectOptions
) -> list[dict[str, Any]]:
    """Write one mask into all tags that hold answers; nothing for an empty mask or a low score.

    A tag that does not offer the prompt's labels is left out. Where the prompt has no label, the only one of
    the image's tags is meant.

    Args:
        mask: The object, shape (H, W).
        score: Its predicted IoU.
        drawn: What the person drew: label, image, rotation.
        config: The project's tags.
        options: The project's clean-up, simplification and choice of tags.
    """
    mask = cleaned(mask, options)
    if score < options.min_score or not mask.any():
        return []
    labels = drawn.labels or config.only_label(drawn.to_name)
    items: list[dict[str, Any]] = []
    for control in config.answering(drawn.to_name, options.answer):
        if control.labelled:
            written = config.written(control, labels)
            items += _regions(mask, score, control, written, options) if written else ()
        else:
            items += _unlabelled(mask, score, control, labels, config, options)
    return [_placed(item, drawn) for item in items]


def cleaned(mask: NDArray[np.bool_], options: ProjectOptions) -> NDArray[np.bool_]:
    """Clean a mask as the project wants it; unchanged by default."""
    if options.smooth_px:
        mask = smooth_mask(mask, radius_px=options.smooth_px)
    if options.fill_holes_px:
        mask = fill_holes(mask, below_px=options.fill_holes_px)
    if options.drop_specks_px:
        mask = drop_specks(mask, below_px=options.drop_specks_px)
    return keep_largest_part(mask) if options.largest_part else mask


def _unlabelled(
    mask: NDArray[np.bool_],
    score: float,
    control: Control,
    labels: tuple[str, ...],
    config: LabelConfig,
    options: ProjectOptions,
) -> Iterator[dict[str, Any]]:
    """The regions of a tag without own labels, each with the item of the <Labels> tag that offers them.

    Nothing where there are <Labels> tags and none of them offers the labels.
    """
    tag = config.label_tag(control.to_name, labels) if labels else None
    if labels and tag is None and config.has_label_tag(control.to_name):
        return
    for region in _regions(mask, score, control, (), options):
        yield region
        if tag is not None:
            yield _label_item(region, tag.name, config.written(tag, labels) or ())


def _regions(
    mask: NDArray[np.bool_],
    score: float,
    control: Control,
    labels: tuple[str, ...],
    options: ProjectOptions,
) -> Iterator[dict[str, Any]]:
    region = Region(control.name, control.to_name, labels, new_region_id(), round(score, 4))
    limit = None if options.min_iou == EXACT else options.min_iou
    match control.kind:
        case "Polygon":
            yield from to_polygon_results(mask, region, min_iou=limit)
        case "Vector":
            yield from to_vector_results(mask, region, min_iou=limit)
        case kind:
            yield _WRITERS[kind](mask, region)


def _label_item(region: dict[str, Any], tag: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """The labels of a region as a <Labels> tag writes them: the same id, and the shape once more."""
    shape = {name: value for name, value in region["value"].items() if name not in ("rle", "imageDataURL")}
    return region | {"from_name": tag, "type": "labels", "value": shape | {"labels": list(labels)}}


def _placed(item: dict[str, Any], drawn: RegionPrompt) -> dict[str, Any]:
    """The item on the image it was drawn on, as the person sees it."""
    placed = item | {"image_rotation": drawn.image_rotation, "readonly": False}
    return placed if drawn.item_index is None else placed | {"item_index": drawn.item_index}


_WRITERS = {
    "Bitmask": to_bitmask_result,
    "Brush": to_brush_result,
    "Ellipse": to_ellipse_result,
    "KeyPoint": to_keypoint_result,
    "Rectangle": to_rectangle_result,
}
