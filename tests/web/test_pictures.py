from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder import ImageError, Size, load_image
from clickmask.web.photos.pictures import (
    picture_size,
    shows_in_browser,
    thumbnail_url,
    write_browser_copy,
)
from tests.web.photos import open_library, write_photo


def test_hidden_files_and_other_files_are_not_pictures(tmp_path: Path) -> None:
    write_photo(tmp_path / "b.png")
    write_photo(tmp_path / "deep/er/a.jpg")
    write_photo(tmp_path / ".clickmask/shown/copy.png")
    (tmp_path / "notes.txt").write_text("no picture")
    folder = open_library(tmp_path, tmp_path / ".home").folder(tmp_path)
    assert [picture.name for picture in folder.pictures()] == ["b.png", "deep/er/a.jpg"]


def test_a_rotated_photo_has_the_size_a_person_sees(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = tmp_path / "turned.jpg"
    Image.new("RGB", (60, 40)).save(file, exif=exif)
    assert picture_size(file) == Size(60, 40)
    assert load_image(file).shape == (60, 40, 3)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("print.jpg", Image.new("CMYK", (30, 20), (0, 200, 200, 0))),
        ("deep.png", Image.fromarray(np.linspace(0, 60000, 600).astype(np.uint16).reshape(20, 30))),
        ("scan.tif", Image.new("RGB", (30, 20), "red")),
    ],
)
def test_what_a_browser_cannot_show_gets_a_copy_with_the_pixels_the_decoder_sees(
    tmp_path: Path, name: str, image: Image.Image
) -> None:
    file, copy = tmp_path / name, tmp_path / "shown/copy.png"
    image.save(file)
    assert not shows_in_browser(file)
    write_browser_copy(file, copy)
    assert shows_in_browser(copy)
    assert np.array_equal(load_image(copy), load_image(file))


def test_a_thumbnail_is_a_small_jpeg(tmp_path: Path) -> None:
    url = thumbnail_url(write_photo(tmp_path / "a.jpg", 1200, 900))
    assert url.startswith("data:image/jpeg;base64,")
    assert len(url) < 20_000


def test_broken_and_vanished_files_are_reported_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff nothing more")
    with pytest.raises(ImageError, match=r"broken\.jpg is not a picture that can be read"):
        picture_size(broken)
    with pytest.raises(ImageError, match=r"gone\.jpg is gone"):
        picture_size(tmp_path / "gone.jpg")
    cut = write_photo(tmp_path / "cut.png", 300, 300)
    cut.write_bytes(cut.read_bytes()[:900])
    with pytest.raises(ImageError):
        thumbnail_url(cut)


def test_the_size_of_a_png_is_known_from_its_head(tmp_path: Path) -> None:
    file = write_photo(tmp_path / "large.png", 300, 200)
    file.write_bytes(file.read_bytes()[:60])
    assert picture_size(file) == Size(200, 300)
