"""Pictures beside annotations: which there are, how large, and copies of them."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import ExifTags, Image

from clickmask.decoder.errors import DatasetError
from clickmask.decoder.formats.output import inside, make_folder
from clickmask.decoder.images import BROKEN_PICTURE
from clickmask.decoder.prompts import Size

SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_SIDEWAYS = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height


def list_pictures(folder: Path) -> list[Path]:
    """Return all pictures in a folder and those below it, sorted by path.

    Raises:
        DatasetError: If there is no such folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder, wanted the pictures of the dataset")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def picture_size(path: Path) -> Size:
    """Return the upright size of a picture from its header, EXIF orientation applied.

    Raises:
        DatasetError: If it is not there or no picture.
    """
    try:
        with Image.open(path) as picture:
            sideways = picture.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
            return Size(picture.width, picture.height) if sideways else Size(picture.height, picture.width)
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such picture, and its size is needed") from None
    except BROKEN_PICTURE as error:
        raise DatasetError(f"{path}: cannot be read as a picture: {error}") from None


def copy_picture(images: Path, file_name: str, target: Path) -> None:
    """Copy the picture of this name out of an image folder.

    Raises:
        DatasetError: If it is not there or cannot be copied.
    """
    source = inside(images, file_name)
    make_folder(target.parent)
    try:
        shutil.copyfile(source, target)
    except shutil.SameFileError:
        return
    except OSError as error:
        raise DatasetError(f"{source}: cannot be copied to {target}: {error.strerror or error}") from None
