"""Which items of a ``result`` make one object: those of one region, and the regions of its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clickmask.decoder.errors import ShapeError
from clickmask.decoder.formats.builder import UNLABELED
from clickmask.decoder.formats.fields import Fields, is_plain, optional_score
from clickmask.decoder.formats.label_studio.masks import is_shape, region_box, region_ring, region_size, result_to_mask
from clickmask.decoder.shapes import mask_to_rle, polygons_to_mask
from clickmask.decoder.shapes.rle import Rle


@dataclass(frozen=True, slots=True)
class LabeledShape:
    """One object: items that share an id describe one region, and regions of parts lie beside the first.

    Args:
        regions: Region ids and their items; the first region is the one the others are parts of.
    """

    regions: dict[str, list[Fields]]

    @property
    def first(self) -> Fields:
        """The item that came first."""
        return next(iter(self.regions.values()))[0]

    def rle(self) -> Rle:
        """Return the pixels of all parts together.

        Raises:
            ShapeError: If a shape is malformed or the parts differ in image size.
            DatasetError: If a field is malformed.
        """
        rings = self.drawn().get("rings")
        if rings:
            return mask_to_rle(polygons_to_mask(rings, region_size(self.first)))
        masks = [result_to_mask(items[0]) for items in self.regions.values()]
        if len({mask.shape for mask in masks}) > 1:
            raise ShapeError(f"region {self.first.get('id')!r:.40}: its parts are on images of different sizes")
        return mask_to_rle(np.logical_or.reduce(masks))

    def drawn(self) -> dict[str, Any]:
        """Return ``rings``, or ``box`` and ``is_box``, of an object that was drawn so; nothing of others.

        Raises:
            DatasetError: If a field is malformed.
        """
        items = [items[0] for items in self.regions.values()]
        rings = [region_ring(item) for item in items]
        if all(ring is not None for ring in rings):
            return {"rings": tuple(ring for ring in rings if ring is not None)}
        box = region_box(items[0]) if len(items) == 1 else None
        return {} if box is None else {"box": box, "is_box": True}

    def extras(self) -> dict[str, Any]:
        """Return the first region's ``meta``: fields that a person or a conversion put there."""
        meta = self.first.get("meta")
        return dict(meta) if isinstance(meta, dict) and is_plain(meta) else {}

    def labels(self) -> list[str]:
        """Return the labels of all items, each once; ``UNLABELED`` if there is none."""
        values = [item["value"] for items in self.regions.values() for item in items]
        lists = [value[key] for value in values for key in value if key.endswith("labels")]
        labels = [label for found in lists if isinstance(found, list) for label in found]
        return list(dict.fromkeys(label for label in labels if isinstance(label, str) and label)) or [UNLABELED]

    def score(self) -> float | None:
        """Return the first region's score, or None."""
        return optional_score(self.first, f"region {self.first.get('id')!r:.40}")


def group_shapes(items: Iterable[object]) -> list[LabeledShape]:
    """Return the objects among the items of a ``result``; items that are not shapes are passed over."""
    groups: dict[str, LabeledShape] = {}
    for number, item in enumerate(items):
        if not is_shape(item):
            continue
        region_id = str(item.get("id", f"item {number}"))
        group = groups.setdefault(_owner(item, region_id), LabeledShape({}))
        group.regions.setdefault(region_id, []).append(item)
    return list(groups.values())


def _owner(item: Fields, region_id: str) -> str:
    """The id of the region this one is a part of, as ``to_polygon_results`` marks parts, or its own."""
    parent = item.get("parentID")
    return parent if isinstance(parent, str) and region_id.startswith(f"{parent}.") else region_id
