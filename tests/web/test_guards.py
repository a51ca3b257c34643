"""What pages of others, strangers and wrong passwords get from the running app."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from clickmask import bounded_connections
from clickmask.decoder import Engine, Model
from clickmask.web import app_guard
from clickmask.web.app_guard import LARGEST_JSON
from clickmask.web.login import FREE_TRIES, LONGEST_PAUSE_S, People, Tries
from clickmask.web.options import read_options
from clickmask.web.photos.samples import PHOTOS, sample_photo
from clickmask.web.photos.service import Service
from clickmask.web.start import Services, file_url
from clickmask.web.video.service import VideoService
from tests.plugin.waiting import wait_until
from tests.ports import is_closed
from tests.web.photos import open_library, write_photo
from tests.web.running_app import Caller, served

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
WRITE = "/gradio_api/component_server"
PAGE = "<script>alert(document.domain)</script>"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_photo(tmp_path / "root/a.png")
    return tmp_path / "root"


@pytest.fixture
def services(tmp_path: Path, root: Path, engine: Future[Engine], model: Future[Model]) -> Iterator[Services]:
    library = open_library(root, tmp_path / "home")
    photos = Service(engine, library, start_folder=root, model_name="nano", file_url=file_url)
    video = VideoService(model, library, photos.jobs, file_url=file_url, photo=sample_photo(PHOTOS[0]))
    services = Services(photos, video)
    yield services
    services.close()


def test_pages_of_others_can_neither_write_nor_read(services: Services, root: Path, tmp_path: Path) -> None:
    with served(services, tmp_path / "home", allowed_hosts=("label.example",)) as (demo, url):
        caller = Caller(demo, url)
        body = {
            "session_hash": "abc", "component_id": caller._page._id, "fn_name": "set_status",
            "data": {"folder": str(root), "picture": 1, "status": "skipped"},
        }  # fmt: skip
        services.photos.open_folder({"folder": str(root)})
        folder = services.photos.library.folder(root)

        def status(**headers: str) -> int:
            return httpx.post(url + WRITE, headers=headers, json=body).status_code

        own = url.removeprefix("http://")
        assert status(host="evil.example") == 421
        assert status(origin="http://evil.example") == 403
        assert status(origin="null") == 403
        assert status(host="label.example", origin="https://evil.example") == 403
        plain = httpx.post(url + WRITE, content=b"{}", headers={"content-type": "text/plain"})
        assert plain.status_code == 415
        assert folder.project.pictures()[0].status == "todo"
        assert httpx.get(url + "/config", headers={"origin": "http://evil.example"}).status_code == 403
        assert httpx.get(f"{url}/gradio_api/mcp/schema", headers={"host": "evil.example"}).status_code == 421
        upload = {"files": ("a.png", (root / "a.png").read_bytes(), "image/png")}
        assert httpx.post(f"{url}/gradio_api/upload", files=upload, headers={"origin": "http://x.y"}).status_code == 403
        assert httpx.post(f"{url}/gradio_api/upload", files=upload, headers={"origin": url}).status_code == 200
        assert status(host=own, origin=url) == 200
        assert status(host="label.example", origin="https://label.example") == 200
        assert folder.project.pictures()[0].status == "skipped"
        caller.close()


def test_pages_of_others_cannot_sign_a_person_out(services: Services, tmp_path: Path) -> None:
    with served(services, tmp_path / "home", auth=(("ann", "s3cret"),)) as (_, url):
        person = httpx.Client(base_url=url)
        assert person.post("/login", data={"username": "ann", "password": "s3cret"}).status_code == 200
        assert person.get("/logout", headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert person.get("/config").status_code == 200
        assert person.get("/logout", headers={"sec-fetch-site": "same-origin"}).status_code in {302, 307}
        assert person.get("/config").status_code == 401
        person.close()


def test_a_body_of_which_nothing_more_comes_is_given_up(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_guard, "PATIENCE_S", 0.2)
    with served(services, tmp_path / "home") as (_, url):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        connection.putrequest("POST", WRITE)
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", "100")
        connection.endheaders(b"{")
        with contextlib.suppress(http.client.RemoteDisconnected):
            assert connection.getresponse().status >= 400
        connection.close()


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(services: Services, tmp_path: Path) -> None:
    with served(services, tmp_path / "home") as (_, url):
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        connection.putrequest("POST", WRITE)
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", str(LARGEST_JSON + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


def test_pages_in_a_data_set_do_not_run_as_the_apps(services: Services, root: Path, tmp_path: Path) -> None:
    names = ("page.html", "page.svg", "page.xhtml", "page.xml", "notes.txt", "page.htm")
    for name in names:
        (root / name).write_text(PAGE)
    with served(services, tmp_path / "home") as (_, url):
        for name in names:
            answer = httpx.get(f"{url}/{file_url(root / name)}")
            assert answer.headers["content-disposition"].startswith("attachment"), name
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["x-content-type-options"] == "nosniff"
        picture = httpx.get(f"{url}/{file_url(root / 'a.png')}")
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in picture.headers["content-security-policy"]
        assert "default-src 'self'" in httpx.get(url).headers["content-security-policy"]
        for away in ("file=http://127.0.0.1:1/", "file=https://example.org/x", "proxy=https://example.org/x"):
            assert httpx.get(f"{url}/gradio_api/{away}").status_code == 403


def test_with_a_login_agents_have_to_say_who_they_are_and_can_work(
    services: Services, root: Path, tmp_path: Path
) -> None:
    with served(services, tmp_path / "home", auth=(("ann", "s3cret"),)) as (demo, url):
        address = f"{url}/gradio_api/mcp/"
        assert httpx.get(f"{address}schema").status_code == 401
        assert httpx.post(address, json={}).status_code == 401
        assert httpx.get(f"{address}schema", headers=basic("ann", "wrong")).status_code == 401
        assert httpx.get(f"{address}schema", headers=basic("ann", "s3cret")).status_code == 200
        wait_for_client(demo)

        async def talk() -> Any:
            async with (
                streamablehttp_client(address, headers=basic("ann", "s3cret")) as (reads, writes, _),
                ClientSession(reads, writes) as session,
            ):
                await session.initialize()
                (name,) = [one.name for one in (await session.list_tools()).tools if one.name.endswith("list_pictures")]
                return await session.call_tool(name, {"folder": str(root)})

        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(asyncio.run, talk()).result()
        assert not answer.isError
        assert "a.png" in answer.content[0].text


def test_wrong_passwords_have_to_wait(services: Services, tmp_path: Path) -> None:
    with served(services, tmp_path / "home", auth=(("ann", "s3cret"),)) as (_, url):
        wrong, right = {"username": "ann", "password": "x"}, {"username": "ann", "password": "s3cret"}
        said = [httpx.post(f"{url}/login", data=wrong).status_code for _ in range(FREE_TRIES + 1)]
        assert said == [400] * FREE_TRIES + [429]
        assert httpx.post(f"{url}/login", data=right).status_code == 429
        assert httpx.get(f"{url}/gradio_api/mcp/schema", headers=basic("ann", "s3cret")).status_code == 429


def test_the_pause_after_wrong_passwords_grows_and_ends() -> None:
    now = [0.0]
    tries = Tries(lambda: now[0])
    pauses = []
    for _ in range(FREE_TRIES + 10):
        tries.was_wrong("1.2.3.4")
        pauses.append(tries.pause("1.2.3.4"))
    assert pauses[: FREE_TRIES - 1] == [0.0] * (FREE_TRIES - 1)
    assert pauses[FREE_TRIES - 1 : FREE_TRIES + 2] == [1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert tries.pause("5.6.7.8") == 0
    now[0] += LONGEST_PAUSE_S
    assert tries.pause("1.2.3.4") == 0
    tries.was_right("1.2.3.4")
    tries.was_wrong("1.2.3.4")
    assert tries.pause("1.2.3.4") == 0


def test_passwords_of_strangers_and_odd_ones_are_wrong() -> None:
    people = People({"ann": "s3crèt"})
    assert people.knows("ann", "s3crèt")
    assert not people.knows("ann", "")
    assert not people.knows("bob", "")
    assert not people.knows("ann", "\udcff")


def test_passwords_come_from_the_environment_and_are_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    options = read_options(["--auth", "bob:y:z"], {"CLICKMASK_AUTH": "ann:x\n\ncarl: w w\n"})
    assert options.auth == (("ann", "x"), ("carl", " w w"), ("bob", "y:z"))
    for arguments, environment in ((["--auth", "s3cret"], {}), ([], {"CLICKMASK_AUTH": "s3cret"})):
        with pytest.raises(SystemExit):
            read_options(arguments, environment)
        assert "s3cret" not in capsys.readouterr().err


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def wait_for_client(demo: gr.Blocks) -> None:
    for _ in range(300):
        if demo.mcp_server_obj._client_instance is not None:
            return
        time.sleep(0.1)
    raise AssertionError("agents were not let in")


def test_silent_connections_and_those_too_many_are_closed(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand sockets that say nothing would use up the process's files, and nobody else could save their work."""
    monkeypatch.setattr(bounded_connections, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(bounded_connections, "MOST_CONNECTIONS", 6)
    with served(services, tmp_path / "home") as (_, url), contextlib.ExitStack() as open_ones:
        place = urlsplit(url)
        many = [open_ones.enter_context(socket.create_connection((place.hostname, place.port))) for _ in range(12)]
        for connection in many[:3]:
            connection.sendall(b"GET /con")
        wait_until(lambda: sum(map(is_closed, many)) >= 6)
        wait_until(lambda: all(map(is_closed, many)))
        assert httpx.get(f"{url}/config", timeout=60).status_code == 200
