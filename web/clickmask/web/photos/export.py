"""Exports run in a process of their own, so that nobody's clicks wait for them.

``python -m clickmask.web.photos.export REQUEST`` is that process: it gets its request as JSON and prints one line
of JSON per picture, ``{"done": 3, "total": 10}``, then the result, or ``{"error": "..."}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from clickmask.decoder import ClickMaskError, DatasetError
from clickmask.decoder.formats import (
    AnnotatedImage,
    Dataset,
    WriteOptions,
    find_format,
    split_dataset,
    write_yolo_split,
)
from clickmask.web.exports import Report, run_apart, say, zipped
from clickmask.web.gate import Gate
from clickmask.web.photos.dataset import left_out, to_dataset, with_file_names
from clickmask.web.photos.library import OpenFolder, Part
from clickmask.web.photos.pictures import turn_upright
from clickmask.web.photos.project import Project
from clickmask.web.photos.records import FINISHED, STATUSES, Status

Format = Literal["coco", "yolo", "voc", "labelme", "png", "label-studio"]
Shape = Literal["polygons", "simplified", "rle"]
FORMATS: tuple[Format, ...] = get_args(Format)
SHAPES: tuple[Shape, ...] = get_args(Shape)
WITH_FILE_NAMES = {"coco", "label-studio"}  # they bring no pictures, so theirs are where the imported file said


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export and how.

    Args:
        project: The project file.
        pictures: The folder of the pictures.
        target: A folder for the result.
        file_format: The format.
        shape: For COCO: exact polygons, simplified ones, or run lengths.
        min_iou: The IoU that simplified polygons keep at least.
        states: Which pictures are taken, by their status.
        val_share: Of the pictures of YOLO, how many are set apart for validation, in [0, 1).
        below: What the names of the pictures begin with in the project, see ``OpenFolder``.
        parts: Names of the folders below that have labels of their own.
    """

    project: str
    pictures: str
    target: str
    file_format: Format = "coco"
    shape: Shape = "polygons"
    min_iou: float = 0.99
    states: tuple[Status, ...] = FINISHED
    val_share: float = 0.0
    below: str = ""
    parts: tuple[str, ...] = ()


def export_request(folder: OpenFolder, **choices: Any) -> ExportRequest:
    """Return the request to export a folder into its project's own place for exports."""
    project = folder.project.file
    places = (str(project), str(folder.path), str(project.parent / "exports"))
    parts = tuple(part.name for part in folder.parts)
    return check_request(ExportRequest(*places, **choices, below=folder.below, parts=parts))


def check_request(request: ExportRequest) -> ExportRequest:
    """Return the request if its words are known.

    Raises:
        DatasetError: If a format, shape or state is unknown, or a number is out of its range.
    """
    if request.file_format not in FORMATS:
        raise DatasetError(f"format is {request.file_format!r}, wanted one of {', '.join(FORMATS)}")
    if request.shape not in SHAPES:
        raise DatasetError(f"shape is {request.shape!r}, wanted one of {', '.join(SHAPES)}")
    unknown = set(request.states) - set(STATUSES)
    if unknown or not request.states:
        raise DatasetError(f"states are {list(request.states)}, wanted some of {', '.join(STATUSES)}")
    if not 0 <= request.val_share < 1:
        raise DatasetError(f"val_share is {request.val_share}, wanted at least 0 and less than 1")
    if not 0 < request.min_iou <= 1:
        raise DatasetError(f"min_iou is {request.min_iou}, wanted more than 0 and at most 1")
    return request


def run_export(request: ExportRequest, report: Report) -> dict[str, Any]:
    """Export in a new process and return what ``write_export`` does; an exception in ``report`` ends the process.

    Raises:
        DatasetError: If the export fails.
    """
    return run_apart("clickmask.web.photos.export", asdict(check_request(request)), report)


def write_export(request: ExportRequest, report: Report) -> dict[str, Any]:
    """Export in this process; several files become one zip file.

    Returns:
        The file, how many pictures and objects are in it, and how many pictures were left out, by why.

    Raises:
        DatasetError: If there is no picture to export, or the disk refuses.
    """
    folder = _folder(request)
    dataset, missed = to_dataset(folder, request.states), left_out(folder, request.states)
    if not dataset.image_count:
        told = ", ".join(f"{count} {status}" for status, count in missed.items()) or "no picture"
        raise DatasetError(
            f"there is nothing to export: got {told}, wanted pictures that are {' or '.join(request.states)}"
        )
    if request.file_format in WITH_FILE_NAMES:
        dataset = with_file_names(dataset, folder)
    counted = _Counted(dataset, report)
    name = f"{Path(request.pictures).name}-{request.file_format}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        path = _write(request, replace(dataset, images=counted), Path(request.target) / name)
    except OSError as error:
        raise DatasetError(f"cannot write {request.target}: {error.strerror or error}") from error
    return {"path": str(path), "pictures": dataset.image_count, "objects": counted.objects, "left_out": missed}


def _folder(request: ExportRequest) -> OpenFolder:
    place, project = Path(request.pictures), Path(request.project)
    gate = Gate.of(place, uploads=Path(request.target))
    parts = [Part(place / name, name, 0, 0, 0) for name in request.parts]
    return OpenFolder(place, project.parent, Project(project), gate, request.below, parts=parts)


def _write(request: ExportRequest, dataset: Dataset, target: Path) -> Path:
    options = WriteOptions(
        encoding="rle" if request.shape == "rle" else "polygons",
        min_iou=request.min_iou if request.shape == "simplified" else None,
        images=Path(request.pictures),
    )
    write = find_format(request.file_format).write
    if request.file_format == "coco":
        file = target.with_name(f"{target.name}.json")
        write(dataset, file, options)
        return file
    target.mkdir()
    if request.file_format == "yolo" and request.val_share:
        shares = {"train": 1 - request.val_share, "val": request.val_share}
        write_yolo_split(split_dataset(dataset, shares), target, options)
    else:
        write(dataset, target / "tasks.json" if request.file_format == "label-studio" else target, options)
    turn_upright(target)
    return zipped(target)


class _Counted:
    """The images of a dataset, counted as they pass."""

    def __init__(self, dataset: Dataset, report: Report) -> None:
        self._dataset = dataset
        self._report = report
        self.objects = 0

    def __iter__(self) -> Iterator[AnnotatedImage]:
        self.objects = 0
        for number, image in enumerate(self._dataset.images, start=1):
            yield image
            self.objects += len(image.objects)
            self._report(number, self._dataset.image_count)


def main() -> None:
    """Do the export this process was started for."""
    fields = json.loads(sys.argv[1])
    request = ExportRequest(**{**fields, "states": tuple(fields["states"]), "parts": tuple(fields["parts"])})
    try:
        say(**write_export(request, lambda done, total: say(done=done, total=total)))
    except ClickMaskError as error:
        say(error=str(error))


if __name__ == "__main__":
    main()
