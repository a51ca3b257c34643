"""Pictures beside annotations: which there are, how large, and copies of them."""

from __future__ import annotations

import shutil
from pathlib import Path

from clickmask.decoder import images
from clickmask.decoder.errors import DatasetError, ImageError
from clickmask.decoder.formats.output import inside, make_folder
from clickmask.decoder.images import PICTURE_SUFFIXES
from clickmask.decoder.prompts import Size


def list_pictures(folder: Path) -> list[Path]:
    """Return all pictures in a folder and those below it, sorted by path.

    Raises:
        DatasetError: If there is no such folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder, wanted the pictures of the dataset")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())


def picture_size(path: Path) -> Size:
    """Return the upright size of a picture from its header, EXIF orientation applied.

    Raises:
        DatasetError: If it is not there or no picture.
    """
    try:
        return images.picture_size(path)
    except ImageError as error:
        raise DatasetError(f"{error}, and its size is needed") from None


def size_in(folder: Path | None, file_name: str, where: str) -> Size:
    """Return the size of a picture that a record names without stating it.

    Args:
        folder: Of the pictures, or None where there is none.
        file_name: Of the picture, below the folder or, as its last part, in it.
        where: Names the record in the error.

    Raises:
        DatasetError: If the picture is not there or no picture.
    """
    if folder is None:
        raise DatasetError(f"{where}: states no width and height, wanted them or the pictures (--images FOLDER)")
    return picture_size(find_picture(folder, file_name))


def find_picture(folder: Path, file_name: str) -> Path:
    """Return where a picture is: below the folder as it is named, else its last part in the folder.

    Raises:
        DatasetError: If the name is none.
    """
    named = inside(folder, file_name)
    plain = folder / named.name
    return plain if not named.exists() and plain.exists() else named


def copy_picture(folder: Path, file_name: str, target: Path) -> None:
    """Copy the picture of this name out of an image folder.

    Raises:
        DatasetError: If it is not there or cannot be copied.
    """
    source = find_picture(folder, file_name)
    make_folder(target.parent)
    try:
        shutil.copyfile(source, target)
    except shutil.SameFileError:
        return
    except OSError as error:
        raise DatasetError(f"{source}: cannot be copied to {target}: {error.strerror or error}") from None
