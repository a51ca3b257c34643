"""What segmenting everything looks for, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class AutoSettings:
    """How an image is looked through without a prompt; by default as the official generator of SAM 2 does.

    Args:
        points_per_side: The grid has this many clicks along each side.
        points_per_batch: Clicks that are answered together.
        min_predicted_iou: Only masks the model trusts more are kept, in [0, 1].
        min_stability: Masks with a softer edge are dropped, in [0, 1].
        stability_offset: How far the threshold is moved for it [logits].
        mask_threshold: What is object [logits].
        max_box_iou: Of two masks of one crop whose boxes overlap more only the better is kept, in [0, 1].
        crop_layers: Looks again at crops, layer n at 2^n by 2^n of them, so that small objects are found.
        max_crop_box_iou: Of two masks of different crops whose boxes overlap more that of the smaller crop is kept.
        crop_overlap: How far the crops of the first layer overlap, as a share of the shorter side.
        crop_points_divisor: The grid of layer n has this to the power of n fewer clicks along each side.
        mask_to_mask: Ask once more with each mask as a prompt before it is judged.
        min_region_px: Holes and islands with fewer pixels are filled or removed at the end; 0 leaves them.
        max_nesting: Of two masks of which one lies within the other and is more than this share of it, only the
            better is kept, in [0, 1]: a coin once, not also without its rim. 1 keeps both.
        min_area: Smaller masks are dropped, as a share of the image in [0, 1].
        max_area: Larger masks are dropped, likewise.
        most: Only this many masks are kept, best first; None keeps all.
        adaptive: Click from far apart to close together, and no more in small masks that two clicks found: about half
            the clicks, and some of what the whole grid finds is missed.
        tile_px: Side of the tiles in which a large image is looked through, see ``segment_tiles`` [px].
    """

    points_per_side: int = 32
    points_per_batch: int = 16
    min_predicted_iou: float = 0.8
    min_stability: float = 0.95
    stability_offset: float = 1.0
    mask_threshold: float = 0.0
    max_box_iou: float = 0.7
    crop_layers: int = 0
    max_crop_box_iou: float = 0.7
    crop_overlap: float = 512 / 1500
    crop_points_divisor: int = 1
    mask_to_mask: bool = False
    min_region_px: int = 0
    max_nesting: float = 1.0
    min_area: float = 0.0
    max_area: float = 1.0
    most: int | None = None
    adaptive: bool = False
    tile_px: int = 2048


OFFICIAL = AutoSettings()
NANO = AutoSettings(  # it is modest about itself, and sees less of a large tile
    points_per_side=16, min_predicted_iou=0.45, min_stability=0.6, tile_px=1024
)


def model_settings(model_name: str) -> AutoSettings:
    """The official settings with the thresholds that fit a model's own scores."""
    return NANO if model_name.startswith("nano") else OFFICIAL


def people_settings(model_name: str) -> AutoSettings:
    """What a person wants to see proposed: each object once, nothing that is but background or dust."""
    return replace(
        model_settings(model_name), max_nesting=0.5, min_area=0.0002, max_area=0.9, most=200, min_region_px=16
    )
