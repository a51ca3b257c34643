"""Open video files by what they contain, with the one demuxer for it and no other.

FFmpeg knows hundreds of formats. Some are lists of other files, which it would then open and show: a playlist shows any
video of the machine, and text becomes pictures of its letters. So a file's first bytes choose the demuxer, FFmpeg may
use that one alone, and may open files only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickmask.decoder.errors import VideoError
from clickmask.decoder.prompts import Size

HEAD_BYTES = 1024
MAX_FRAME_PIXELS = 36_000_000  # 8K has 33 million; a decoder holds a dozen frames and more at 1.5 bytes a pixel
ROOM_PIXELS = 2_000_000  # around a frame, which the decoder counts as well
LARGE_FRAME_PIXELS = 9_000_000  # more than 4K: no frames are decoded side by side
KINDS = "MP4, MOV, WebM, MKV, AVI, Ogg, FLV, MPEG, WMV or GIF"


def _is_transport_stream(head: bytes) -> bool:
    """Packets of 188 bytes (192 on disks of cameras), each of which begins with a G."""
    return any(
        len(head) > start + 3 * step and all(head[start + step * packet] == 0x47 for packet in range(4))
        for start, step in ((0, 188), (4, 192))
    )


_MOV_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
_DEMUXERS: Mapping[str, Callable[[bytes], bool]] = {
    "mov": lambda head: head[4:8] in _MOV_BOXES,
    "matroska": lambda head: head.startswith(b"\x1a\x45\xdf\xa3"),  # WebM as well
    "avi": lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ",
    "ogg": lambda head: head.startswith(b"OggS"),
    "flv": lambda head: head.startswith(b"FLV\x01"),
    "mpeg": lambda head: head.startswith(b"\x00\x00\x01\xba"),
    "mpegvideo": lambda head: head.startswith(b"\x00\x00\x01\xb3"),
    "asf": lambda head: head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # WMV
    "gif": lambda head: head.startswith((b"GIF87a", b"GIF89a")),
    "mpegts": _is_transport_stream,
}


def find_demuxer(head: bytes) -> str | None:
    """Return FFmpeg's name for the container that begins with these bytes, or None for any other file.

    Example:
        >>> find_demuxer(b"\\x00\\x00\\x00\\x20ftypisom"), find_demuxer(b"#EXTM3U\\n#EXTINF")
        ('mov', None)
    """
    return next((name for name, begins in _DEMUXERS.items() if begins(head)), None)


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """Open a video file with PyAV; errors of FFmpeg inside the block are told as well.

    Raises:
        VideoError: If it is not there, is no video of the known kinds, or cannot be read.
    """
    av = import_av(path)
    demuxer = _demuxer(path)
    options = {"format_whitelist": ",".join(_DEMUXERS), "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", format=demuxer, options=options) as container:
            yield container
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path} is not a video that can be read, or is cut short: {error}") from error


def video_stream(container: Any, path: Path) -> Any:
    """The first stream of pictures, ready to be decoded.

    Raises:
        VideoError: If there is none, or its pictures are too large.
    """
    if not container.streams.video:
        raise VideoError(f"{path} holds no pictures")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise VideoError(f"{path} is coded as nothing that FFmpeg can decode")
    size = Size(context.height, context.width)
    if size.height * size.width > MAX_FRAME_PIXELS:
        raise VideoError(f"{path} has frames of {size} pixels, wanted at most {MAX_FRAME_PIXELS / 1e6:.0f} million")
    if not context.is_open:
        # A stream may claim another size further on; the decoder counts the room around a frame as well.
        context.options = {"max_pixels": str(MAX_FRAME_PIXELS + ROOM_PIXELS)}
        stream.thread_type = "SLICE" if size.height * size.width > LARGE_FRAME_PIXELS else "AUTO"
    return stream


def import_av(path: Path) -> Any:
    """PyAV, which is optional and slow to import.

    Raises:
        VideoError: If it is not there to read or write this video.
    """
    try:
        import av
    except ImportError as error:
        raise VideoError(f"{path} needs PyAV: install it with pip install av") from error
    return av


def _demuxer(path: Path) -> str:
    try:
        with path.open("rb") as file:
            demuxer = find_demuxer(file.read(HEAD_BYTES))
    except OSError as error:
        raise VideoError(f"{path} cannot be opened: {error.strerror}") from error
    if demuxer is None:
        raise VideoError(f"{path} is not a video that can be read, wanted {KINDS}")
    return demuxer
