"""What a file or folder seems to be, for people who named another format."""

from __future__ import annotations

from pathlib import Path

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.input import open_text

_HEAD = 1 << 16  # characters of a file that are looked at
_MARKS = (  # the first that is found in a file's head
    ('"segments_info"', "coco-panoptic"),
    ('"videos"', "youtube-vis"),
    ('"shapes"', "labelme"),
    ('"dm_format_version"', "datumaro"),
    ('"FeatureCollection"', "qupath"),
    ('"Feature"', "qupath"),
    ('"annotation_id"', "label-studio"),
    ('"annotations": [{"id"', "coco"),
    ('"images"', "coco"),
    ('"data"', "label-studio"),
    ('"categories"', "coco"),
    ("<track ", "cvat-video"),
    ("<annotations>", "cvat"),
    ("<annotation>", "voc-boxes"),
)


def guess_format(path: Path) -> str | None:
    """Return the name of the format, or what it is in words; None if nothing speaks for any."""
    if path.is_dir():
        return _guess_folder(path)
    try:
        with open_text(path) as file:
            head = file.read(_HEAD)
    except DatasetError:
        return None
    return next((name for mark, name in _MARKS if mark in head), None)


def _guess_folder(folder: Path) -> str | None:
    if (folder / "SegmentationClass").is_dir():
        return "voc"
    if (folder / "Annotations").is_dir():
        return "voc-boxes"
    if (folder / "instances").is_dir():
        return "mots-png"
    if any((folder / name).is_file() for name in ("data.yaml", "classes.txt", "obj.names")):
        return "yolo"
    files = (file for suffix in ("json", "geojson", "xml") for file in sorted(folder.glob(f"*.{suffix}")))
    file = next(files, None)
    if file is not None:
        return guess_format(file)
    return "png" if any(folder.rglob("*.png")) else None
