"""Format names, and how each is read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.checks import Counts, count_nothing
from clickmask.decoder.formats.coco.reader import read_coco
from clickmask.decoder.formats.coco.writer import write_coco
from clickmask.decoder.formats.label_studio.export import write_label_studio
from clickmask.decoder.formats.label_studio.tasks import read_label_studio
from clickmask.decoder.formats.labelme.dataset import read_labelme, write_labelme
from clickmask.decoder.formats.losses import Feature
from clickmask.decoder.formats.mots.dataset import read_mots, write_mots
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.png.dataset import read_png_masks, write_png_masks
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.voc.dataset import read_voc, write_voc
from clickmask.decoder.formats.yolo.dataset import count_yolo, read_yolo, write_yolo, write_yolo_split
from clickmask.decoder.formats.youtube_vis.dataset import read_youtube_vis, write_youtube_vis


@dataclass(frozen=True, slots=True)
class Format:
    """How one format is read and written.

    Args:
        read: Reads a file or folder.
        write: Writes one.
        is_folder: Whether it is a folder.
        holds: What of a record it keeps; the rest is told as lost.
        write_split: Writes the parts of a dataset as one, for formats that hold them together.
        count: Counts what is there without the pictures, of formats that only the pictures give sizes to.
    """

    read: Callable[[Path, ReadOptions], Dataset]
    write: Callable[[Dataset, Path, WriteOptions], None]
    is_folder: bool
    holds: frozenset[Feature]
    write_split: Callable[[Mapping[str, Dataset], Path, WriteOptions], None] | None = None
    count: Callable[[Path], Counts] = count_nothing

    @property
    def is_sized_by_pictures(self) -> bool:
        """Whether the format itself does not say how large pictures are."""
        return self.count is not count_nothing


_COCO: frozenset[Feature] = frozenset(get_args(Feature))
_TASKS: frozenset[Feature] = _COCO - {
    "crowds",
    "tracks",
    "boxes",
    "polygons",
    "category fields",
    "file fields",
    "categories of one name",
}
_LABELME: frozenset[Feature] = frozenset(
    {"scores", "boxes", "polygons", "object fields", "image fields", "images without objects"}
)
_YOLO: frozenset[Feature] = frozenset(
    {"boxes", "polygons", "unused categories", "categories of one name", "images without objects"}
)
_PIXELS: frozenset[Feature] = frozenset({"images without objects"})
_VIDEOS: frozenset[Feature] = frozenset(
    {
        "scores",
        "crowds",
        "tracks",
        "category fields",
        "file fields",
        "unused categories",
        "categories of one name",
        "images without objects",
    }
)

FORMATS: Mapping[str, Format] = {
    "coco": Format(read_coco, write_coco, is_folder=False, holds=_COCO),
    "label-studio": Format(read_label_studio, write_label_studio, is_folder=False, holds=_TASKS),
    "labelme": Format(read_labelme, write_labelme, is_folder=True, holds=_LABELME),
    "mots": Format(read_mots, write_mots, is_folder=True, holds=frozenset({"tracks", "unused categories", "crowds"})),
    "png": Format(read_png_masks, write_png_masks, is_folder=True, holds=_PIXELS),
    "voc": Format(read_voc, write_voc, is_folder=True, holds=_PIXELS | {"unused categories"}),
    "yolo": Format(read_yolo, write_yolo, is_folder=True, holds=_YOLO, write_split=write_yolo_split, count=count_yolo),
    "youtube-vis": Format(read_youtube_vis, write_youtube_vis, is_folder=False, holds=_VIDEOS),
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
