"""Label Studio: masks as regions, regions as masks, and whole tasks.

The home of everything that knows how Label Studio writes an annotation; tested against its
own SDK and, in ``tests/e2e``, against its own editor.
"""

from decoder.formats.label_studio.masks import region_size, result_to_mask
from decoder.formats.label_studio.regions import (
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

__all__ = [
    "Region",
    "new_region_id",
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
]
