"""Files made to harm: sizes that cost gigabytes, and formats that read other files or start programs."""

from __future__ import annotations

import ast
import base64
import io
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F  # noqa: N812

from clickmask.decoder import ClickMaskError, ImageError, Model, Size, VideoError, frame, images, load_image
from clickmask.decoder.formats.label_studio.tasks import read_label_studio
from clickmask.decoder.formats.options import ReadOptions
from clickmask.decoder.formats.pictures import picture_size
from clickmask.decoder.formats.png_files import read_binary, read_labels
from clickmask.decoder.images import PictureLimits
from clickmask.decoder.modeling.config import IMAGE_NET_MEAN, IMAGE_NET_STD
from clickmask.decoder.video import container, video_file
from clickmask.decoder.video.video_file import FileVideo, open_video
from tests.peak import forget_peak, peak_kib

READERS: list[Callable[[Path], object]] = [load_image, picture_size, read_labels, read_binary]
SMALL_KIB = 64 * 1024


def picture(file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, file_format, **options)
    return buffer.getvalue()


def patched(content: bytes, at: int, layout: str, *values: int) -> bytes:
    """The bytes with a size written over the true one."""
    size = struct.pack(layout, *values)
    return content[:at] + size + content[at + len(size) :]


def png(width: int, height: int) -> bytes:
    content = patched(picture("PNG"), 16, ">II", width, height)
    return patched(content, 29, ">I", zlib.crc32(content[12:29]))


def jpeg(width: int, height: int, **options: object) -> bytes:
    content = picture("JPEG", **options)
    start = content.index(b"\xff\xc2" if options else b"\xff\xc0")
    return patched(content, start + 5, ">HH", height, width)


def webp(side: int) -> bytes:
    content = picture("WEBP", lossless=True)
    return patched(content, content.index(b"\x2f", 16) + 1, "<I", (side - 1) | (side - 1) << 14)


