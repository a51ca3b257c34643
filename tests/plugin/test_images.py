"""Fetching task images over real sockets: who gets the token, what is refused, what is kept."""

from __future__ import annotations

import base64
import io
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clickmask.decoder import ImageError
from clickmask.plugin.errors import FetchError, RefusedError, RequestError, TooLargeError
from clickmask.plugin.files.disk_cache import DiskCache
from clickmask.plugin.files.images import Images, read_picture
from clickmask.plugin.files.locations import Connection, locate
from clickmask.plugin.files.network import Deadline
from clickmask.plugin.files.task_files import TaskFiles
from clickmask.plugin.files.tokens import Tokens
from clickmask.plugin.files.transport import Transport
from tests.fuzz import fuzz
from tests.plugin.conftest import RECORDED_IMAGE, picture
from tests.plugin.studio_server import LEGACY, Studio, running_studio


@pytest.fixture
def elsewhere() -> Iterator[Studio]:
    """Another server, by a name that is not Label Studio's."""
    with running_studio("localhost") as running:
        yield running


def images(folder: Path, *, trusted: tuple[str, ...] = (), max_bytes: int = 10_000_000, seconds: float = 10) -> Images:
    """Images with a cache in a folder."""
    transport = Transport(frozenset(trusted), max_bytes, seconds)
    return Images(TaskFiles(transport, Tokens(transport)), DiskCache(folder / "cache", 1_000_000))


def load(
    source: Images, value: object, studio: Studio, *, token: str = LEGACY, alias: str = "", index: int | None = None
) -> tuple[int, ...]:
    """Load the image of a task; the array's shape."""
    connection = Connection(studio.url, token, alias)
    task = {"id": 7, "data": {"image": value}}
    return source.load(locate(task, "$image", index, connection), connection).shape


def test_an_upload_is_fetched_with_the_legacy_token(studio: Studio, tmp_path: Path) -> None:
    assert load(images(tmp_path), RECORDED_IMAGE, studio) == (343, 502, 3)
    assert studio.asked(RECORDED_IMAGE) == [f"Token {LEGACY}"]


def test_a_personal_access_token_buys_access_once(studio: Studio, tmp_path: Path) -> None:
    source = images(tmp_path)
    studio.files["/data/upload/1/b.png"] = picture()
    load(source, RECORDED_IMAGE, studio, token=studio.personal)
    load(source, "/data/upload/1/b.png", studio, token=studio.personal)
    assert studio.asked("/data/") == [f"Bearer {studio.access[0]}"] * 2
    assert len(studio.asked("/api/token/refresh")) == 1


def test_a_revoked_access_token_is_bought_anew(studio: Studio, tmp_path: Path) -> None:
    source = images(tmp_path)
    studio.files["/data/upload/1/b.png"] = picture()
    load(source, RECORDED_IMAGE, studio, token=studio.personal)
    studio.access[0] = "revoked"
    assert load(source, "/data/upload/1/b.png", studio, token=studio.personal) == (343, 502, 3)


def test_a_refused_personal_token_is_told(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"refused the personal access token \(status 401\)"):
        load(images(tmp_path), RECORDED_IMAGE, studio, token="a.b.c")


def test_a_wrong_legacy_token_is_told(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"own image \(status 401\): reload its page.* or set LABEL_STUDIO_API_KEY"):
        load(images(tmp_path), RECORDED_IMAGE, studio, token="wrong")


def test_local_files_are_fetched_through_label_studio(studio: Studio, tmp_path: Path) -> None:
    studio.files["/data/local-files/?d=imgs/a.png"] = picture()
    assert load(images(tmp_path), f"{studio.url}/data/local-files/?d=imgs/a.png", studio) == (343, 502, 3)


