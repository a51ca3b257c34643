"""What we write, read by the libraries and the painting rules of those who will use it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import supervision
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from clickmask.decoder.formats.coco import write_coco
from clickmask.decoder.formats.labelme.dataset import write_labelme
from clickmask.decoder.formats.mots.dataset import write_mots
from clickmask.decoder.formats.options import Encoding, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Dataset
from clickmask.decoder.formats.voc.dataset import write_voc
from clickmask.decoder.formats.yolo.dataset import write_yolo
from clickmask.decoder.formats.youtube_vis.dataset import write_youtube_vis
from tests.decoder.formats.samples import (
    SIZE,
    Bits,
    content,
    sample_dataset,
    sample_video,
    solid_blob,
    write_pictures,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # of pycocotools, under NumPy 2


def solid_only() -> Dataset:
    """One object without holes: what outline painters can show exactly."""
    return replace(sample_dataset(), images=[list(sample_dataset().images)[1]], image_count=1)


@pytest.mark.parametrize("encoding", ["polygons", "rle", "counts"])
def test_pycocotools_loads_and_decodes_the_same_masks(
    encoding: Encoding, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_coco(sample_dataset(), tmp_path / "coco.json", WriteOptions(encoding=encoding))
    coco = COCO(tmp_path / "coco.json")
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    read: dict[str, set[tuple[str, bytes]]] = {image["file_name"]: set() for image in coco.loadImgs(coco.getImgIds())}
    for annotation in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(annotation).astype(bool)
        assert annotation["area"] == mask.sum()
        assert annotation["bbox"] == coco_mask.toBbox(coco.annToRLE(annotation)).tolist()
        file_name = coco.loadImgs(annotation["image_id"])[0]["file_name"]
        read[file_name].add((names[annotation["category_id"]], np.packbits(mask).tobytes()))
    assert read == content(sample_dataset())


def test_supervision_reads_our_coco(tmp_path: Path) -> None:
    pictures = write_pictures(solid_only(), tmp_path / "pictures")
    write_coco(solid_only(), tmp_path / "coco.json", WriteOptions(encoding="rle"))
    loaded = supervision.DetectionDataset.from_coco(str(pictures), str(tmp_path / "coco.json"), force_masks=True)
    (_, _, detections), *_ = list(loaded)
    assert not (detections.mask[0] ^ solid_blob()).any()


def test_supervision_reads_our_yolo_within_a_pixel(tmp_path: Path) -> None:
    """It rounds coordinates that YOLO's training cuts off: no row can suit both, and ours suits the training."""
    flat = replace(solid_only(), images=[_renamed(solid_only(), "b.png")])
    write_yolo(flat, tmp_path / "yolo", WriteOptions(images=write_pictures(flat, tmp_path / "pictures")))
    loaded = supervision.DetectionDataset.from_yolo(
        str(tmp_path / "yolo" / "images"),
        str(tmp_path / "yolo" / "labels"),
        str(tmp_path / "yolo" / "data.yaml"),
        force_masks=True,
    )
    (_, _, detections), *_ = list(loaded)
    assert loaded.classes[detections.class_id[0]] == "cat"
    grown = cv2.dilate(solid_blob().astype(np.uint8), np.ones((2, 2), np.uint8), anchor=(1, 1)).astype(bool)
    assert np.array_equal(solid_blob() | detections.mask[0], detections.mask[0])
    assert np.array_equal(grown & detections.mask[0], detections.mask[0])


def test_yolo_training_paints_the_same_mask(tmp_path: Path) -> None:
    """Its loader scales the row in float32, cuts to whole numbers and fills with OpenCV."""
    write_yolo(solid_only(), tmp_path / "yolo")
    row = np.array((tmp_path / "yolo" / "labels" / "day 1" / "b.txt").read_text().split()[1:], np.float32)
    points = (row.reshape(-1, 2) * np.array([SIZE.width, SIZE.height], np.float32)).astype(np.int32)
    canvas = np.zeros((SIZE.height, SIZE.width), np.uint8)
    cv2.fillPoly(canvas, [points], 1)
    assert not (canvas.astype(bool) ^ solid_blob()).any()


def test_labelme_paints_the_same_mask(tmp_path: Path) -> None:
    """It draws polygons with Pillow, outline and filling."""
    write_labelme(solid_only(), tmp_path)
    (shape,) = json.loads((tmp_path / "day 1" / "b.json").read_text())["shapes"]
    canvas = Image.new("L", (SIZE.width, SIZE.height))
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in shape["points"]], outline=1, fill=1)
    assert not (np.array(canvas).astype(bool) ^ solid_blob()).any()


def test_voc_masks_have_vocs_colours(tmp_path: Path) -> None:
    write_voc(solid_only(), tmp_path)
    picture = Image.open(tmp_path / "SegmentationClass" / "day 1" / "b.png")
    assert picture.mode == "P"
    assert np.array_equal(np.array(picture) == 1, solid_blob())
    area = int(solid_blob().sum())
    assert set(picture.convert("RGB").getcolors() or []) == {
        (SIZE.height * SIZE.width - area, (0, 0, 0)),
        (area, (128, 0, 0)),
    }


def test_mots_lines_decode_and_never_overlap(tmp_path: Path) -> None:
    write_mots(sample_video(), tmp_path)
    frames: dict[str, Bits] = {}
    for line in (tmp_path / "left.txt").read_text().splitlines():
        frame, track, class_id, height, width, counts = line.split()
        assert int(track) // 1000 == int(class_id)
        mask = coco_mask.decode({"size": [int(height), int(width)], "counts": counts}).astype(bool)
        assert not (frames.get(frame, np.zeros_like(mask)) & mask).any()
        frames[frame] = frames.get(frame, np.zeros_like(mask)) | mask
    assert sorted(frames) == ["0", "1", "2"]


def test_youtube_vis_tracks_have_one_entry_per_frame(tmp_path: Path) -> None:
    write_youtube_vis(sample_video(), tmp_path / "vis.json")
    document = json.loads((tmp_path / "vis.json").read_text())
    lengths = {video["id"]: video["length"] for video in document["videos"]}
    seen = [
        (annotation[key][frame] is None, annotation["segmentations"][frame] is None)
        for annotation in document["annotations"]
        for key in ("bboxes", "areas")
        for frame in range(lengths[annotation["video_id"]])
    ]
    assert all(one == other for one, other in seen)
    assert sum(missing for missing, _ in seen) == 4  # one track per video leaves for a frame
    track = document["annotations"][0]
    assert coco_mask.area(track["segmentations"][0]) == track["areas"][0]


def _renamed(dataset: Dataset, file_name: str) -> AnnotatedImage:
    annotated = next(iter(dataset.images))
    return replace(annotated, image=replace(annotated.image, file_name=file_name))
