"""PNG masks as others lay them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder.errors import ClickMaskError, DatasetError
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.png.dataset import read_png_masks
from clickmask.decoder.formats.voc.palette import voc_palette
from clickmask.decoder.shapes import rle_area


def test_png_masks_that_lie_beside_each_other_are_one_picture_each(tmp_path: Path) -> None:
    Image.new("L", (4, 3), 255).save(tmp_path / "a.png")
    Image.new("RGBA", (4, 3), (255, 255, 255, 0)).save(tmp_path / "b.png")
    (tmp_path / "readme.md").write_text("not a mask")
    dataset = read_png_masks(tmp_path)
    assert [(image.image.file_name, len(image.objects)) for image in dataset.images] == [("a.png", 1), ("b.png", 0)]
    assert [category.name for category in dataset.categories] == ["object"]


def test_davis_folders_are_videos_and_palette_indices_are_tracks(tmp_path: Path) -> None:
    (tmp_path / "dog").mkdir()
    for frame in (7, 12):
        picture = Image.fromarray(np.array([[0, 1, 1], [2, 2, 2]], np.uint8))
        picture.putpalette(voc_palette().tobytes())
        picture.save(tmp_path / "dog" / f"{frame:05d}.png")
    rows = [
        (image.image.file_name, image.image.video, image.image.frame, item.track_id, rle_area(item.rle))
        for image in read_png_masks(tmp_path).images
        for item in image.objects
    ]
    assert rows == [
        ("dog/00007.png", "dog", 7, 1, 2),
        ("dog/00007.png", "dog", 7, 2, 3),
        ("dog/00012.png", "dog", 12, 1, 2),
        ("dog/00012.png", "dog", 12, 2, 3),
    ]


def test_names_that_are_neither_frames_nor_objects_are_stills(tmp_path: Path) -> None:
    (tmp_path / "day_1").mkdir()
    Image.new("L", (4, 3), 255).save(tmp_path / "day_1" / "img_001.png")
    rows = [(image.image.file_name, image.image.video) for image in read_png_masks(tmp_path).images]
    assert rows == [("day_1/img_001.png", None)]


def test_what_is_no_mask_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    problems: list[ClickMaskError] = []
    assert read_png_masks(tmp_path, ReadOptions(on_problem=problems.append)).image_count == 0
    assert "broken.png is not a picture that can be read" in str(problems[0])
    assert [str(problem).split(": ")[1] for problem in problems[1:]] == ["holds no PNG, wanted masks"]
    with pytest.raises(DatasetError, match="there is no such folder"):
        read_png_masks(tmp_path / "missing")