def test_local_files_are_read_in_place_from_an_allowed_folder(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "root" / "imgs").mkdir(parents=True)
    (tmp_path / "root" / "imgs" / "a.png").write_bytes(picture(width=9))
    transport = Transport(frozenset(), 10_000, 5)
    source = Images(TaskFiles(transport, Tokens(transport), [tmp_path / "root"]), DiskCache(tmp_path / "cache", 1_000))
    assert load(source, "/data/local-files/?d=imgs/a.png", studio) == (343, 9, 3)
    assert studio.seen == []


@pytest.mark.parametrize("path", ["../secret.png", "imgs/../../secret.png", "link/secret.png"])
def test_no_path_leads_out_of_the_allowed_folder(path: str, studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "root" / "imgs").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(picture())
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    transport = Transport(frozenset(), 10_000, 5)
    source = Images(TaskFiles(transport, Tokens(transport), [tmp_path / "root"]), DiskCache(tmp_path / "cache", 1_000))
    with pytest.raises(RefusedError, match="leads out of"):
        load(source, f"/data/local-files/?d={path}", studio)
    assert studio.seen == []


@pytest.mark.parametrize("path", ["a%00b.png", 300 * "a"])
def test_what_can_be_no_path_is_refused(path: str, studio: Studio, tmp_path: Path) -> None:
    """The disk's own errors came up as a failure inside the backend."""
    transport = Transport(frozenset(), 10_000, 5)
    source = Images(TaskFiles(transport, Tokens(transport), [tmp_path]), DiskCache(tmp_path / "cache", 1_000))
    with pytest.raises(RefusedError, match="is refused"):
        load(source, f"/data/local-files/?d={path}", studio)


def test_an_upload_in_a_bucket_has_another_address(studio: Studio, tmp_path: Path) -> None:
    studio.files["/storage-data/uploaded/?filepath=upload/1/c.png"] = picture()
    assert load(images(tmp_path), "/data/upload/1/c.png", studio) == (343, 502, 3)


