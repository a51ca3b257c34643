"""Accepted answers as objects to learn from: the mask as it was accepted, and the file of its picture."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from clickmask.decoder import ClickMaskError
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.learning import AcceptedObject
from clickmask.decoder.shapes import mask_to_rle
from clickmask.plugin.files.images import Images
from clickmask.plugin.files.locations import locate
from clickmask.plugin.projects.label_config import LabelConfig
from clickmask.plugin.projects.projects import Project

_AREAS = ("brushlabels", "brush", "bitmasklabels", "bitmask", "polygonlabels", "polygon", "vectorlabels", "vector")
"""Types of regions that are the object itself; a box is only around it."""

_log = logging.getLogger(__name__)


def accepted_objects(
    examples: Iterable[Mapping[str, Any]], project: Project, config: LabelConfig | None, images: Images, folder: Path
) -> list[AcceptedObject]:
    """Read the masks, and lay the pictures' files into a folder, each once; what cannot be read is logged and left out.

    Args:
        examples: Of one project, see ``Records.examples``, oldest first.
        project: Whose they are.
        config: Its label config, where it is known.
        images: Gives the files.
        folder: For the files.
    """
    found: dict[str, AcceptedObject] = {}
    for example in examples:
        region = example["region"]
        if region.get("type") not in _AREAS:
            continue
        key = f"{example['annotation']} {region.get('id')}"
        try:
            file = _picture(example, project, config, images, folder)
            rle = mask_to_rle(result_to_mask(region))
        except (ClickMaskError, OSError) as error:
            _log.warning("annotation %s teaches nothing: %s", example["annotation"], error)
            continue
        points = tuple((p["x"], p["y"]) for p in example["prompt"]["points"] if p["positive"])
        found.setdefault(key, AcceptedObject(key, example["image_key"], file, rle, points))
    return list(found.values())


def _picture(
    example: Mapping[str, Any], project: Project, config: LabelConfig | None, images: Images, folder: Path
) -> Path:
    path = folder / str(example["image_key"])
    if not path.is_file():
        region = example["region"]
        source = config.images.get(str(region.get("to_name")), "$image") if config else "$image"
        location = locate({"data": example["data"]}, source, region.get("item_index"), project.connection)
        path.write_bytes(images.content(location, project.connection))
    return path
