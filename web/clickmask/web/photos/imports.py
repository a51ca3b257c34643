"""Files that come in: uploaded pictures, and labels of other tools."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from clickmask.decoder import PICTURE_SUFFIXES, ClickMaskError, DatasetError, ImageError
from clickmask.decoder.formats import ReadOptions, find_format
from clickmask.web.gate import admitted_name
from clickmask.web.photos.dataset import Added, add_dataset, described
from clickmask.web.photos.library import OpenFolder
from clickmask.web.photos.pictures import picture_size

REPORTED_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of labels brought, and what of it did not fit."""

    added: Added
    problems: list[str]

    def sentence(self, name: str) -> str:
        """Say what was read."""
        boxes = f" and {self.added.boxes} boxes without masks" if self.added.boxes else ""
        return f"{name}: {self.added.objects} objects{boxes} read"


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
    return folder.project.add_picture(folder.below + target.name, size.width, size.height).id


def _remove(half_written: Path) -> None:
    with suppress(OSError):  # a read-only folder, where nothing was written either
        half_written.unlink(missing_ok=True)


def free_name(folder: Path, name: str) -> Path:
    """Return the file of this name in the folder, or of one made from it that is not taken."""
    target = folder / name
    number = 2
    while target.exists():
        target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return target


def add_label_file(folder: OpenFolder, file: Path) -> Imported:
    """Add the labels of a COCO or Label Studio JSON file, or of a list of COCO results.

    The images and classes of results are those of the folder, with the ids that an imported file gave them.

    Raises:
        DatasetError: If the file is none of these.
    """
    problems: list[ClickMaskError] = []
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as companion:
            options = ReadOptions(images=folder.path, choice="predictions", on_problem=problems.append)
            if _looks_like_results(file):
                json.dump(described(folder), companion)
                companion.flush()
                options = replace(options, companion=Path(companion.name))
            name = "label-studio" if _is_list(file) and options.companion is None else "coco"
            added = add_dataset(folder, find_format(name).read(file, options), problems.append)
    except ClickMaskError as error:
        raise type(error)(str(error).replace(str(file), file.name)) from error
    told = [str(problem).replace(str(file), file.name) for problem in problems[:REPORTED_PROBLEMS]]
    rest = len(problems) - len(told)
    return Imported(added, [*told, f"and {rest} more that did not fit"] if rest else told)


def adopt_labels(folder: OpenFolder) -> None:
    """Bring COCO files that lie in a folder into its new project; what was read and what was not is told."""
    for file in sorted(folder.path.glob("*.json")):
        try:
            if _looks_like_coco(file):
                imported = add_label_file(folder, file)
                folder.notes.append(imported.sentence(file.name))
                if imported.problems:
                    folder.problems[file.name] = [f"{file.name}: {problem}" for problem in imported.problems]
        except ClickMaskError as problem:
            folder.problems[file.name] = [str(problem)]
        except OSError as problem:
            folder.problems[file.name] = [f"{file.name} cannot be read: {problem.strerror or problem}"]


def _looks_like_coco(file: Path) -> bool:
    """Whether the file is a JSON object that speaks of annotations; large ones are not read whole."""
    with file.open("rb") as opened:
        head = opened.read(1 << 16).lstrip()
    return head.startswith(b"{") and (b'"annotations"' in head or b'"images"' in head)


def _looks_like_results(file: Path) -> bool:
    """Whether the file is a list whose first element names an image, as COCO's results do."""
    with file.open("rb") as opened:
        head = opened.read(1 << 16).lstrip()
    return head.startswith(b"[") and b'"image_id"' in head and b'"data"' not in head


def _is_list(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(4096).lstrip()
    if not head.startswith((b"[", b"{")):
        raise DatasetError(f"{file.name} is not JSON, wanted a COCO or Label Studio file")
    return head.startswith(b"[")
