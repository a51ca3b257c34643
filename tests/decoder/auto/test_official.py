"""The same masks as the official generator of SAM 2, from the same answers and settings.

Recorded with facebookresearch/sam2's ``automatic_mask_generator`` 1.1.0 over the answers of ``drawn``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.auto.generate import AnswerPrompts, segment_everything
from clickmask.decoder.auto.settings import AutoSettings
from clickmask.decoder.auto.small_regions import clean_masks
from clickmask.decoder.prompts import Prompt, Size
from clickmask.decoder.refine.window import Window
from clickmask.decoder.segment import MaskSet
from clickmask.decoder.shapes import mask_iou, rle_to_mask
from tests.decoder.auto.drawn import draw_answer
from tests.sam2_reference import DATA

RECORDED: dict[str, Any] = json.loads((DATA / "automatic_masks.json").read_text())
NAMES = {
    "points_per_side": "points_per_side",
    "pred_iou_thresh": "min_predicted_iou",
    "stability_score_thresh": "min_stability",
    "stability_score_offset": "stability_offset",
    "mask_threshold": "mask_threshold",
    "box_nms_thresh": "max_box_iou",
    "crop_n_layers": "crop_layers",
    "crop_nms_thresh": "max_crop_box_iou",
    "crop_overlap_ratio": "crop_overlap",
    "crop_n_points_downscale_factor": "crop_points_divisor",
    "use_m2m": "mask_to_mask",
}


def open_drawn_crop(window: Window) -> AnswerPrompts:
    """What answers prompts on a crop."""

    def answer(prompts: Sequence[Prompt]) -> list[MaskSet]:
        crop = (window.left, window.top, window.right, window.bottom)
        drawn = [draw_answer(crop, p.points[0].x, p.points[0].y, p.mask_logits) for p in prompts]
        return [MaskSet(logits.clamp(-32, 32), scores, 1.0, window.size) for logits, scores in drawn]

    return answer


def generate(name: str) -> list[FoundMask]:
    """Our masks of a recorded case."""
    case = RECORDED[name]
    settings = AutoSettings(**{NAMES[key]: value for key, value in case["settings"].items()})
    return segment_everything(open_drawn_crop, Size(*case["size"]), settings)


@pytest.mark.parametrize("name", RECORDED)
def test_the_same_masks_in_the_same_order(name: str) -> None:
    size, wanted = RECORDED[name]["size"], RECORDED[name]["masks"]
    found = generate(name)
    assert len(found) == len(wanted) >= 8
    for ours, theirs in zip(found, wanted, strict=True):
        assert mask_iou(ours.mask(), rle_to_mask({"size": size, "counts": theirs["counts"]})) >= 0.99
        assert abs(ours.area - theirs["area"]) <= 2  # pixels whose logit is the threshold but for rounding
        assert ours.predicted_iou == pytest.approx(theirs["predicted_iou"], abs=1e-5)
        assert ours.stability == pytest.approx(theirs["stability"], abs=1e-2)
        assert (ours.point.x, ours.point.y) == pytest.approx(theirs["point"], abs=1e-2)
        assert [ours.crop.left, ours.crop.top, ours.crop.size.width, ours.crop.size.height] == theirs["crop"]
        left, top, width, height = theirs["bbox"]  # theirs lack the last row and column
        assert ours.box.xyxy == pytest.approx((left, top, left + width + 1, top + height + 1), abs=1)


@pytest.mark.parametrize("least_px", [12, 60])
def test_the_same_small_regions_are_cleaned(least_px: int) -> None:
    size, wanted = RECORDED["whole"]["size"], RECORDED["whole"][f"cleaned {least_px}"]
    found = generate("whole")
    cleaned = clean_masks(found, least_px, max_box_iou=0.7)
    assert len(cleaned) == len(wanted)
    changed = 0
    for ours, theirs in zip(cleaned, wanted, strict=True):
        before = found[theirs["index"]]
        assert (ours.point, ours.predicted_iou) == (before.point, before.predicted_iou)
        assert mask_iou(ours.mask(), rle_to_mask({"size": size, "counts": theirs["counts"]})) >= 0.99
        assert ours.area == np.count_nonzero(ours.mask())
        changed += ours.rle != before.rle
    assert changed > 3
