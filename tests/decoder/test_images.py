"""Pictures of every kind become upright RGB; broken ones get a clear message."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from clickmask.decoder import ClickMaskError, ImageError, load_image
from clickmask.decoder.formats.pictures import picture_size
from clickmask.decoder.formats.png_files import read_binary


def png(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 20) -> Image.Image:
    """Dark on the left, bright on the right."""
    return Image.fromarray(np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1)))


def test_paths_bytes_and_pil_images_give_the_same_pixels(tmp_path: Path) -> None:
    picture = gradient().convert("RGB")
    picture.save(tmp_path / "a.png")
    from_path = load_image(tmp_path / "a.png")
    assert from_path.shape == (20, 40, 3)
    assert from_path.dtype == np.uint8
    np.testing.assert_array_equal(from_path, load_image(str(tmp_path / "a.png")))
    np.testing.assert_array_equal(from_path, load_image(png(picture)))
    np.testing.assert_array_equal(from_path, load_image(picture))


def test_exif_rotation_is_applied() -> None:
    """A phone's portrait photo is stored lying; the click frame is the upright one."""
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to see it upright
    turned = load_image(png(gradient(), "JPEG", exif=exif))
    assert turned.shape == (40, 20, 3)
    assert turned[0].mean() < turned[-1].mean()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    picture = (
        gradient().convert("I").convert("I;16") if mode == "I;16" else gradient().convert("RGB").convert(_via(mode))
    )
    pixels = load_image(picture)
    assert pixels.shape == (20, 40, 3)
    assert pixels.dtype == np.uint8


def _via(mode: str) -> str:
    return {"I": "L", "F": "L", "LAB": "RGB"}.get(mode, mode)


def test_sixteen_bits_are_stretched_to_eight() -> None:
    """A 12-bit scan stored in 16 bits is not black."""
    samples = np.linspace(1000, 4095, 40).astype(np.uint16)
    pixels = load_image(png(Image.fromarray(np.tile(samples, (20, 1)))))
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert (np.diff(pixels[0, :, 0].astype(int)) > 0).all()


def test_float_pictures_with_holes_are_read() -> None:
    samples = np.array([[0.0, 0.5], [np.nan, 1.0]], dtype=np.float32)
    assert load_image(Image.fromarray(samples))[:, :, 0].tolist() == [[0, 128], [0, 255]]


def test_alpha_is_laid_over_white() -> None:
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert (load_image(png(clear)) == 255).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a picture"),
        (b"hello", "not a picture"),
        (png(gradient().convert("RGB"))[:60], "broken or cut short"),
        (png(gradient().resize((900, 900)).convert("RGB"), "JPEG")[:-2000], "broken or cut short"),
    ],
    ids=["empty", "text", "cut png", "cut jpeg"],
)
def test_broken_files_are_refused_with_a_reason(content: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load_image(content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"gone\.jpg does not exist"):
        load_image(tmp_path / "gone.jpg")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot|broken|directory"):
        load_image(tmp_path)


@pytest.mark.parametrize("side", [9_500, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    """A few hundred bytes can claim billions of pixels."""
    header = png(Image.new("1", (side, 8)))
    bomb = header[:20] + side.to_bytes(4, "big") + header[24:]  # the height field of IHDR
    bomb = bomb[:29] + _crc(bomb[12:29]) + bomb[33:]
    with pytest.raises(ImageError, match="pixels"):
        load_image(bomb)


def _crc(chunk: bytes) -> bytes:
    import zlib

    return zlib.crc32(chunk).to_bytes(4, "big")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
@pytest.mark.parametrize("read", [load_image, picture_size, read_binary])
def test_a_broken_avif_is_told_as_broken(read: Callable[[Path], object], tmp_path: Path) -> None:
    """Pillow's AVIF decoder raises a RuntimeError, which used to end in a traceback."""
    (tmp_path / "a.avif").write_bytes(png(gradient().convert("RGB"), "AVIF").replace(b"iloc", b"free"))
    with pytest.raises(ClickMaskError, match=r"a\.avif.*(broken|cannot be read)"):
        read(tmp_path / "a.avif")


def test_infinity_beside_one_number_is_white() -> None:
    samples = np.array([[3.0, np.inf]], dtype=np.float32)
    assert load_image(Image.fromarray(samples))[0, :, 0].tolist() == [0, 255]
