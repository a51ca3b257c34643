"""Where the pictures of a run are, and where its output goes: a folder of this machine, or of a bucket such as S3.

Buckets are reached through Apache Arrow, which comes with the extra ``ray``; it takes keys and regions from where all
of AWS' tools take them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol

from clickmask.decoder.errors import DatasetError, ImageError
from clickmask.decoder.formats.output import inside
from clickmask.decoder.formats.pictures import list_pictures
from clickmask.decoder.images import PICTURE_SUFFIXES, Pixels, load_image


class PictureFolder(Protocol):
    """Pictures by their names; it can be sent to another machine that reaches the same place."""

    def names(self) -> list[str]:
        """All pictures in it and below, as paths below it, sorted.

        Raises:
            DatasetError: If it cannot be looked through.
        """

    def load(self, name: str) -> Pixels:
        """Read a picture.

        Raises:
            ImageError: If it cannot be read.
            DatasetError: If the name is none.
        """


def picture_folder(place: str) -> PictureFolder:
    """The folder of a path or of an address such as ``s3://bucket/photos``."""
    return Bucket(place) if is_address(place) else LocalFolder(Path(place))


def is_address(place: str) -> bool:
    """Whether a place is one of a bucket, not of this machine.

    Example:
        >>> is_address("s3://bucket/photos"), is_address("photos")
        (True, False)
    """
    return "://" in place


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, or one that all machines see under the same path."""

    path: Path

    def names(self) -> list[str]:
        """See ``PictureFolder``."""
        return [path.relative_to(self.path).as_posix() for path in list_pictures(self.path)]

    def load(self, name: str) -> Pixels:
        """See ``PictureFolder``."""
        return load_image(inside(self.path, name))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder of a bucket.

    Args:
        address: Such as ``s3://bucket/photos``, with Arrow's options behind a "?" if need be.
    """

    address: str

    def names(self) -> list[str]:
        """See ``PictureFolder``."""
        import pyarrow.fs

        files, folder = _open(self.address)
        with _told(self.address):
            found = files.get_file_info(pyarrow.fs.FileSelector(folder, recursive=True))
        paths = [posixpath.relpath(item.path, folder) for item in found if item.is_file]
        return sorted(path for path in paths if posixpath.splitext(path)[1].lower() in PICTURE_SUFFIXES)

    def load(self, name: str) -> Pixels:
        """See ``PictureFolder``."""
        data = self.read(name)
        try:
            return load_image(data)
        except ImageError as error:
            raise ImageError(f"{name}: {error}") from None

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            ImageError: If it cannot be read.
            DatasetError: If the name is none.
        """
        files, folder = _open(self.address)
        path = inside(Path(folder), name).as_posix()
        try:
            with files.open_input_file(path) as file:
                data: bytes = file.read()
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {_reason(error)}") from None
        return data


def exists(address: str) -> bool:
    """Whether there is a file at an address.

    Raises:
        DatasetError: If the bucket cannot be reached.
    """
    files, path = _open(address)
    with _told(address):
        return bool(files.get_file_info(path).is_file)


def upload(path: Path, address: str) -> None:
    """Copy a file into a bucket.

    Raises:
        DatasetError: If it cannot be written there.
    """
    files, target = _open(address)
    with _told(address), path.open("rb") as source, files.open_output_stream(target) as out:
        _copy(source, out)


def _copy(source: IO[bytes], out: Any) -> None:
    while part := source.read(2**22):
        out.write(part)


@cache
def _open(address: str) -> tuple[Any, str]:
    """The file system of an address, once for each process, and the path in it."""
    try:
        import pyarrow
        import pyarrow.fs
    except ImportError:
        raise DatasetError(f"{address}: buckets need the extra ray: pip install 'clickmask[ray]'") from None
    try:
        files, path = pyarrow.fs.FileSystem.from_uri(address)
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        raise DatasetError(f"{address}: no address of a bucket that can be reached: {_reason(error)}") from None
    return files, path


@contextmanager
def _told(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{address}: cannot be used: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
