"""Annotation files of other tools, read into and written from one neutral stream of records.

``records`` holds what every format shares, ``registry`` the table of format names, and every folder one format.
"""

from clickmask.decoder.formats.combine import split_dataset
from clickmask.decoder.formats.options import OnProblem, ReadOptions, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.registry import find_format
from clickmask.decoder.formats.yolo.dataset import write_yolo_split

__all__ = [
    "AnnotatedImage",
    "Category",
    "Dataset",
    "ImageRecord",
    "ObjectRecord",
    "OnProblem",
    "ReadOptions",
    "WriteOptions",
    "find_format",
    "split_dataset",
    "write_yolo_split",
]
