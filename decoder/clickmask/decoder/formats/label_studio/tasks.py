"""Read Label Studio tasks: a JSON export or import file, one task per image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.builder import DatasetBuilder
from clickmask.decoder.formats.fields import Fields, as_fields, other_fields, wrong
from clickmask.decoder.formats.json_reader import TOP_LEVEL, read_elements
from clickmask.decoder.formats.label_studio.masks import is_shape, region_size
from clickmask.decoder.formats.label_studio.objects import LabeledShape, group_shapes
from clickmask.decoder.formats.label_studio.sources import Sources, find_sources, read_tags
from clickmask.decoder.formats.label_studio.tracks import VideoTrack, add_tracks, is_track, read_track
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.output import inside
from clickmask.decoder.formats.pictures import size_in
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.prompts import Size
from clickmask.decoder.video.video_file import open_video

_TASK_FIELDS = frozenset({"id", "data", "annotations", "predictions", "completions", "meta", "project", "created_at"})
_MIN_FIELDS = frozenset({"id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time"})
REGIONS = {"brush", "bitmask", "polygon", "vector", "rectangle", "ellipse", "keypoint", "videorectangle"}


def read_label_studio(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read the tasks of a Label Studio JSON or JSON-MIN file.

    Only what a person submitted is read: cancelled annotations, tasks that were skipped or never
    opened, clicks that nobody accepted, and predictions are left out and told. A region with several
    labels becomes one object per label. What is no region (choices, texts, relations) is told.
    A region lies on the picture its ``to_name`` and ``item_index`` name. An image without regions
    needs its size: ``width`` and ``height`` in the task's data, or the picture in ``options.images``;
    a video needs it too, and gives an image for every frame.

    Args:
        path: The JSON file, an array of tasks or one task.
        options: ``on_problem`` receives the tasks and regions that were left out, ``on_loss`` what a
            dataset does not hold. ``choice`` says which annotation of a task counts: "all", "newest",
            "ground-truth", an annotator's number or address, or "predictions", which are taken where
            there is no annotation. ``companion`` is the labeling configuration; one that lies beside
            the file as ``<name>.config.xml`` is found.

    Raises:
        DatasetError: If the file cannot be read or is no array of tasks.
    """
    options = options or ReadOptions()
    beside = path.with_name(f"{path.stem}.config.xml")
    config = options.companion or (beside if beside.is_file() else None)
    tags = {} if config is None else read_tags(config)
    builder = DatasetBuilder()
    for task in options.progress(_tasks(path), "tasks"):
        where = f"{path}: task {task.get('id')!r:.40}" if isinstance(task, dict) else str(path)
        try:
            _read_task(_full_task(as_fields(task, where)), tags, where, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)
    return builder.dataset()


def picture_name(data: Fields, where: str) -> str:
    """Return the picture's file name from a task's ``data``: the first that looks like a picture.

    Raises:
        DatasetError: If there is none, or it is a data URL.

    Example:
        >>> picture_name({"image": "/data/local-files/?d=day1/a%20b.png"}, "task 1")
        'day1/a b.png'
    """
    return find_sources(data, {}, where).all()[0]


def _tasks(path: Path) -> Iterator[Any]:
    """The elements of the array; a file that is one task is that task."""
    single: dict[str, Any] = {}
    for element in read_elements(path):
        if element.key == TOP_LEVEL:
            yield element.value
        elif element.key not in _TASK_FIELDS:
            raise DatasetError(f"{path}: holds {element.key!r:.40}, wanted an array of tasks")
        elif element.in_array:
            single.setdefault(element.key, []).append(element.value)
        else:
            single[element.key] = element.value
    if single:
        yield single


def _full_task(task: Fields) -> Fields:
    """A task of JSON-MIN as it is in JSON: its data and its regions stand side by side there."""
    if "completions" in task and "annotations" not in task:
        return {**task, "annotations": task["completions"]}
    regions = {name: value for name, value in task.items() if _is_min_result(value)}
    if "data" in task or not ({"annotation_id", "annotator"} & task.keys() or regions):
        return task
    items = [
        {
            "id": f"{name}-{number}",
            "from_name": name,
            "type": next((key for key in region if key.endswith("labels")), "labels"),
            "value": {key: value for key, value in region.items() if not key.startswith("original_")},
            **{key: value for key, value in region.items() if key.startswith("original_")},
        }
        for name, value in regions.items()
        for number, region in enumerate(value, start=1)
    ]
    data = {name: value for name, value in task.items() if name not in regions and name not in _MIN_FIELDS}
    return {
        "id": task.get("id"),
        "data": data,
        "annotations": [{"result": items, "completed_by": task.get("annotator")}],
    }


def _is_min_result(value: object) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(it, dict) and "original_width" in it for it in value)
    )


def _read_task(
    task: Fields, tags: Mapping[str, str], where: str, builder: DatasetBuilder, options: ReadOptions
) -> None:
    data = as_fields(task.get("data"), f"{where}: data")
    sources = find_sources(data, tags, where)
    results = _results(task, where, options)
    if results is None:
        return
    for item in (item for result in results for item in result if not _is_region(item)):
        kind = item.get("type") if isinstance(item, dict) else item
        options.on_loss(f"answers that are no region ({kind!r:.40})", where)
    boxes = [item for result in results for item in result if is_track(item)]
    if boxes:
        video = sources.of(boxes[0])
        size = _video_size(data, video, where, options)
        add_tracks(list(_tracks(boxes, where, options)), PurePosixPath(video).stem, size, builder)
        return
    shapes: dict[str, list[LabeledShape]] = {name: [] for name in sources.all()}
    for shape in (shape for result in results for shape in group_shapes(_accepted(result, where, options))):
        try:
            shapes[sources.of(shape.first)].append(shape)
        except ClickMaskError as problem:
            options.on_problem(problem)
    for name, found in shapes.items():
        try:
            _add_image(name, found, sources, data, where, builder, options)
        except ClickMaskError as problem:
            options.on_problem(problem)


