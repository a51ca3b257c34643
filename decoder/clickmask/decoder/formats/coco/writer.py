"""Write a COCO dataset of any length, one image at a time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from clickmask.decoder.formats.coco.records import write_category, write_image, write_object
from clickmask.decoder.formats.fields import with_fields
from clickmask.decoder.formats.json_writer import JsonArrays
from clickmask.decoder.formats.options import WriteOptions, write_each
from clickmask.decoder.formats.records import Dataset

ARRAYS = ("images", "annotations", "categories")


def write_coco(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a COCO JSON file; ids, drawn polygons and boxes, and fields of other tools stay as they are.

    Args:
        dataset: Its images are passed over once.
        path: The JSON file; it appears when it is whole.
        options: Encoding and simplification of the masks; exact polygons by default. ``on_problem``
            receives objects that cannot be written.

    Raises:
        DatasetError: If the file cannot be written.
    """
    options = options or WriteOptions()
    header = {"info": dict(dataset.info), "licenses": [dict(terms) for terms in dataset.licenses]}
    header = with_fields(header, {name: value for name, value in dataset.extras.items() if name not in ARRAYS})
    with JsonArrays(path, ARRAYS, header) as arrays:
        for category in dataset.categories:
            arrays.append("categories", write_category(category))
        for annotated in dataset.images:
            arrays.append("images", write_image(annotated.image))
            write = partial(write_object, image_id=annotated.image.id, options=options)
            for element in write_each(write, annotated, options.on_problem):
                arrays.append("annotations", element)
