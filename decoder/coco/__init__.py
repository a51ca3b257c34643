"""COCO: one annotation, or a dataset of any length, read and written without holding it in memory.

``iscrowd``, ``score`` and ``track_id`` travel along. Everything written loads with
pycocotools and decodes to the mask it came from.
"""

from decoder.coco.annotation import to_coco_annotation
from decoder.coco.reader import read_coco
from decoder.coco.segmentation import box_to_rle, segmentation_to_rle
from decoder.coco.writer import write_coco

__all__ = ["box_to_rle", "read_coco", "segmentation_to_rle", "to_coco_annotation", "write_coco"]
