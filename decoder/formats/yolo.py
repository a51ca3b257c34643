"""YOLO segmentation: one text file per picture, one line per object, and ``data.yaml``.

Layout: ``data.yaml`` names the classes and the picture folders; the labels of
``images/train/a.jpg`` are in ``labels/train/a.txt``, a line ``class x0 y0 x1 y1 ...`` per
object, coordinates divided by the picture's width and height.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from decoder.errors import ClickMaskError, DatasetError, ShapeError
from decoder.formats.builder import DatasetBuilder
from decoder.formats.join_rings import join_rings
from decoder.formats.options import ReadOptions, WriteOptions
from decoder.formats.output import inside, write_whole
from decoder.formats.pictures import copy_picture, list_pictures, picture_size
from decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from decoder.formats.yolo_data import read_data_yaml, write_data_yaml
from decoder.prompts import Size
from decoder.shapes import mask_to_polygons, mask_to_rle, polygons_to_mask, polygons_to_yolo, rle_to_mask, yolo_to_polygons
from decoder.shapes.rle import Rle
