"""``data.yaml``: the classes and the picture folders of a YOLO dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.fields import Fields, as_fields, wrong
from clickmask.decoder.formats.output import write_whole
from clickmask.decoder.formats.pictures import list_pictures

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class YoloData:
    """Class names by number, and all pictures, each once."""

    names: Mapping[int, str]
    pictures: tuple[Path, ...]


def read_data_yaml(path: Path) -> YoloData:
    """Read ``data.yaml`` (or the folder it is in) and list the pictures it names.

    ``train``, ``val`` and ``test`` may each be a folder, a text file that lists pictures, or
    several of these; relative to ``path``, which is relative to the file.

    Raises:
        DatasetError: If it cannot be read, has no names, or a folder is not there.
    """
    path = path / "data.yaml" if path.is_dir() else path
    fields = as_fields(_load(path), str(path))
    root = path.parent / str(fields.get("path") or "")
    pictures = [
        picture for split in SPLITS for place in _places(fields, split, path) for picture in _list(root / place)
    ]
    if not pictures and not any(fields.get(split) for split in SPLITS):
        raise DatasetError(f"{path}: names no pictures, wanted train, val or test")
    return YoloData(_names(fields, path), tuple(dict.fromkeys(pictures)))


def write_data_yaml(path: Path, names: Mapping[int, str]) -> None:
    """Write ``data.yaml`` of a dataset whose pictures are all in the folder ``images``.

    Raises:
        DatasetError: If it cannot be written.
    """
    content = {"path": ".", "train": "images", "val": "images", "names": dict(names)}
    with write_whole(path) as file:
        yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None


def _names(fields: Fields, path: Path) -> dict[int, str]:
    names = fields.get("names")
    pairs = (
        list(enumerate(names)) if isinstance(names, list) else list(names.items()) if isinstance(names, dict) else []
    )
    if not pairs or not all(type(number) is int and number >= 0 for number, _ in pairs):
        raise wrong(str(path), "names", names, "class names, listed or by number")
    return {number: str(name) for number, name in pairs}


def _places(fields: Fields, split: str, path: Path) -> list[str]:
    value = fields.get(split) or []
    places = [value] if isinstance(value, str) else value
    if not isinstance(places, list) or not all(isinstance(place, str) and "\0" not in place for place in places):
        raise wrong(str(path), split, value, "a folder or a list of folders")
    return places


def _list(place: Path) -> list[Path]:
    if place.suffix != ".txt":
        return list_pictures(place)
    try:
        lines = place.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{place}: cannot be read: {error}") from None
    return [place.parent / line.strip() for line in lines if line.strip()]
