"""Files that come in: uploaded pictures, and labels of other tools."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from clickmask.decoder import ClickMaskError, DatasetError, ImageError
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.registry import find_format
from clickmask.decoder.images import PICTURE_SUFFIXES
from clickmask.web.gate import admitted_name
from clickmask.web.photos.dataset import add_dataset
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.pictures import picture_size

REPORTED_PROBLEMS = 5


def add_picture_file(folder: OpenFolder, file: Path, name: str) -> int:
    """Copy an uploaded picture into the folder, under a free name, and return the id of its row.

    Raises:
        ImageError: If it is no picture.
        DatasetError: If its name does not fit, or the folder cannot be written.
    """
    name = admitted_name(name, PICTURE_SUFFIXES)
    try:
        size = picture_size(file)
    except ImageError as error:
        raise ImageError(str(error).replace(file.name, name)) from error
    target = free_name(folder.path, name)
    try:
        shutil.copyfile(file, target)
    except OSError as error:
        _remove(target)
        raise DatasetError(f"{name} cannot be added to {folder.path}: {error.strerror or error}") from error
    return folder.project.add_picture(target.name, size.width, size.height).id


def _remove(half_written: Path) -> None:
    with suppress(OSError):  # a read-only folder, where nothing was written either
        half_written.unlink(missing_ok=True)


def free_name(folder: Path, name: str) -> Path:
    """The file of this name in the folder, or of one made from it that is not taken."""
    target = folder / name
    number = 2
    while target.exists():
        target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return target


def add_label_file(folder: OpenFolder, file: Path) -> tuple[int, list[str]]:
    """Add the labels of a COCO or Label Studio JSON file; returns how many, and what did not fit.

    Raises:
        DatasetError: If the file is neither.
    """
    problems: list[ClickMaskError] = []
    file_format = find_format("label-studio" if _is_list(file) else "coco")
    dataset = file_format.read(file, ReadOptions(images=folder.path, on_problem=problems.append))
    count = add_dataset(folder.project, dataset, problems.append)
    told = [str(problem) for problem in problems[:REPORTED_PROBLEMS]]
    rest = len(problems) - len(told)
    return count, [*told, f"and {rest} more"] if rest else told


def adopt_labels(folder: OpenFolder) -> None:
    """Bring COCO files that lie in a folder into its new project."""
    for file in sorted(folder.path.glob("*.json")):
        try:
            if _looks_like_coco(file):
                add_label_file(folder, file)
        except ClickMaskError as problem:
            folder.refused[file.name] = str(problem)
        except OSError as problem:
            folder.refused[file.name] = f"{file.name} cannot be read: {problem.strerror or problem}"


def _looks_like_coco(file: Path) -> bool:
    """Whether the file is a JSON object that speaks of annotations; large ones are not read whole."""
    with file.open("rb") as opened:
        head = opened.read(1 << 16).lstrip()
    return head.startswith(b"{") and (b'"annotations"' in head or b'"images"' in head)


def _is_list(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(4096).lstrip()
    if not head.startswith((b"[", b"{")):
        raise DatasetError(f"{file.name} is not JSON, wanted a COCO or Label Studio file")
    return head.startswith(b"[")
