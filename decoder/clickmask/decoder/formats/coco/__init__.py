"""COCO: one annotation, or a dataset of any length, read and written without holding it in memory.

``iscrowd``, ``score`` and ``track_id`` travel along. Everything written loads with
pycocotools and decodes to the mask it came from.
"""

from clickmask.decoder.formats.coco.annotation import to_coco_annotation
from clickmask.decoder.formats.coco.reader import read_coco
from clickmask.decoder.formats.coco.segmentation import box_to_rle, segmentation_to_rle
from clickmask.decoder.formats.coco.writer import write_coco

__all__ = ["box_to_rle", "read_coco", "segmentation_to_rle", "to_coco_annotation", "write_coco"]
