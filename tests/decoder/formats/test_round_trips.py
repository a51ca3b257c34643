"""Written and read back, every format gives the same masks; what a format cannot hold is named here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from clickmask.decoder.formats.options import Encoding, ReadOptions, Tag, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Dataset, ObjectRecord
from clickmask.decoder.formats.registry import FORMATS
from clickmask.decoder.shapes import mask_to_rle, rle_area, rle_to_mask
from clickmask.decoder.shapes.polygons import Style
from tests.decoder.formats.samples import (
    Bits,
    content,
    ragged_blob,
    sample_dataset,
    sample_video,
    solid_blob,
    write_pictures,
)

KEEP_CONTENT = sorted(name for name in FORMATS if FORMATS[name].holds >= {"masks", "classes", "file names"})
ONE_LAYER = ["coco-panoptic", "label-png", "label-tiff", "mots", "mots-png", "voc"]  # a pixel has one object
HOLD_OVERLAP = sorted(set(KEEP_CONTENT) - set(ONE_LAYER))
HOLD_TRACKS = sorted(name for name in FORMATS if "tracks" in FORMATS[name].holds)


def there_and_back(name: str, dataset: Dataset, folder: Path, options: WriteOptions | None = None) -> Dataset:
    pictures = write_pictures(dataset, folder / "pictures")
    target = folder / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(dataset, target, replace(options or WriteOptions(), images=pictures))
    return FORMATS[name].read(target, ReadOptions(images=pictures))


@pytest.mark.parametrize("name", KEEP_CONTENT)
def test_masks_and_labels_come_back_pixel_for_pixel(name: str, tmp_path: Path) -> None:
    dataset = sample_dataset()
    assert content(there_and_back(name, dataset, tmp_path)) == content(dataset)


@pytest.mark.parametrize("name", HOLD_OVERLAP)
def test_overlapping_objects_come_back_whole(name: str, tmp_path: Path) -> None:
    dataset = sample_dataset()
    overlapping = [_with_mask(annotated, solid_blob()) for annotated in dataset.images]
    dataset = replace(dataset, images=overlapping)
    assert content(there_and_back(name, dataset, tmp_path)) == content(dataset)


@pytest.mark.parametrize("name", ONE_LAYER)
def test_where_objects_may_not_overlap_the_smaller_one_wins(name: str, tmp_path: Path) -> None:
    dataset = sample_dataset()
    annotated = next(iter(dataset.images))
    small, large = annotated.objects[0], replace(annotated.objects[1], rle=mask_to_rle(ragged_blob() | solid_blob()))
    image = AnnotatedImage(annotated.image, (replace(small, rle=mask_to_rle(solid_blob())), large))
    back = there_and_back(name, replace(dataset, images=[image], image_count=1), tmp_path)
    objects = next(iter(back.images)).objects
    found = {rle_to_mask(item.rle).tobytes() for item in objects}
    assert found == {solid_blob().tobytes(), (ragged_blob() & ~solid_blob()).tobytes()}


@pytest.mark.parametrize("name", HOLD_TRACKS)
def test_videos_and_tracks_come_back(name: str, tmp_path: Path) -> None:
    dataset = sample_video()
    back = there_and_back(name, dataset, tmp_path)
    assert {file.replace("frame_", ""): objects for file, objects in content(back).items()} == content(dataset)
    assert _tracks(back) == _tracks(dataset)


@pytest.mark.parametrize("encoding", get_args(Encoding))
@pytest.mark.parametrize("name", ["coco", "youtube-vis"])
def test_every_encoding_is_exact(name: str, encoding: Encoding, tmp_path: Path) -> None:
    dataset = sample_dataset()
    back = there_and_back(name, dataset, tmp_path, WriteOptions(encoding=encoding))
    assert content(back) == content(dataset)


@pytest.mark.parametrize("tag", ["brush", "bitmask", "polygon", "vector"])
def test_four_kinds_of_label_studio_region_are_exact(tag: Tag, tmp_path: Path) -> None:
    dataset = sample_dataset()
    assert content(there_and_back("label-studio", dataset, tmp_path, WriteOptions(tag=tag))) == content(dataset)


@pytest.mark.parametrize("style", get_args(Style))
@pytest.mark.parametrize("name", ["coco", "label-studio"])
def test_every_style_of_polygon_is_exact(name: str, style: Style, tmp_path: Path) -> None:
    dataset = sample_dataset()
    options = WriteOptions(style=style, tag="polygon")
    assert content(there_and_back(name, dataset, tmp_path, options)) == content(dataset)


@pytest.mark.parametrize("tag", ["rectangle", "rotated", "ellipse", "keypoint"])
def test_the_other_kinds_keep_objects_and_labels_but_not_pixels(tag: Tag, tmp_path: Path) -> None:
    dataset = sample_dataset()
    back = content(there_and_back("label-studio", dataset, tmp_path, WriteOptions(tag=tag)))
    labels = {name: sorted(label for label, _ in objects) for name, objects in back.items()}
    assert labels == {name: sorted(label for label, _ in objects) for name, objects in content(dataset).items()}
    assert back != content(dataset)


@pytest.mark.parametrize("name", ["coco", "labelme", "yolo"])
def test_simplified_polygons_keep_their_promise(name: str, tmp_path: Path) -> None:
    dataset = sample_dataset()
    solid = replace(dataset, images=[list(dataset.images)[1]], image_count=1)
    back = there_and_back(name, solid, tmp_path, WriteOptions(min_iou=0.9))
    mask = rle_to_mask(next(iter(back.images)).objects[0].rle)
    iou = (mask & solid_blob()).sum() / (mask | solid_blob()).sum()
    assert 0.9 <= iou < 1


def test_coco_keeps_every_number_and_the_header(tmp_path: Path) -> None:
    dataset = sample_dataset()
    scored = [_with_extras(annotated) for annotated in dataset.images]
    back = there_and_back("coco", replace(dataset, images=scored), tmp_path, WriteOptions(encoding="rle"))
    assert back.categories == dataset.categories
    assert back.info == dataset.info
    assert back.licenses == dataset.licenses
    measured = [replace(annotated, objects=tuple(map(_unmeasured, annotated.objects))) for annotated in back.images]
    assert measured == scored


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_dataset_without_images_comes_back_empty(name: str, tmp_path: Path) -> None:
    empty = replace(sample_dataset(), images=[], image_count=0)
    (tmp_path / "pictures").mkdir()
    if name == "yolo":
        (tmp_path / "out" / "images").mkdir(parents=True)  # data.yaml names it
    assert list(there_and_back(name, empty, tmp_path).images) == []


def _unmeasured(item: ObjectRecord) -> ObjectRecord:
    """Without the area and box that COCO states of every object."""
    assert item.area == rle_area(item.rle)
    return replace(item, area=None, box=None)


def _with_mask(annotated: AnnotatedImage, mask: Bits) -> AnnotatedImage:
    return replace(
        annotated,
        objects=tuple(replace(item, rle=mask_to_rle(rle_to_mask(item.rle) | mask)) for item in annotated.objects),
    )


def _with_extras(annotated: AnnotatedImage) -> AnnotatedImage:
    extras = [(0.5, False, None), (None, True, None), (0.25, False, 4), (None, False, None)]
    objects = [
        replace(item, score=score, is_crowd=is_crowd, track_id=track_id)
        for item, (score, is_crowd, track_id) in zip(annotated.objects, extras, strict=False)
    ]
    return replace(annotated, objects=tuple(objects))


def _tracks(dataset: Dataset) -> set[frozenset[tuple[str | None, int | None, bytes]]]:
    """Every track as the set of its frames and masks, whatever its number."""
    tracks: dict[tuple[str | None, int | None, int], set[tuple[str | None, int | None, bytes]]] = {}
    for annotated in dataset.images:
        image = annotated.image
        for item in annotated.objects:
            seen = (image.video, image.frame, rle_to_mask(item.rle).tobytes())
            tracks.setdefault((image.video, item.track_id, item.category_id), set()).add(seen)
    return {frozenset(track) for track in tracks.values()}
