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
from clickmask.decoder.formats.coco_panoptic.reader import read_coco_panoptic
from clickmask.decoder.formats.coco_panoptic.writer import write_coco_panoptic
from clickmask.decoder.formats.cvat.images import write_cvat
from clickmask.decoder.formats.cvat.reader import read_cvat
from clickmask.decoder.formats.cvat.video import write_cvat_video
from clickmask.decoder.formats.datumaro.dataset import read_datumaro, write_datumaro
from clickmask.decoder.formats.label_png.dataset import read_label_pictures, write_label_png, write_label_tiff
from clickmask.decoder.formats.label_studio.export import write_label_studio
from clickmask.decoder.formats.label_studio.tasks import read_label_studio
from clickmask.decoder.formats.labelme.dataset import read_labelme, write_labelme
from clickmask.decoder.formats.losses import Feature
from clickmask.decoder.formats.mots.dataset import read_mots, write_mots
from clickmask.decoder.formats.mots.pictures import read_mots_png, write_mots_png
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.png.dataset import read_png_masks, write_png_masks
from clickmask.decoder.formats.qupath.dataset import read_qupath, write_qupath
from clickmask.decoder.formats.records import Dataset
from clickmask.decoder.formats.voc.dataset import read_voc, write_voc
from clickmask.decoder.formats.voc_boxes.dataset import read_voc_boxes, write_voc_boxes
from clickmask.decoder.formats.yolo.dataset import count_yolo, read_yolo, write_yolo, write_yolo_split
from clickmask.decoder.formats.youtube_vis.dataset import read_youtube_vis, write_youtube_vis

Read = Callable[[Path, ReadOptions], Dataset]
Write = Callable[[Dataset, Path, WriteOptions], None]


@dataclass(frozen=True, slots=True)
class Format:
    """How one format is read and written.

    Args:
        read: Reads a file or folder.
        write: Writes one.
        holds: What of a record it keeps; the rest is told as lost.
        suffix: Of the file; "" of a format that is a folder.
        write_split: Writes the parts of a dataset as one, for formats that hold them together.
        count: Counts what is there without the pictures, of formats that only the pictures give sizes to.
    """

    read: Read
    write: Write
    holds: frozenset[Feature]
    suffix: str = ""
    write_split: Callable[[Mapping[str, Dataset], Path, WriteOptions], None] | None = None
    count: Callable[[Path], Counts] = count_nothing

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return not self.suffix

    @property
    def is_sized_by_pictures(self) -> bool:
        """Whether the format itself does not say how large pictures are."""
        return self.count is not count_nothing


def _features(*names: Feature) -> frozenset[Feature]:
    return frozenset(names)


_ALL: frozenset[Feature] = frozenset(get_args(Feature))
_IMAGES = _features("masks", "classes", "file names", "images without objects")
_LABELS = _features("masks", "file names", "images without objects")
_MOTS = _features("masks", "classes", "tracks", "unused categories", "crowds")
_HOLDS: Mapping[str, frozenset[Feature]] = {
    "coco": _ALL,
    "coco-panoptic": _ALL - {"boxes", "polygons"},
    "cvat": _IMAGES | _features("boxes", "polygons", "object fields", "unused categories"),
    "cvat-video": _features("masks", "classes", "tracks", "boxes", "polygons", "object fields", "unused categories"),
    "datumaro": _ALL - {"category fields", "file fields", "categories of one name"},
    "label-png": _LABELS,
    "label-studio": _ALL
    - {"crowds", "tracks", "boxes", "polygons", "category fields", "file fields", "categories of one name"},
    "label-tiff": _LABELS,
    "labelme": _IMAGES | _features("scores", "boxes", "polygons", "object fields", "image fields"),
    "mots": _MOTS,
    "mots-png": _MOTS | _features("images without objects"),
    "png": _IMAGES,
    "qupath": _IMAGES | _features("scores", "polygons", "object fields"),
    "voc": _IMAGES | _features("unused categories"),
    "voc-boxes": _features("classes", "file names", "images without objects", "boxes", "object fields"),
    "yolo": _IMAGES | _features("boxes", "polygons", "unused categories", "categories of one name"),
    "youtube-vis": _ALL - {"boxes", "polygons", "object fields", "image fields"},
}


def _format(name: str, read: Read, write: Write, suffix: str = "") -> Format:
    return Format(read, write, _HOLDS[name], suffix)


FORMATS: Mapping[str, Format] = {
    "coco": _format("coco", read_coco, write_coco, ".json"),
    "coco-panoptic": _format("coco-panoptic", read_coco_panoptic, write_coco_panoptic, ".json"),
    "cvat": _format("cvat", read_cvat, write_cvat, ".xml"),
    "cvat-video": _format("cvat-video", read_cvat, write_cvat_video),
    "datumaro": _format("datumaro", read_datumaro, write_datumaro),
    "label-png": _format("label-png", read_label_pictures, write_label_png),
    "label-studio": _format("label-studio", read_label_studio, write_label_studio, ".json"),
    "label-tiff": _format("label-tiff", read_label_pictures, write_label_tiff),
    "labelme": _format("labelme", read_labelme, write_labelme),
    "mots": _format("mots", read_mots, write_mots),
    "mots-png": _format("mots-png", read_mots_png, write_mots_png),
    "png": _format("png", read_png_masks, write_png_masks),
    "qupath": _format("qupath", read_qupath, write_qupath),
    "voc": _format("voc", read_voc, write_voc),
    "voc-boxes": _format("voc-boxes", read_voc_boxes, write_voc_boxes),
    "yolo": Format(read_yolo, write_yolo, _HOLDS["yolo"], write_split=write_yolo_split, count=count_yolo),
    "youtube-vis": _format("youtube-vis", read_youtube_vis, write_youtube_vis, ".json"),
}


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        DatasetError: If there is none.

    Example:
        >>> find_format("coc")
        Traceback (most recent call last):
            ...
        clickmask.decoder.errors.DatasetError: unknown format 'coc', wanted coco, coco-panoptic, cvat, \
cvat-video, datumaro, label-png, label-studio, label-tiff, labelme, mots, mots-png, png, qupath, voc, voc-boxes, yolo, \
youtube-vis
    """
    if name not in FORMATS:
        raise DatasetError(f"unknown format {name!r:.40}, wanted {', '.join(FORMATS)}")
    return FORMATS[name]
