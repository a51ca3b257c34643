"""Format names, and how each is read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.coco.reader import read_coco
from clickmask.decoder.formats.coco.writer import write_coco
from clickmask.decoder.formats.label_studio.export import write_label_studio
from clickmask.decoder.formats.label_studio.tasks import read_label_studio
from clickmask.decoder.formats.labelme.dataset import read_labelme, write_labelme
from clickmask.decoder.formats.mots.dataset import read_mots, write_mots
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.png.dataset import read_png_masks, write_png_masks
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.voc.dataset import read_voc, write_voc
from clickmask.decoder.formats.yolo.dataset import read_yolo, write_yolo
from clickmask.decoder.formats.youtube_vis.dataset import read_youtube_vis, write_youtube_vis


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
        clickmask.decoder.errors.DatasetError: unknown format 'coc', wanted coco, label-studio, labelme, mots, png, \
voc, yolo, youtube-vis
    """
    if name not in FORMATS:
        raise DatasetError(f"unknown format {name!r:.40}, wanted {', '.join(FORMATS)}")
    return FORMATS[name]
