"""One mask as one annotation, decoded by pycocotools."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from clickmask.decoder.errors import ClickMaskError, ShapeError
from clickmask.decoder.formats.coco import box_to_rle, segmentation_to_rle, to_coco_annotation
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle
from tests.decoder.formats.samples import solid_blob
from tests.fuzz import fuzz

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # of pycocotools, under NumPy 2
MASKS = arrays(np.bool_, st.tuples(st.integers(1, 15), st.integers(1, 15)))
IDS: Any = {"annotation_id": 4, "image_id": 2, "category_id": 9}


def decode(segmentation: Any, height: int, width: int) -> np.ndarray[Any, Any]:
    """As ``COCO.annToMask`` does."""
    if isinstance(segmentation, list):
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = coco_mask.frPyObjects(segmentation, height, width)
    else:
        rle = segmentation
    return np.asarray(coco_mask.decode(rle)).astype(bool)


@settings(deadline=None, max_examples=200)
@given(mask=MASKS, encoding=st.sampled_from(["polygons", "rle", "counts"]))
def test_every_mask_decodes_to_itself(mask: np.ndarray[Any, Any], encoding: Any) -> None:
    annotation = to_coco_annotation(mask, **IDS, encoding=encoding)
    assert np.array_equal(decode(annotation["segmentation"], *mask.shape), mask)
    assert annotation["area"] == mask.sum()
    assert annotation["bbox"] == coco_mask.toBbox(coco_mask.encode(np.asfortranarray(mask, np.uint8))).tolist()


def test_a_simplified_annotation_tells_its_own_area_and_box() -> None:
    annotation = to_coco_annotation(solid_blob(), **IDS, min_iou=0.9)
    decoded = decode(annotation["segmentation"], *solid_blob().shape)
    assert annotation["area"] == decoded.sum() != solid_blob().sum()
    assert annotation["bbox"] == coco_mask.toBbox(coco_mask.encode(np.asfortranarray(decoded, np.uint8))).tolist()


def test_ids_and_score_are_written() -> None:
    annotation = to_coco_annotation(solid_blob(), **IDS, score=0.25)
    assert {key: annotation[key] for key in ("id", "image_id", "category_id", "score")} == {
        "id": 4,
        "image_id": 2,
        "category_id": 9,
        "score": 0.25,
    }
    assert "score" not in to_coco_annotation(solid_blob(), **IDS)


@settings(deadline=None, max_examples=200)
@given(mask=MASKS, encoding=st.sampled_from(["polygons", "rle", "counts"]))
def test_segmentations_of_every_form_become_the_same_run_lengths(mask: np.ndarray[Any, Any], encoding: Any) -> None:
    segmentation = to_coco_annotation(mask, **IDS, encoding=encoding)["segmentation"]
    assert segmentation_to_rle(segmentation, Size(*mask.shape)) == mask_to_rle(mask)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["size", "counts"]), inner),
    max_leaves=12,
)


@fuzz(300)
@given(segmentation=ODD | st.lists(st.lists(st.floats(-9, 9), max_size=9)))
def test_odd_segmentations_raise_nothing_but_our_errors(segmentation: Any) -> None:
    for read in (segmentation_to_rle, box_to_rle):
        with suppress(ClickMaskError):
            assert read(segmentation, Size(3, 4))["size"] == [3, 4]


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([[0, 0, 1, 1]], "polygon has 4 numbers, wanted an even number of at least 6"),
        ([[0, 0, 1, 1, 2, 2, 3]], "polygon has 7 numbers"),
        ([[0, 0, 1, float("nan"), 2, 2]], "not finite"),
        ([[0, 0, 1e7, 1, 2, 2]], "far off the 4x3 image"),
        ([], r"segmentation is \[\]"),
        ({"size": [4, 3], "counts": [12]}, r"run lengths of size \[4, 3\] on an image of \[3, 4\]"),
        ({"size": [3, 4], "counts": [5]}, "5"),
        ({"size": [3, 4], "counts": "zzz"}, "counts|run"),
    ],
)
def test_malformed_segmentations_are_explained(segmentation: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        segmentation_to_rle(segmentation, Size(3, 4))
