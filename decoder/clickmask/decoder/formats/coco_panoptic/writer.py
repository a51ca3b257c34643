"""Write COCO panoptic: a JSON file, and beside it a folder of its name with a PNG per image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ClickMaskError
from clickmask.decoder.formats.coco.records import write_category, write_image
from clickmask.decoder.formats.coco_panoptic.segments import MAX_SEGMENT, write_segments
from clickmask.decoder.formats.fields import with_fields
from clickmask.decoder.formats.json_writer import JsonArrays
from clickmask.decoder.formats.layers import flatten
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.output import claim, inside
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.shapes import mask_to_rle


def write_coco_panoptic(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a COCO panoptic JSON file and its PNGs, in the folder of its name.

    A pixel belongs to the smallest object that covers it. Categories are things unless their fields
    say otherwise (``isthing``). Lost: drawn polygons and boxes.

    Args:
        dataset: Its images are passed over once.
        path: The JSON file; it appears when it is whole.
        options: ``on_problem`` receives images that cannot be written and objects that end with no
            pixel, ``on_loss`` objects that end with fewer.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    header = {"info": dict(dataset.info), "licenses": [dict(terms) for terms in dataset.licenses]}
    taken: dict[Path, str] = {}
    with JsonArrays(path, ("images", "annotations", "categories"), header) as arrays:
        for category in dataset.categories:
            arrays.append("categories", with_fields(write_category(category), {"isthing": 1}))
        for annotated in dataset.images:
            image = annotated.image
            try:
                target = inside(path.with_suffix(""), image.file_name, ".png")
                claim(target, image.file_name, taken)
                segments_info = _write_picture(annotated, target, options)
            except ClickMaskError as problem:
                options.on_problem(problem)
                continue
            file_name = target.relative_to(path.with_suffix("")).as_posix()
            arrays.append("images", write_image(image))
            annotation = {"image_id": image.id, "file_name": file_name, "segments_info": segments_info}
            arrays.append("annotations", annotation)


def _write_picture(annotated: AnnotatedImage, target: Path, options: WriteOptions) -> list[dict[str, Any]]:
    """Write the PNG and return what the file says of its segments."""
    layer = flatten(annotated, options)
    numbers = _numbers(annotated)
    write_segments(target, np.array([0, *numbers], np.int32)[layer])
    visible = set(np.unique(layer).tolist())
    return [
        _info(item, number, layer == place)
        for place, (item, number) in enumerate(zip(annotated.objects, numbers, strict=True), start=1)
        if place in visible
    ]


def _numbers(annotated: AnnotatedImage) -> list[int]:
    """The segments' numbers: the objects' where all are colours, else 1, 2, 3 and so on."""
    numbers = [item.id for item in annotated.objects]
    if len(set(numbers)) == len(numbers) and all(0 < number <= MAX_SEGMENT for number in numbers):
        return numbers
    return list(range(1, len(numbers) + 1))


def _info(item: ObjectRecord, number: int, mask: NDArray[np.bool_]) -> dict[str, Any]:
    rle = mask_to_rle(mask)
    info: dict[str, Any] = {
        "id": number,
        "category_id": item.category_id,
        "iscrowd": int(item.is_crowd),
        "bbox": [int(value) for value in coco_mask.toBbox(rle)],
        "area": int(coco_mask.area(rle)),
    }
    info |= {} if item.score is None else {"score": item.score}
    info |= {} if item.track_id is None else {"track_id": item.track_id}
    return with_fields(info, item.extras)
