"""COCO: one annotation, or a dataset of any length, read, written, merged and split.

``iscrowd``, ``score`` and ``track_id`` travel along. Everything written loads with
pycocotools and decodes to the mask it came from.
"""

from decoder.coco.annotation import Encoding, to_coco_annotation
from decoder.coco.segmentation import box_to_rle, segmentation_to_rle

__all__ = ["Encoding", "box_to_rle", "segmentation_to_rle", "to_coco_annotation"]
