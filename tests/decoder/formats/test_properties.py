"""Whatever the objects are, a conversion to another format and back loses only what the two say they do not hold."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder.formats.losses import Feature
from clickmask.decoder.formats.options import ReadOptions, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.prompts import Box, Size
from clickmask.decoder.shapes import box_to_mask, mask_to_rle, polygons_to_mask, rle_area, rle_to_mask
from tests.decoder.formats.test_round_trips import ONE_LAYER

SIZE = Size(11, 13)
CATEGORIES = (Category(3, "cat"), Category(7, "traffic light"))
LIGHT = settings(deadline=None, max_examples=8)
SAID: list[dict[str, Any]] = [{}, {"occluded": True}, {"brand": "x"}, {"occluded": True, "brand": "A & B"}]
FIELDS = st.sampled_from(SAID)


@st.composite
def objects(draw: st.DrawFn, number: int) -> ObjectRecord:
    """A mask of any pixels, a drawn polygon, or a box."""
    kind = draw(st.sampled_from(["mask", "polygon", "box"]))
    noise = np.random.default_rng(draw(st.integers(0, 99))).random((SIZE.height, SIZE.width))
    mask: NDArray[np.bool_] = noise > draw(st.sampled_from([0.1, 0.6, 0.95]))
    drawn: dict[str, Any] = {}
    if kind == "box":
        x, y = draw(st.integers(0, SIZE.width - 2)), draw(st.integers(0, SIZE.height - 2))
        width, height = draw(st.integers(1, SIZE.width - x)), draw(st.integers(1, SIZE.height - y))
        mask = box_to_mask(Box(x, y, x + width, y + height), SIZE)
        drawn = {"box": (float(x), float(y), float(width), float(height)), "is_box": True}
    if kind == "polygon":
        top, bottom = draw(st.sampled_from([0.25, 4.0])), draw(st.sampled_from([6.5, 11.0]))
        ring = (0.5, 0.5, float(SIZE.width), top, 5.75, bottom)
        mask, drawn = polygons_to_mask([list(ring)], SIZE), {"rings": (ring,)}
    return ObjectRecord(
        id=number,
        category_id=draw(st.sampled_from([3, 7])),
        rle=mask_to_rle(mask),
        score=draw(st.none() | st.sampled_from([0.25, 1.0])),
        is_crowd=draw(st.booleans()),
        extras=draw(FIELDS),
        **drawn,
    )


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    images = [
        AnnotatedImage(
            ImageRecord(number, f"day {number}/a.png", SIZE),
            tuple(draw(objects(10 * number + place)) for place in range(draw(st.integers(1 if number == 1 else 0, 3)))),
        )
        for number in range(1, draw(st.integers(2, 3)))
    ]
    return Dataset(CATEGORIES, images, len(images))


def through(name: str, dataset: Dataset, folder: Path) -> Dataset:
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for annotated in dataset.images:
        picture = pictures / annotated.image.file_name
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (SIZE.width, SIZE.height)).save(picture)
    target = folder / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(dataset, target, WriteOptions(images=pictures))
    read = FORMATS[name].read(target, ReadOptions(images=pictures, choice="predictions"))
    return replace(read, images=list(read.images))


def held(dataset: Dataset, holds: frozenset[Feature]) -> list[Any]:
    """Everything of a data set that these features say."""
    names = dataset.category_names
    rows = []
    for annotated in dataset.images:
        if not annotated.objects and "images without objects" not in holds:
            continue
        found = sorted(
            (
                repr(rle_to_mask(item.rle).tolist()) if "masks" in holds else "",
                names[item.category_id] if "classes" in holds else "",
                repr(item.score) if "scores" in holds else "",
                repr(item.is_crowd) if "crowds" in holds else "",
                repr(item.is_box) if {"boxes", "masks"} <= holds else "",
                repr(item.rings) if "polygons" in holds and is_drawn(item) else "",
                repr(sorted(item.extras.items())) if "object fields" in holds else "",
            )
            for item in annotated.objects
        )
        rows.append((annotated.image.file_name if "file names" in holds else "", found))
    return sorted(rows, key=lambda row: row[0])


def is_drawn(item: ObjectRecord) -> bool:
    """Whether the polygon is one of ours and no outline of pixels, which has four corners at least."""
    return [len(ring) for ring in item.rings] == [6]


def disjoint(dataset: Dataset) -> Dataset:
    """The data set without overlap, for formats where a pixel has one object."""
    images = []
    for annotated in dataset.images:
        free = np.ones((SIZE.height, SIZE.width), bool)
        kept = []
        for item in sorted(annotated.objects, key=lambda item: rle_area(item.rle)):
            mask = rle_to_mask(item.rle) & free
            free &= ~mask
            if mask.any():
                kept.append(replace(item, rle=mask_to_rle(mask), rings=(), box=None, is_box=False))
        images.append(replace(annotated, objects=tuple(kept)))
    return replace(dataset, images=images)


def without_crowds(dataset: Dataset) -> Dataset:
    """MOTS has one class for all that is to be ignored."""
    images = [
        replace(annotated, objects=tuple(replace(item, is_crowd=False) for item in annotated.objects))
        for annotated in dataset.images
    ]
    return replace(dataset, images=images)


@pytest.mark.parametrize("source", FORMATS)
@LIGHT
@given(dataset=datasets(), target=st.sampled_from(sorted(FORMATS)))
def test_there_and_back_loses_only_what_the_two_do_not_hold(source: str, target: str, dataset: Dataset) -> None:
    if {source, target} & set(ONE_LAYER):
        dataset = disjoint(dataset)
    if {source, target} & {"mots", "mots-png"}:
        dataset = without_crowds(dataset)
    both = FORMATS[source].holds & FORMATS[target].holds
    if "yolo" in (source, target):  # whose boxes stay boxes only where there is nothing else
        both -= {"boxes"}
    with tempfile.TemporaryDirectory() as folder:
        once = through(source, dataset, Path(folder) / "once")
        there = through(target, once, Path(folder) / "there")
        back = through(source, there, Path(folder) / "back")
    assert held(once, both) == held(dataset, both)
    assert held(back, both) == held(once, both)
