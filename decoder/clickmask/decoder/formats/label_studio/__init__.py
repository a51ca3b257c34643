"""Label Studio: masks as regions, regions as masks, and files of whole tasks.

The home of everything that knows how Label Studio writes an annotation.
"""

from clickmask.decoder.formats.label_studio.export import label_config, write_label_studio
from clickmask.decoder.formats.label_studio.keyframes import LEAST_IOU, Keyframe, choose_keyframes
from clickmask.decoder.formats.label_studio.masks import is_shape, region_size, result_to_mask
from clickmask.decoder.formats.label_studio.regions import (
    Region,
    new_region_id,
    to_bitmask_result,
    to_brush_result,
    to_ellipse_result,
    to_keypoint_result,
    to_polygon_results,
    to_rectangle_result,
    to_rotated_rectangle_result,
    to_vector_results,
)
from clickmask.decoder.formats.label_studio.tasks import read_label_studio
from clickmask.decoder.formats.label_studio.video_rectangle import to_video_rectangle

__all__ = [
    "LEAST_IOU",
    "Keyframe",
    "Region",
    "choose_keyframes",
    "is_shape",
    "label_config",
    "new_region_id",
    "read_label_studio",
    "region_size",
    "result_to_mask",
    "to_bitmask_result",
    "to_brush_result",
    "to_ellipse_result",
    "to_keypoint_result",
    "to_polygon_results",
    "to_rectangle_result",
    "to_rotated_rectangle_result",
    "to_vector_results",
    "to_video_rectangle",
    "write_label_studio",
]
