"""Exports run in a process of their own, so that nobody's clicks wait for them.

``python -m clickmask.web.photos.export REQUEST`` is that process: it gets its request as JSON and prints one line
of JSON per picture, ``{"done": 3, "total": 10}``, then the result, or ``{"error": "..."}``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from clickmask.decoder import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.formats.registry import find_format
from clickmask.web.exports import export_folder, zipped
from clickmask.web.photos.dataset import to_dataset
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.project import Project

Format = Literal["coco", "yolo", "voc", "labelme", "png", "label-studio"]
Shape = Literal["polygons", "simplified", "rle"]
FORMATS: tuple[Format, ...] = get_args(Format)
SHAPES: tuple[Shape, ...] = get_args(Shape)
Report = Callable[[int, int], None]


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
        done_only: Leave out pictures that are not marked as done.
    """

    project: str
    pictures: str
    target: str
    file_format: Format = "coco"
    shape: Shape = "polygons"
    min_iou: float = 0.99
    done_only: bool = False


def export_request(folder: OpenFolder, **choices: Any) -> ExportRequest:
    """The request to export a folder into its project's own place for exports."""
    project = folder.project.file
    return check_request(ExportRequest(str(project), str(folder.path), str(project.parent / "exports"), **choices))


def check_request(request: ExportRequest) -> ExportRequest:
    """Return the request if its words are known.

    Raises:
        DatasetError: If a format or shape is unknown, or the IoU is not in (0, 1].
    """
    if request.file_format not in FORMATS:
        raise DatasetError(f"format is {request.file_format!r}, wanted one of {', '.join(FORMATS)}")
    if request.shape not in SHAPES:
        raise DatasetError(f"shape is {request.shape!r}, wanted one of {', '.join(SHAPES)}")
    if not 0 < request.min_iou <= 1:
        raise DatasetError(f"min_iou is {request.min_iou}, wanted more than 0 and at most 1")
    return request


def run_export(request: ExportRequest, report: Report) -> dict[str, Any]:
    """Export in a new process and return ``{"path", "objects"}``; an exception in ``report`` ends the process.

    Raises:
        DatasetError: If the export fails.
    """
    with export_folder(Path(check_request(request).target)) as folder:
        own = replace(request, target=str(folder))
        return run_process("clickmask.web.photos.export", json.dumps(asdict(own)), report)


def run_process(module: str, request: str, report: Report) -> dict[str, Any]:
    """Run ``python -m module request`` and return what it says with a ``path``; the process ends with this call.

    Raises:
        DatasetError: If it says that it failed, or stops without a word.
    """
    command = [sys.executable, "-m", module, request]
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for line in process.stdout or ():
                message = _message(line)
                if "path" in message:
                    return message
                if "error" in message:
                    raise DatasetError(message["error"])
                if "done" in message:
                    report(message["done"], message["total"])
                said = line.strip() or said
        finally:
            process.kill()
    raise DatasetError(f"the export stopped unexpectedly: {said}")


def _message(line: str) -> dict[str, Any]:
    """What the process said, or nothing if a library printed something."""
    try:
        message = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}


def write_export(request: ExportRequest, report: Report) -> dict[str, Any]:
    """Export in this process; several files become one zip file."""
    dataset = to_dataset(Project(Path(request.project)), done_only=request.done_only)
    counted = _Counted(dataset, report)
    name = f"{Path(request.pictures).name}-{request.file_format}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        path = _write(request, replace(dataset, images=counted), Path(request.target) / name)
    except OSError as error:
        raise DatasetError(f"cannot write {request.target}: {error.strerror or error}") from error
    return {"path": str(path), "objects": counted.objects}


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
    write(dataset, target / "tasks.json" if request.file_format == "label-studio" else target, options)
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


def say(**message: Any) -> None:
    """Tell the process that waits, see ``run_process``."""
    print(json.dumps(message), flush=True)


def main() -> None:
    """Do the export this process was started for."""
    request = ExportRequest(**json.loads(sys.argv[1]))
    try:
        say(**write_export(request, lambda done, total: say(done=done, total=total)))
    except ClickMaskError as error:
        say(error=str(error))


if __name__ == "__main__":
    main()
