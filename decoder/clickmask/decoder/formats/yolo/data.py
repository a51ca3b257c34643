"""The classes and pictures of a YOLO dataset: ``data.yaml``, ``classes.txt`` or ``obj.names``.

Where the pictures lie is told in many ways: by Roboflow as ``../train/images`` beside ``train``, by
notebooks as absolute paths of another machine. What exists beside the file is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.fields import Fields, as_fields, whole, wrong
from clickmask.decoder.formats.input import read_lines, read_text
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.formats.pictures import list_pictures

SPLITS = ("train", "val", "valid", "test")
NAME_FILES = ("classes.txt", "obj.names", "obj_train_data/classes.txt", "labels/classes.txt")
_NOTHING = ("", "null", "~", None)
MAX_CLASSES = 100_000


@dataclass(frozen=True, slots=True)
class YoloData:
    """What a dataset says about itself.

    Args:
        names: Of the classes, by number.
        pictures: Each once.
        root: The folder that file names are relative to.
        keypoints: Of a pose dataset: how many points an object has, and numbers each (2 or 3); None of others.
    """

    names: Mapping[int, str]
    pictures: tuple[Path, ...]
    root: Path
    keypoints: tuple[int, int] | None = None


def read_yolo_data(path: Path, options: ReadOptions) -> YoloData:
    """Read what a dataset says about itself and list its pictures.

    Args:
        path: A YAML file, or the folder it is in, or a folder with ``classes.txt`` or ``obj.names``.
        options: ``on_problem`` receives folders that are not there, ``on_note`` what was guessed.

    Raises:
        DatasetError: If it cannot be read, has no classes, or names no picture folder that is there.
    """
    if not path.is_dir():
        return _read_yaml(path, options)
    described = _yaml_in(path)
    if described is not None:
        return _read_yaml(described, options)
    named = next((path / name for name in NAME_FILES if (path / name).is_file()), None)
    if named is None:
        raise DatasetError(f"{path}: holds no data.yaml, wanted it, classes.txt or obj.names")
    names = dict(enumerate(line.strip() for line in read_lines(named) if line.strip()))
    pictures = list_pictures(path) or (list_pictures(options.images) if options.images else [])
    if not pictures:
        raise DatasetError(f"{path}: holds no pictures, and only they tell their sizes, wanted them (--images FOLDER)")
    return YoloData(names, tuple(pictures), path)


def write_data_yaml(path: Path, names: Mapping[int, str], folders: Mapping[str, str]) -> None:
    """Write ``data.yaml``; without ``path``, which trainers take from the folder they were started in.

    Args:
        path: The file.
        names: Of the classes, by number.
        folders: Of the pictures, by split, relative to the file.

    Raises:
        DatasetError: If it cannot be written.
    """
    content: dict[str, object] = {**folders}
    content["names"] = dict(names)
    with write_whole(path) as file:
        yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)


def _yaml_in(folder: Path) -> Path | None:
    """``data.yaml``, or the one YAML file that has class names."""
    for name in ("data.yaml", "data.yml", "dataset.yaml"):
        if (folder / name).is_file():
            return folder / name
    files = [file for file in sorted(folder.glob("*.y*ml")) if "names" in read_text(file) or "nc:" in read_text(file)]
    if len(files) > 1:
        raise DatasetError(
            f"{folder}: holds {', '.join(file.name for file in files)}, wanted one: name the file itself"
        )
    return files[0] if files else None


def _read_yaml(path: Path, options: ReadOptions) -> YoloData:
    fields = as_fields(_load(path), str(path))
    root, bases = _roots(path, fields)
    pictures: list[Path] = []
    missing: list[DatasetError] = []
    for split in SPLITS:
        for place in _places(fields, split, path):
            found = next(_found(place, bases), None)
            if found is None:
                missing.append(DatasetError(f"{path}: {split}: there is no {place}, wanted the pictures"))
            else:
                pictures += _list(found, bases)
    if not pictures and missing:
        raise missing[0]
    if not any(_places(fields, split, path) for split in SPLITS):
        raise DatasetError(f"{path}: names no pictures, wanted train, val or test")
    for problem in missing:
        options.on_problem(problem)
    names = _names(fields, path, options)
    return YoloData(names, tuple(dict.fromkeys(pictures)), root, _keypoints(fields, path))


def _load(path: Path) -> Any:
    """All scalars as text: YAML would make False of a class called no."""
    try:
        return yaml.load(read_text(path), Loader=yaml.BaseLoader)  # builds nothing but texts, lists and mappings
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None


def _roots(path: Path, fields: Fields) -> tuple[Path, list[Path]]:
    """The dataset's folder, and all folders that places may be relative to."""
    said = fields.get("path")
    if said in _NOTHING or not isinstance(said, str) or "\0" in said:
        return path.parent, [path.parent]
    root = next(_found(said, [path.parent]), path.parent)
    return root, list(dict.fromkeys([root, path.parent]))


def _names(fields: Fields, path: Path, options: ReadOptions) -> dict[int, str]:
    names: object = fields.get("names")
    if names is None and isinstance(count := whole(fields.get("nc")), int) and 0 < count <= MAX_CLASSES:
        options.on_note("class names that are missing, numbers were taken", str(path))
        return {number: f"class {number}" for number in range(count)}
    pairs: list[tuple[object, Any]] = []
    if isinstance(names, list):
        pairs = list(enumerate(names))
    elif isinstance(names, dict):
        pairs = list(names.items())
    if names in ([], {}):
        return {}
    numbers = [whole(number) for number, _ in pairs]
    named = all(isinstance(name, str) for _, name in pairs)
    if not pairs or not named or not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise wrong(str(path), "names", names, "class names, listed or by number")
    return {number: name for number, (_, name) in zip(numbers, pairs, strict=True) if isinstance(number, int)}


def _keypoints(fields: Fields, path: Path) -> tuple[int, int] | None:
    shape = fields.get("kpt_shape")
    if shape is None:
        return None
    numbers = [whole(side) for side in shape] if isinstance(shape, list) else []
    if len(numbers) != 2 or not isinstance(numbers[0], int) or numbers[1] not in (2, 3):
        raise wrong(str(path), "kpt_shape", shape, "[points, 2 or 3]")
    return numbers[0], int(str(numbers[1]))


def _places(fields: Fields, split: str, path: Path) -> list[str]:
    value = fields.get(split)
    if value in _NOTHING:
        return []
    places = [value] if isinstance(value, str) else value
    if not isinstance(places, list) or not all(isinstance(place, str) and "\0" not in place for place in places):
        raise wrong(str(path), split, value, "a folder or a list of folders")
    return places


def _found(place: str, bases: Sequence[Path]) -> Iterator[Path]:
    """Where a place may be: as it is said, else its longest tail that exists below a base."""
    parts = [part for part in place.replace("\\", "/").split("/") if part not in ("", ".")]
    said = [base / place for base in bases] + [base.joinpath(*parts) for base in bases]
    tails = [base.joinpath(*parts[at:]) for at in range(1, len(parts)) for base in bases if ".." not in parts[at:]]
    for candidate in [*said, *tails]:
        if candidate.exists():
            yield candidate


def _list(place: Path, bases: Sequence[Path]) -> list[Path]:
    """The pictures in a folder, or those that a text file lists."""
    if place.is_dir():
        return list_pictures(place)
    lines = [line.strip() for line in read_lines(place) if line.strip() and "\0" not in line]
    return list(_listed(lines, [place.parent, *bases]))


def _listed(lines: Iterable[str], bases: Sequence[Path]) -> Iterator[Path]:
    for line in lines:
        yield next(_found(line, bases), bases[0] / line)