@pytest.mark.parametrize("address", ["s3://bucket/a.png", "gs://bucket/a.png", "azure-blob://container/a.png"])
def test_the_cloud_is_reached_through_presigned_links(
    address: str, studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    """The link leads to another host, which must not get to see the token."""
    elsewhere.files["/bucket/a.png?signature=x"] = picture()
    studio.presigned[address] = f"{elsewhere.url}/bucket/a.png?signature=x"
    assert load(images(tmp_path, trusted=("localhost",)), address, studio) == (343, 502, 3)
    assert studio.asked("/tasks/7/presign/") == [f"Token {LEGACY}"]
    assert elsewhere.seen == [("/bucket/a.png?signature=x", "")]


def test_a_redirect_to_another_host_carries_no_token(studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    elsewhere.files["/data/a.png"] = picture()
    studio.redirects["/data/upload/1/a.png"] = f"{elsewhere.url}/data/a.png"
    with pytest.raises(FetchError):  # it wants a token there, and gets none
        load(images(tmp_path, trusted=("localhost",)), "/data/upload/1/a.png", studio)
    assert elsewhere.asked("/") == [""]


def test_an_address_elsewhere_carries_no_token(studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    elsewhere.files["/a.png"] = picture()
    assert load(images(tmp_path, trusted=("localhost",)), f"{elsewhere.url}/a.png", studio) == (343, 502, 3)
    assert elsewhere.asked("/") == [""]


def test_paths_of_label_studio_that_hold_no_files_see_no_token(studio: Studio, tmp_path: Path) -> None:
    studio.files["/static/a.png"] = picture()
    assert load(images(tmp_path), "/static/a.png", studio) == (343, 502, 3)
    assert studio.asked("/static/") == [""]


@pytest.mark.parametrize(
    ("url", "sees"),
    [
        ("http://host/studio/data/upload/1/a.png", True),
        ("http://host/studio/api/current-user/token", False),
        ("http://host/data/upload/1/a.png", False),
        ("http://host/studio/data/../../other/", False),
        ("http://host/studio/data/%2e%2E/%2e./other/", False),
    ],
)
def test_other_programs_of_label_studios_host_see_no_token(url: str, sees: bool) -> None:
    assert Connection("http://host/studio", LEGACY).may_see_token(url) is sees


def test_label_studio_is_not_blamed_for_what_a_bucket_refuses(
    studio: Studio, elsewhere: Studio, tmp_path: Path
) -> None:
    """The message told people to mend Label Studio's token where the presigned link was refused."""
    studio.presigned["s3://bucket/a.png"] = f"{elsewhere.url}/data/a.png"
    with pytest.raises(FetchError, match=r"image at http://127\.0\.0\.1:.*/presign/ .*got status 401 from localhost"):
        load(images(tmp_path, trusted=("localhost",)), "s3://bucket/a.png", studio)


def test_private_addresses_are_refused(studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="host localhost is refused"):
        load(images(tmp_path), f"{elsewhere.url}/a.png", studio)
    assert elsewhere.seen == []


def test_a_redirect_to_a_private_address_is_refused(studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    studio.redirects["/data/upload/1/a.png"] = f"{elsewhere.url}/a.png"
    with pytest.raises(RefusedError, match="host localhost is refused"):
        load(images(tmp_path), "/data/upload/1/a.png", studio)
    assert elsewhere.seen == []


def test_the_metadata_service_of_a_cloud_is_never_reached(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"169\.254\.169\.254"):
        load(images(tmp_path, trusted=("169.254.169.254",)), "http://169.254.169.254/latest/meta-data/", studio)


@pytest.mark.parametrize("value", ["file:///etc/passwd", "ftp://host/a.png", "//host/a.png", "blob:http://host/1"])
def test_other_kinds_of_addresses_are_refused(value: str, studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="is refused"):
        load(images(tmp_path), value, studio)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.png"])
def test_a_redirect_to_other_kinds_of_addresses_is_refused(target: str, studio: Studio, tmp_path: Path) -> None:
    studio.redirects["/data/upload/1/a.png"] = target
    with pytest.raises(RefusedError, match="wanted an http or https address"):
        load(images(tmp_path), "/data/upload/1/a.png", studio)


def test_a_circle_of_redirects_ends(studio: Studio, tmp_path: Path) -> None:
    studio.redirects["/data/upload/1/a.png"] = f"{studio.url}/data/upload/1/a.png"
    with pytest.raises(FetchError, match="more than 5 redirects"):
        load(images(tmp_path), "/data/upload/1/a.png", studio)


def test_a_missing_image_is_told(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="got status 404 from"):
        load(images(tmp_path), "/data/upload/1/none.png", studio)


def test_a_file_beyond_the_limit_is_refused(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match=r"larger than 0\.0001 MB"):
        load(images(tmp_path, max_bytes=100), RECORDED_IMAGE, studio)


def test_what_is_no_picture_is_refused_and_none_of_it_told(studio: Studio, tmp_path: Path) -> None:
    """The first bytes of an answer that was meant for the token's owner went to whoever asked, and into the log."""
    studio.files["/data/upload/1/page.html"] = b'{"token": "0123456789abcdef"}'
    with pytest.raises(ImageError, match="not a picture that can be read") as told:
        load(images(tmp_path), "/data/upload/1/page.html", studio)
    assert "0123" not in str(told.value)  # what a file holds is nobody's business


@pytest.mark.parametrize("head", ["data:image/png;base64,", "data:image/png;name=a.png;base64,"])
def test_a_picture_in_the_tasks_own_data_is_read(head: str, studio: Studio, tmp_path: Path) -> None:
    address = head + base64.b64encode(picture(width=9)).decode()
    assert load(images(tmp_path), address, studio) == (343, 9, 3)
    assert studio.seen == []
    with pytest.raises(FetchError, match="cannot be read"):
        load(images(tmp_path), head + "A", studio)
    with pytest.raises(TooLargeError):
        load(images(tmp_path / "other", max_bytes=100), address, studio)


def test_a_webp_is_not_turned_and_a_jpeg_is(tmp_path: Path) -> None:
    """As Chromium shows them: it passes over the EXIF orientation of a WebP."""
    exif = Image.Exif()
    exif[0x0112] = 6
    shapes = {}
    for kind in ("WEBP", "JPEG"):
        stream = io.BytesIO()
        Image.new("RGB", (8, 4)).save(stream, kind, exif=exif)
        shapes[kind] = (read_picture(stream.getvalue()).shape, read_picture(stream.getvalue(), "the other way").shape)
    assert shapes == {"WEBP": ((4, 8, 3), (8, 4, 3)), "JPEG": ((8, 4, 3), (4, 8, 3))}


@pytest.mark.parametrize("target", ["http://h:99999999/", "http://[::1"])
def test_a_redirect_to_what_is_no_address_is_told(target: str, studio: Studio, tmp_path: Path) -> None:
    studio.redirects["/data/upload/1/a.png"] = target
    with pytest.raises((RefusedError, FetchError, RequestError)):
        load(images(tmp_path), "/data/upload/1/a.png", studio)


@pytest.mark.parametrize("token", ["t\r\nX-Evil: 1", "tök"])
def test_a_token_that_no_header_may_hold_is_never_told(token: str, studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="is the access token complete") as told:
        load(images(tmp_path), RECORDED_IMAGE, studio, token=token)
    assert token not in str(told.value)
    assert "Evil" not in str(told.value)


def test_one_slow_label_studio_keeps_no_others_people_waiting(studio: Studio, tmp_path: Path) -> None:
    """All personal tokens were refreshed under one lock."""
    asked, go_on = threading.Event(), threading.Event()
    transport = Transport(frozenset(), 10_000, 20)
    tokens = Tokens(transport)
    real = tokens._refreshed

    def refreshed(connection: Connection, deadline: Deadline | None) -> str:
        if connection.url == "http://slow":
            asked.set()
            assert go_on.wait(60)
            raise FetchError("slow")
        return real(connection, deadline)

    tokens._refreshed = refreshed  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(tokens.header, Connection("http://slow", "a.b.c"))
        assert asked.wait(60)
        assert tokens.header(Connection(studio.url, studio.personal))["Authorization"].startswith("Bearer ")
        go_on.set()
        assert isinstance(slow.exception(), FetchError)


def test_formats_that_run_programs_are_refused(studio: Studio, tmp_path: Path) -> None:
    """Pillow would hand PostScript to an interpreter."""
    studio.files["/data/upload/1/a.eps"] = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"
    with pytest.raises(ImageError, match="not a picture that can be read"):
        load(images(tmp_path), "/data/upload/1/a.eps", studio)


def test_a_server_that_is_down_is_told(tmp_path: Path) -> None:
    with running_studio() as gone:
        pass
    with pytest.raises(FetchError, match="cannot be fetched"):
        load(images(tmp_path), RECORDED_IMAGE, gone)


def test_an_unknown_host_is_told(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"host no-such-host\.invalid is unknown"):
        load(images(tmp_path), "http://no-such-host.invalid/a.png", studio)


def test_without_label_studio_a_path_means_nothing() -> None:
    with pytest.raises(RequestError, match="address is unknown"):
        locate({"id": 1, "data": {"image": "/data/upload/1/a.png"}}, "$image", None, Connection())


def test_the_address_label_studio_gives_itself_is_replaced_by_the_one_that_works(
    studio: Studio, tmp_path: Path
) -> None:
    """In Docker the page says localhost:8080, which is the backend's own container to the backend."""
    value = "http://localhost:8080/data/local-files/?d=a.png"
    studio.files["/data/local-files/?d=a.png"] = picture()
    assert load(images(tmp_path), value, studio, alias="http://localhost:8080") == (343, 502, 3)


def test_an_image_of_a_list_is_picked_by_its_index(studio: Studio, tmp_path: Path) -> None:
    studio.files["/data/upload/1/second.png"] = picture(width=8)
    assert load(images(tmp_path), [RECORDED_IMAGE, "/data/upload/1/second.png"], studio, index=1) == (343, 8, 3)
    with pytest.raises(RequestError, match="has no image"):
        load(images(tmp_path), [RECORDED_IMAGE], studio, index=3)


def test_fetched_files_are_kept_within_the_budget(studio: Studio, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 250)
    for name in ("a", "b"):
        cache.put(name, b"x" * 100)
    assert cache.get("a") is not None  # now "b" is the oldest
    cache.put("c", b"x" * 100)
    cache.put("too large", b"x" * 300)
    assert [cache.get(name) is not None for name in ("a", "b", "c", "too large")] == [True, False, True, False]


def test_what_a_process_that_died_left_half_written_is_thrown_away(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".old", tmp_path / ".fresh"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, time.time() - 2 * 24 * 3600))
    DiskCache(tmp_path, 250).put("a", b"x" * 100)
    assert {path.name for path in tmp_path.iterdir()} == {".fresh", "a"}


def test_two_caches_that_share_a_folder_throw_files_away_at_once(tmp_path: Path) -> None:
    """A file that the other one threw away between listing and looking broke the request."""
    caches = [DiskCache(tmp_path, 500), DiskCache(tmp_path, 500)]

    def fill(number: int) -> None:
        for name in range(100):
            caches[number % 2].put(f"{number}-{name}", b"x" * 100)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
    assert len(list(tmp_path.iterdir())) <= 5


def test_keys_are_those_of_the_image_and_not_of_the_task(studio: Studio) -> None:
    connection = Connection(studio.url, LEGACY)
    one = locate({"id": 1, "data": {"image": RECORDED_IMAGE}}, "$image", None, connection)
    same = locate({"id": 2, "data": {"image": studio.url + RECORDED_IMAGE}}, "$image", None, connection)
    other = locate({"id": 1, "data": {"image": RECORDED_IMAGE}}, "$image", None, Connection("http://other"))
    assert one.key == same.key != other.key


def test_label_studios_address_may_be_written_otherwise() -> None:
    """With its port, or in capitals, the whole address became a path."""
    task = {"id": 1, "data": {"image": "http://Studio:80/data/upload/1/a.png"}}
    assert locate(task, "$image", None, Connection("http://studio")).urls[0] == "http://studio/data/upload/1/a.png"


@fuzz(100)
@given(st.text(max_size=60) | st.from_regex(r"(https?|s3|file)?:?//?[\[\]@:/?#a-z0-9%.]{0,30}"))
def test_any_text_is_an_address_or_told(value: str) -> None:
    connection = Connection("http://studio:8080/base", LEGACY, "http://localhost:8080")
    try:
        location = locate({"id": 1, "data": {"image": value}}, "$image", None, connection)
    except (RequestError, RefusedError):
        return
    assert location.urls or location.inline
    assert all(url.startswith(("http://", "https://")) for url in location.urls)


@pytest.mark.parametrize(
    ("url", "alias"), [("/ls", ""), ("", "http://public.example/ls"), ("/ls", "http://x.example/ls")]
)
@pytest.mark.parametrize("value", ["/ls/data/upload/1/a.png", "/data/upload/1/a.png", "{here}/ls/data/upload/1/a.png"])
def test_label_studio_may_live_under_a_path(value: str, url: str, alias: str, studio: Studio, tmp_path: Path) -> None:
    """Task data name the path too, so addresses became /ls/ls/data/..."""
    path = f"{url}/data/upload/1/a.png"
    studio.files[path] = picture(width=9)
    connection = Connection(studio.url + url, LEGACY, alias)
    task = {"id": 7, "data": {"image": value.format(here=studio.url)}}
    location = locate(task, "$image", None, connection)
    assert location.urls[0] == studio.url + path
    assert images(tmp_path).load(location, connection).shape == (343, 9, 3)
    assert connection.may_see_token(location.urls[0])