def _add_image(
    name: str,
    shapes: list[LabeledShape],
    sources: Sources,
    data: Fields,
    where: str,
    builder: DatasetBuilder,
    options: ReadOptions,
) -> None:
    size = _image_size(data if len(sources.all()) == 1 else {}, name, shapes, where, options)
    extras = other_fields(data, {*sources.names, "width", "height"}, where, options.on_loss)
    image_id = builder.add_image(name, size, extras=extras)
    for shape in shapes:
        try:
            rle = shape.rle()
            others = {"score": shape.score(), "extras": shape.extras(), **shape.drawn()}
            for label in shape.labels():
                builder.add_object(image_id, builder.category_id(label), rle, **others)
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{where}: {problem}"))


def _accepted(result: list[Any], where: str, options: ReadOptions) -> Iterator[Any]:
    """The items without clicks: points and boxes that asked the model, and were submitted as they are."""
    for item in result:
        if isinstance(item, dict) and isinstance(item.get("is_positive"), bool):
            options.on_loss("clicks that were never accepted", where)
        else:
            yield item


def _is_region(item: Any) -> bool:
    """Whether an item says no more than where something is and what it is called: choices may name a place too."""
    if not (is_shape(item) or is_track(item)):
        return False
    kind = item.get("type", "labels")
    return isinstance(kind, str) and (kind.endswith("labels") or kind in REGIONS)


def _tracks(boxes: list[Fields], where: str, options: ReadOptions) -> Iterator[VideoTrack]:
    for item in boxes:
        try:
            yield read_track(item)
        except ClickMaskError as problem:
            options.on_problem(type(problem)(f"{where}: {problem}"))


def _results(task: Fields, where: str, options: ReadOptions) -> list[list[Any]] | None:
    """The regions of each annotation that counts; two people's may share ids and are different ones still.

    None where nobody said anything although people could: the task was skipped or never opened.
    """
    entries = _entries(task, "annotations", where)
    submitted = [entry for entry in entries if not entry.get("was_cancelled")]
    predictions = _entries(task, "predictions", where)
    chosen = _chosen(submitted, options.choice)
    if not chosen and options.choice == "predictions":
        chosen = predictions
    elif predictions and not submitted:
        options.on_loss("predictions of tasks that nobody annotated (--take predictions)", where)
    if len(chosen) > 1 and options.choice == "all":
        options.on_note("tasks with several annotations, which were all taken (--take newest, ...)", where)
    if not chosen:
        if "annotations" not in task and not predictions:
            return []  # a file to be imported: Label Studio's own say of every task who annotated it
        if submitted:
            options.on_loss("tasks without an annotation that was chosen", where)
        else:
            options.on_loss("tasks that were skipped" if entries else "tasks that nobody annotated", where)
        return None
    for entry in chosen:
        if not isinstance(entry.get("result"), list):
            raise wrong(where, "result", entry.get("result"), "an array")
    return [entry["result"] for entry in chosen]


def _chosen(entries: list[Fields], choice: str) -> list[Fields]:
    """The annotations that count: see ``read_label_studio``."""
    if choice in ("all", "predictions"):
        return entries
    if choice == "newest":
        return sorted(entries, key=_age)[-1:]
    if choice == "ground-truth":
        return [entry for entry in entries if entry.get("ground_truth") is True]
    return [entry for entry in entries if choice in _annotator(entry)]


def _age(entry: Fields) -> tuple[str, int]:
    number = entry.get("id")
    return str(entry.get("updated_at") or entry.get("created_at") or ""), number if isinstance(number, int) else 0


def _annotator(entry: Fields) -> set[str]:
    """The ways to name who made an annotation."""
    person = entry.get("completed_by")
    named = [person.get("id"), person.get("email")] if isinstance(person, dict) else [person]
    return {str(name) for name in named if name is not None}


def _entries(task: Fields, name: str, where: str) -> list[Fields]:
    entries = task.get(name) or []
    if not isinstance(entries, list):
        raise wrong(where, name, entries, "an array")
    return [as_fields(entry, f"{where}: {name}") for entry in entries if not isinstance(entry, int)]


def _image_size(data: Fields, file_name: str, shapes: list[LabeledShape], where: str, options: ReadOptions) -> Size:
    """From the data, else the regions, else the picture."""
    if "width" in data and "height" in data:
        return region_size({"original_height": data["height"], "original_width": data["width"]})
    if shapes:
        return region_size(shapes[0].first)
    return size_in(options.images, file_name, f"{where}: has no region and")


def _video_size(data: Fields, file_name: str, where: str, options: ReadOptions) -> Size:
    """From the data, else the video itself: regions of videos do not tell it."""
    if "width" in data and "height" in data:
        return region_size({"original_height": data["height"], "original_width": data["width"]})
    if options.images is None:
        raise DatasetError(f"{where}: a video region tells no size, wanted the folder of the video")
    return open_video(inside(options.images, file_name)).size
