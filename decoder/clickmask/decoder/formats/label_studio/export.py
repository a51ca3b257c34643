"""Write Label Studio tasks, and the labeling configuration that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from clickmask.decoder.formats.fields import with_fields
from clickmask.decoder.formats.json_writer import write_array
from clickmask.decoder.formats.label_studio.regions import (
    Region,
    to_bitmask_result,
    to_brush_result,
    to_drawn_polygon_results,
    to_drawn_rectangle_result,
    to_ellipse_result,
    to_keypoint_result,
    to_polygon_results,
    to_rectangle_result,
    to_rotated_rectangle_result,
    to_vector_results,
)
from clickmask.decoder.formats.options import Tag, WriteOptions, write_each
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import Mask, rle_to_mask

FROM_NAME = "label"
TO_NAME = "image"
CONTROLS: Mapping[Tag, str] = {
    "bitmask": "BitmaskLabels",
    "brush": "BrushLabels",
    "ellipse": "EllipseLabels",
    "keypoint": "KeyPointLabels",
    "polygon": "PolygonLabels",
    "rectangle": "RectangleLabels",
    "rotated": "RectangleLabels",
    "vector": "VectorLabels",
}
_OUTLINES: Mapping[Tag, Callable[..., list[dict[str, Any]]]] = {
    "polygon": to_polygon_results,
    "vector": to_vector_results,
}
_SINGLE: Mapping[Tag, Callable[[Mask, Region], dict[str, Any]]] = {
    "bitmask": to_bitmask_result,
    "brush": to_brush_result,
    "ellipse": to_ellipse_result,
    "keypoint": to_keypoint_result,
    "rectangle": to_rectangle_result,
    "rotated": to_rotated_rectangle_result,
}


def write_label_studio(dataset: Dataset, path: Path, options: WriteOptions | None = None) -> None:
    """Write a JSON file of tasks to import into Label Studio, and ``<name>.config.xml`` for its project.

    An image whose objects all have scores gets a prediction, one without regions nothing, others
    an annotation. The image's size is written into the task's data, so that it is known without
    regions; fields that travel along go into the data and into the regions' ``meta``. Lost:
    ``is_crowd`` and ``track_id``. Exact with the tags brush, bitmask, polygon and vector.

    Args:
        dataset: Its images are passed over once.
        path: The JSON file; it appears when it is whole.
        options: Kind of region, simplification, and what to put before file names.

    Raises:
        DatasetError: If a file cannot be written.
    """
    options = options or WriteOptions()
    names = dataset.category_names
    write_array(path, (_task(annotated, names, options) for annotated in dataset.images))
    with write_whole(path.with_name(f"{path.stem}.config.xml")) as file:
        file.write(label_config(dataset.categories, options.tag))


def label_config(categories: Iterable[Category], tag: Tag) -> str:
    """Return the labeling configuration of a project whose tasks were written with this tag.

    Example:
        >>> print(label_config([Category(1, "Cat")], "brush"), end="")
        <View>
          <Image name="image" value="$image" zoom="true"/>
          <BrushLabels name="label" toName="image">
            <Label value="Cat"/>
          </BrushLabels>
        </View>
    """
    control = CONTROLS[tag]
    extra = ' closable="true"' if tag == "vector" else ""
    labels = "".join(f"    <Label value={quoteattr(category.name)}/>\n" for category in categories)
    return (
        f'<View>\n  <Image name="{TO_NAME}" value="$image" zoom="true"/>\n'
        f'  <{control} name="{FROM_NAME}" toName="{TO_NAME}"{extra}>\n{labels}  </{control}>\n</View>\n'
    )


def to_results(mask: Mask, region: Region, options: WriteOptions) -> list[dict[str, Any]]:
    """Return the items of one object with the tag and the limits of the options.

    Raises:
        ShapeError: If the mask is empty and the tag cannot be, or the limits cannot hold.
    """
    if options.tag in _OUTLINES:
        write = _OUTLINES[options.tag]
        return write(
            mask, region, style=options.style or "parts", min_iou=options.min_iou, max_points=options.max_points
        )
    return [_SINGLE[options.tag](mask, region)]


def _task(annotated: AnnotatedImage, names: Mapping[int, str], options: WriteOptions) -> dict[str, Any]:
    image = annotated.image
    name = options.image_prefix + quote(image.file_name) if options.image_prefix else image.file_name
    task: dict[str, Any] = {
        "id": image.id,
        "data": with_fields({"image": name, "width": image.size.width, "height": image.size.height}, image.extras),
    }
    objects = write_each(lambda record: _items(record, names, options), annotated, options.on_problem)
    result = [item for items in objects for item in items]
    if not result:
        return task  # an empty annotation would count as work done
    scores = [record.score for record in annotated.objects if record.score is not None]
    if len(scores) == len(annotated.objects):
        return task | {"predictions": [{"result": result, "score": fmean(scores)}]}
    return task | {"annotations": [{"result": result}]}


def _items(record: ObjectRecord, names: Mapping[int, str], options: WriteOptions) -> list[dict[str, Any]]:
    label = (names[record.category_id],)
    region = Region(FROM_NAME, TO_NAME, label, f"object-{record.id}", record.score, record.extras)
    height, width = record.rle["size"]
    if record.is_box and record.box is not None and options.tag == "rectangle":
        return [to_drawn_rectangle_result(record.box, Size(height, width), region)]
    if record.rings and options.keeps_drawn and (options.tag == "polygon" or options.tag == "vector"):
        return to_drawn_polygon_results(record.rings, Size(height, width), region, options.tag)
    return to_results(rle_to_mask(record.rle), region, options)
