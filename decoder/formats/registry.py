"""Format names, and how each is read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from decoder.coco.reader import read_coco
from decoder.coco.writer import write_coco
from decoder.errors import DatasetError
from decoder.formats.label_studio.export import write_label_studio
from decoder.formats.label_studio.tasks import read_label_studio
from decoder.formats.labelme import read_labelme, write_labelme
from decoder.formats.mots import read_mots, write_mots
from decoder.formats.options import ReadOptions, WriteOptions
from decoder.formats.png_masks import read_png_masks, write_png_masks
from decoder.formats.records import Dataset
from decoder.formats.voc import read_voc, write_voc
from decoder.formats.yolo import read_yolo, write_yolo
from decoder.formats.youtube_vis import read_youtube_vis, write_youtube_vis


@dataclass(frozen=True, slots=True)
class Format:
    """How one format is read and written, and whether it is a file or a folder."""

    read: Callable[[Path, ReadOptions], Dataset]
    write: Callable[[Dataset, Path, WriteOptions], None]
    is_folder: bool


FORMATS: Mapping[str, Format] = {
    "coco": Format(read_coco, write_coco, is_folder=False),
    "label-studio": Format(read_label_studio, write_label_studio, is_folder=False),
    "labelme": Format(read_labelme, write_labelme, is_folder=True),
    "mots": Format(read_mots, write_mots, is_folder=True),
    "png": Format(read_png_masks, write_png_masks, is_folder=True),
    "voc": Format(read_voc, write_voc, is_folder=True),
    "yolo": Format(read_yolo, write_yolo, is_folder=True),
    "youtube-vis": Format(read_youtube_vis, write_youtube_vis, is_folder=False),
}


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        DatasetError: If there is none.

    Example:
        >>> find_format("coc")
        Traceback (most recent call last):
            ...
        decoder.errors.DatasetError: unknown format 'coc', wanted coco, label-studio, labelme, mots, png, voc, yolo, \
youtube-vis
    """
    if name not in FORMATS:
        raise DatasetError(f"unknown format {name!r:.40}, wanted {', '.join(FORMATS)}")
    return FORMATS[name]