def tiff(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("F", (64, 64)).save(buffer, "TIFF")
    content = buffer.getvalue()
    for tag in (256, 257):  # width and height
        content = patched(content, content.index(struct.pack("<HHI", tag, 4, 1)) + 8, "<I", side)
    return content


BOMBS = {
    "png": png(20_000, 20_000),
    "jpeg": jpeg(20_000, 20_000),
    "progressive jpeg": jpeg(9_900, 9_900, progressive=True),
    "webp of a few bytes": webp(9_459),
    "gif": patched(picture("GIF"), 6, "<HH", 20_000, 20_000),
    "bmp": patched(picture("BMP"), 18, "<ii", 20_000, 20_000),
    "float tiff": tiff(20_000),
    "one pixel wide": png(1, 1_000_000),
    "one pixel high": png(1_000_000, 1),
}


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_size_is_compared_before_memory_is_taken(bomb: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    """A WebP of 34 bytes used to cost 4.5 GB, a PNG mask of 22 KB 7.1 GB."""
    (tmp_path / "a.png").write_bytes(BOMBS[bomb])
    forget_peak()
    before = peak_kib()
    with pytest.raises(ClickMaskError, match=r"a\.png (has \d+x\d+ pixels, wanted|is too large)"):
        read(tmp_path / "a.png")
    assert peak_kib() - before < SMALL_KIB


def test_limits_are_a_setting() -> None:
    content = picture("PNG")
    assert load_image(content, PictureLimits(megapixels=64 * 64 / 1e6)).shape == (64, 64, 3)
    with pytest.raises(ImageError, match="has 64x64 pixels, wanted at most 0 million of them as PNG"):
        load_image(content, PictureLimits(megapixels=64 * 63 / 1e6))
    with pytest.raises(ImageError, match="wanted sides of at most 63"):
        load_image(content, PictureLimits(side_px=63))


def test_formats_whose_decoders_need_more_memory_may_have_fewer_pixels() -> None:
    limits = PictureLimits(megapixels=64 * 64 / 1e6)
    with pytest.raises(ImageError, match="as WEBP"):
        load_image(picture("WEBP"), limits)


def test_large_pictures_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, most = 0, 0

    def slow(image: Image.Image) -> images.Pixels:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        time.sleep(0.02)
        busy -= 1
        return np.zeros((image.height, image.width, 3), np.uint8)

    monkeypatch.setattr(images, "LARGE_BYTES", 0)
    monkeypatch.setattr(images, "_to_rgb", slow)
    threads = [threading.Thread(target=load_image, args=(picture("PNG"),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def squash_at_once(image: images.Pixels, side: int) -> torch.Tensor:
    """How the picture used to be brought to the network's square."""
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    pixels = F.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGE_NET_MEAN, IMAGE_NET_STD))
    return (pixels - mean) / std


@pytest.mark.parametrize("shape", [(60, 90), (1, 700), (700, 1), (256, 256), (1000, 300), (40, 1234)], ids=str)
def test_the_square_in_strips_is_the_same_to_the_bit(
    shape: tuple[int, int], nano: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame, "BAND_PIXELS", 5_000)
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert torch.equal(
        frame.still_pixels(image, nano.network.config.geometry, nano.device),
        squash_at_once(image, nano.network.config.geometry.side),
    )


SQUARE = """
import numpy as np
import torch
from clickmask.decoder import frame
from clickmask.decoder.modeling.config import NanoConfig
from tests.peak import forget_peak, peak_kib

torch.set_num_threads(1)
geometry = NanoConfig().geometry
image = np.zeros(({height}, {width}, 3), np.uint8)
frame.still_pixels(image[:2_000], geometry, torch.device("cpu"))
forget_peak()
before = peak_kib()
frame.still_pixels(image, geometry, torch.device("cpu"))
print(peak_kib() - before)
"""


@pytest.mark.parametrize(("height", "width"), [(3_000, 2_000), (32_000, 1)])
def test_the_square_of_a_large_picture_takes_little_memory(height: int, width: int) -> None:
    """Every pixel used to become 24 bytes and more; a picture of 12 million took 0.4 GB, a thin tall one gigabytes.

    Measured in a process of its own: what other tests left to the allocator changes what is resident.
    """
    code = SQUARE.format(height=height, width=width)
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert int(printed) < SMALL_KIB


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_postscript_in_a_jpg_starts_no_program(
    read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow hands it to Ghostscript if it may."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "photo.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(ClickMaskError, match=r"photo\.jpg is not a picture that can be read"):
        read(tmp_path / "photo.jpg")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("kind", ["rectangle", "ellipse", "bitmask"])
def test_a_label_studio_task_may_claim_no_gigabytes(kind: str, tmp_path: Path) -> None:
    """326 bytes of JSON that say 32768x32768 used to cost 3.9 GB, a bitmask in one 6.2 GB."""
    url = "data:image/png;base64," + base64.b64encode(png(11_000, 11_000)).decode()
    box = '"x": 1, "y": 1, "width": 9, "height": 9'
    values = {"rectangle": box, "ellipse": '"x": 9, "y": 9, "radiusX": 5, "radiusY": 5, "rotation": 3',
              "bitmask": f'"imageDataURL": "{url}"'}  # fmt: skip
    side = 64 if kind == "bitmask" else 32_768
    region = f'{{"id": "a", "type": "{kind}", "original_width": {side}, "original_height": {side}, '
    region += f'"value": {{{values[kind]}, "labels": ["x"]}}}}'
    task = f'[{{"id": 1, "data": {{"image": "a.png"}}, "annotations": [{{"result": [{region}]}}]}}]'
    (tmp_path / "tasks.json").write_text(task)
    problems: list[ClickMaskError] = []
    forget_peak()
    before = peak_kib()
    dataset = read_label_studio(tmp_path / "tasks.json", ReadOptions(on_problem=problems.append))
    assert [item for annotated in dataset.images for item in annotated.objects] == []
    assert "wanted" in str(problems[0])
    assert peak_kib() - before < SMALL_KIB


def write_video(path: Path, width: int = 64, height: int = 48, codec: str = "mpeg4", frames: int = 6) -> Path:
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height = width, height
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for index in range(frames):
            shade = np.full((height, width, 3), 40 * index, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        file.mux(stream.encode())
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A video that nobody is to see."""
    return write_video(tmp_path / "secret.ts", codec="mpeg2video")


def playlists(secret: Path) -> dict[str, str]:
    """Files that name another file, in the ways FFmpeg knows."""
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1.0,\nfile://{secret}\n#EXT-X-ENDLIST",
        "concat": f"ffconcat version 1.0\nfile {secret.name}\n",
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
        f"<Representation><BaseURL>file://{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "text": "the password is 1234\n" * 40,
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }


@pytest.mark.parametrize("kind", ["hls", "concat", "dash", "text", "sdp"])
@pytest.mark.parametrize("suffix", [".m3u8", ".mp4", ".ts", ".txt"])
def test_a_file_that_names_another_shows_nothing_of_it(kind: str, suffix: str, secret: Path, tmp_path: Path) -> None:
    path = tmp_path / f"uploaded{suffix}"
    path.write_text(playlists(secret)[kind])
    with pytest.raises(VideoError, match="is not a video that can be read, wanted MP4, MOV"):
        open_video(path)


@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_ffmpeg_itself_may_use_no_other_demuxer(
    kind: str, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if a file's first bytes passed for a video's."""
    monkeypatch.setattr(container, "_demuxer", lambda path: None)  # FFmpeg guesses
    path = tmp_path / "uploaded.m3u8"
    path.write_text(playlists(secret)[kind])
    with pytest.raises(VideoError, match="is not a video that can be read"):
        open_video(path)


def test_a_name_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg takes `concat:a|b`, `http:` and `data:` for addresses; a file may be called so."""
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.mp4").rename("concat:a.mp4|b.mp4")
    assert FileVideo.open(Path("concat:a.mp4|b.mp4")).frame_count == 6


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "mpeg4"), ("a.mov", "mpeg4"), ("a.mkv", "mpeg4"), ("a.webm", "libvpx"), ("a.avi", "mpeg4"),
     ("a.ts", "mpeg2video"), ("a.m2ts", "mpeg2video"), ("a.mpg", "mpeg2video"), ("a.m2v", "mpeg2video"),
     ("a.flv", "flv1"), ("a.wmv", "wmv2"), ("a.ogv", "libtheora"), ("a.gif", "gif"), ("a.3gp", "mpeg4")],
)  # fmt: skip
def test_every_container_of_cameras_and_browsers_is_read(name: str, codec: str, tmp_path: Path) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV writes no {codec}")
    video = open_video(write_video(tmp_path / name, codec=codec))
    assert video.size == Size(48, 64)
    assert sum(1 for _ in video.frames(range(6))) >= 5


def test_a_video_of_gigantic_frames_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_FRAME_PIXELS", 320 * 240)
    assert open_video(write_video(tmp_path / "fits.mp4", 320, 240)).size == Size(240, 320)
    with pytest.raises(VideoError, match="has frames of 322x240 pixels, wanted at most 0 million"):
        open_video(write_video(tmp_path / "large.mp4", 322, 240))


def test_frames_that_grow_within_a_video_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder itself is bound, whatever the file's head said."""
    parts = [write_video(tmp_path / f"{width}.ts", width, 240, codec="mpeg2video") for width in (320, 960)]
    (tmp_path / "grows.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    monkeypatch.setattr(container, "MAX_FRAME_PIXELS", 320 * 240)
    monkeypatch.setattr(container, "ROOM_PIXELS", 320 * 240)
    with pytest.raises(VideoError, match="is not a video that can be read, or is cut short"):
        list(open_video(tmp_path / "grows.ts").frames(range(99)))


def test_going_backward_holds_as_many_frames_as_memory_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = FileVideo.open(write_video(tmp_path / "a.mp4"))
    spans: list[int] = []
    forward = FileVideo._forward

    def counted(self: FileVideo, indices: range) -> object:
        spans.append(len(indices))
        return forward(self, indices)

    monkeypatch.setattr(FileVideo, "_forward", counted)
    monkeypatch.setattr(video_file, "BACKWARD_BYTES", 2 * 3 * 64 * 48)
    assert [frame.index for frame in video.frames(range(5, -1, -1))] == [5, 4, 3, 2, 1, 0]
    assert spans == [2, 2, 2]
    spans.clear()
    monkeypatch.setattr(video_file, "BACKWARD_BYTES", 1)
    assert len(list(video.frames(range(5, -1, -1)))) == 6
    assert spans == [1] * 6


def calls(tree: ast.Module, module: str) -> Iterator[ast.Call]:
    """The calls of ``module.open``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{module}.open":
            yield node


@pytest.mark.parametrize(("module", "allowed"), [("Image", "formats"), ("av", "format")])
def test_nothing_is_opened_past_these_locks(module: str, allowed: str) -> None:
    """A new reader cannot forget them."""
    packages = [Path(__file__).parents[2] / part / "clickmask" for part in ("decoder", "plugin", "web")]
    free = [
        f"{path}:{call.lineno}"
        for package in packages
        for path in package.rglob("*.py")
        for call in calls(ast.parse(path.read_text()), module)
        if not (module == "av" and len(call.args) > 1) and allowed not in {keyword.arg for keyword in call.keywords}
    ]
    assert free == []
