"""Merging and splitting: ids stay where they can, nothing is lost, nothing comes twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.combine import merge_datasets, split_dataset
from clickmask.decoder.formats.fields import MAX_ID
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.prompts import Size
from clickmask.decoder.shapes import mask_to_rle
from tests.decoder.formats.samples import content, sample_dataset, sample_video

RLE = mask_to_rle(np.ones((2, 3), bool))


def dataset(
    images: Sequence[tuple[int, str, Sequence[tuple[int, int]]]], categories: Sequence[tuple[int, str]]
) -> Dataset:
    """Images as (id, file name, objects), objects as (id, category id)."""
    records = [
        AnnotatedImage(
            ImageRecord(number, name, Size(2, 3)), tuple(ObjectRecord(one, kind, RLE) for one, kind in objects)
        )
        for number, name, objects in images
    ]
    return Dataset(tuple(Category(number, name) for number, name in categories), records, len(records))


def listed(merged: Dataset) -> list[tuple[int, str, list[tuple[int, str]]]]:
    names = merged.category_names
    return [
        (
            annotated.image.id,
            annotated.image.file_name,
            [(item.id, names[item.category_id]) for item in annotated.objects],
        )
        for annotated in merged.images
    ]


def test_the_first_keeps_its_ids_and_later_ones_get_free_numbers() -> None:
    first = dataset([(4, "a", [(9, 1)])], [(1, "cat"), (2, "dog")])
    second = dataset([(4, "b", [(9, 1), (3, 2)])], [(1, "dog"), (2, "bird")])
    merged = merge_datasets([first, second])
    assert listed(merged) == [(4, "a", [(9, "cat")]), (5, "b", [(10, "dog"), (3, "bird")])]
    assert merged.categories == (Category(1, "cat"), Category(2, "dog"), Category(3, "bird"))
    assert merged.image_count == 2


def test_one_picture_in_two_datasets_is_one_image_with_all_objects() -> None:
    merged = merge_datasets([dataset([(1, "a", [(1, 1)])], [(1, "cat")]), dataset([(7, "a", [(1, 5)])], [(5, "cat")])])
    assert listed(merged) == [(1, "a", [(1, "cat"), (2, "cat")])]


def test_a_picture_that_comes_in_two_sizes_is_reported() -> None:
    other = dataset([(1, "a", [(1, 1)])], [(1, "cat")])
    (image,) = other.images
    larger = replace(other, images=[replace(image, image=replace(image.image, size=Size(5, 5)))])
    problems: list[ClickMaskError] = []
    merged = merge_datasets([other, larger], problems.append)
    assert [str(problem) for problem in problems] == ["image a comes as 3x2 and as 5x5, wanted one size"]
    assert len(listed(merged)) == 1


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(DatasetError, match="no dataset"):
        merge_datasets([])


NUMBERED = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=6)


@settings(deadline=None)
@given(parts=st.lists(NUMBERED, min_size=1, max_size=4))
def test_ids_are_unique_whatever_they_were(parts: list[list[tuple[int, int]]]) -> None:
    datasets = [
        dataset([(number, f"{place}-{number}", [(one, 1)]) for number, one in dict(part).items()], [(1, "cat")])
        for place, part in enumerate(parts)
    ]
    merged = listed(merge_datasets(datasets))
    images = [number for number, _, _ in merged]
    objects = [one for _, _, items in merged for one, _ in items]
    assert len(set(images)) == len(images) == sum(len(dict(part)) for part in parts)
    assert len(set(objects)) == len(objects)


def test_splitting_gives_every_image_to_one_part() -> None:
    many = dataset([(number, f"{number}.jpg", [(number, 1)]) for number in range(100)], [(1, "cat")])
    parts = split_dataset(many, {"train": 0.7, "val": 0.2, "test": 0.1})
    assert {name: (part.image_count, len(listed(part))) for name, part in parts.items()} == {
        "train": (70, 70),
        "val": (20, 20),
        "test": (10, 10),
    }
    assert sorted(row for part in parts.values() for row in listed(part)) == sorted(listed(many))
    assert all(part.categories == many.categories for part in parts.values())


def test_the_split_depends_on_names_and_seed_only() -> None:
    rows = [(number, f"{number}.jpg", [(number, 1)]) for number in range(50)]
    forward, backward = dataset(rows, [(1, "cat")]), dataset(rows[::-1], [(1, "cat")])
    shares = {"a": 0.5, "b": 0.5}
    assert content(split_dataset(forward, shares)["a"]) == content(split_dataset(backward, shares)["a"])
    assert content(split_dataset(forward, shares)["a"]) != content(split_dataset(forward, shares, seed=1)["a"])


def test_frames_of_a_video_stay_together() -> None:
    """Neighbouring frames are nearly the same picture: in both parts, they would make validation a lie."""
    parts = split_dataset(sample_video(), {"train": 0.5, "val": 0.5})
    videos = {name: {annotated.image.video for annotated in part.images} for name, part in parts.items()}
    assert sorted(map(len, videos.values())) == [1, 1]
    assert videos["train"].isdisjoint(videos["val"])


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.4}, {"a": 1.5, "b": -0.5}, {"a": float("nan")}, {}])
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(DatasetError, match="do not add up to 1"):
        split_dataset(sample_dataset(), shares)


def test_ids_that_leave_no_free_one_are_told() -> None:
    first, *_ = sample_dataset().images
    last = replace(first, objects=(replace(first.objects[0], id=MAX_ID),))
    full = replace(sample_dataset(), images=[last], image_count=1)
    with pytest.raises(DatasetError, match=f"the id {MAX_ID + 1} is too large, wanted at most {MAX_ID}"):
        merge_datasets([full, full])
