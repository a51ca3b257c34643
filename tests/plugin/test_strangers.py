"""What strangers may do to the running backend: other people's pages, slow servers, bodies that are thrown away."""

from __future__ import annotations

import gc
import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clickmask.plugin.build import Backend
from clickmask.plugin.server.failures import OneLineFormatter
from tests.plugin.conftest import recorded, setup_body
from tests.plugin.server import serving
from tests.plugin.studio_server import Studio, answering
from tests.plugin.test_transport import SlowHeaders
from tests.plugin.waiting import wait_until

MakeBackend = Callable[..., Backend]
WRITES = ("/setup", "/predict", "/webhook")


@pytest.mark.parametrize("path", WRITES)
def test_other_peoples_pages_reach_nothing(make_backend: MakeBackend, path: str) -> None:
    """A page could connect its own Label Studio, and with its name pointed here read every answer."""
    with serving(make_backend()) as client:
        foreign = client.post(path, json={}, headers={"Origin": "http://evil.test"})
        plain = client.post(path, content="{}", headers={"Content-Type": "text/plain"})
        rebound = client.post(path, json={}, headers={"Host": "evil.test:9090"})
        read = client.get("/metrics", headers={"Host": "evil.test:9090"})
        assert [answer.status_code for answer in (foreign, plain, rebound, read)] == [403, 415, 421, 421]
        assert "--allowed-hosts" in rebound.json()["error"]


def test_a_name_that_is_allowed_or_a_password_opens_the_door(make_backend: MakeBackend) -> None:
    with serving(make_backend(allowed_hosts=("labels.example.org",))) as client:
        assert client.get("/health", headers={"Host": "labels.example.org"}).status_code == 200
    with serving(make_backend(basic_auth_user="a", basic_auth_pass="b")) as client:
        assert client.get("/versions", headers={"Host": "any.example.org"}, auth=("a", "b")).status_code == 200


@pytest.fixture
def slow_server() -> Iterator[str]:
    with answering(SlowHeaders) as port:
        yield f"http://127.0.0.1:{port}"


def slow_click(address: str, number: int) -> dict[str, Any]:
    body = recorded("click")
    body["tasks"][0]["data"]["image"] = f"{address}/{number}.png"
    return body


def test_servers_that_send_their_headers_slowly_keep_nobody_waiting(
    make_backend: MakeBackend, studio: Studio, slow_server: str
) -> None:
    """Four of them took all workers: every click got 503, and the backend did not end when it was told to."""
    backend = make_backend(workers=2, trusted_hosts=("127.0.0.1",), fetch_seconds=3_000, predict_seconds=3_000)
    with ThreadPoolExecutor(8) as pool, serving(backend) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        slow = [pool.submit(_post, client, slow_click(slow_server, number)) for number in range(8)]
        time.sleep(0.5)
        for _ in range(2):
            answer = client.post("/predict", json=recorded("click"), timeout=60)
            assert answer.json()["results"][0]["result"]
        assert not any(future.done() for future in slow)
        backend.transport.close()
        wait_until(lambda: all(future.done() for future in slow))
        assert {future.result() for future in slow} == {502}


def _post(client: Any, body: dict[str, Any]) -> int:
    return int(client.post("/predict", json=body, timeout=600).status_code)


def test_an_image_that_comes_slowly_ends_with_a_message(
    make_backend: MakeBackend, studio: Studio, slow_server: str
) -> None:
    with serving(make_backend(trusted_hosts=("127.0.0.1",), fetch_seconds=1)) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        answer = client.post("/predict", json=slow_click(slow_server, 1))
        assert (answer.status_code, "took longer than 1 s" in answer.json()["error"]) == (502, True)


class Probe(dict[str, Any]):
    """Counts as a JSON object, and can be counted itself."""


@pytest.mark.parametrize("path", WRITES)
def test_the_body_of_a_request_that_fails_does_not_stay_in_memory(
    make_backend: MakeBackend, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, tracebacks, frames and futures formed circles: six bodies of 60 MB left 10 GB."""
    read = json.loads
    monkeypatch.setattr("clickmask.plugin.server.app.json.loads", lambda body: read(body, object_hook=Probe))
    body: dict[str, Any] = {"tasks": [{"n": number} for number in range(1000)], "hostname": "nonsense"}
    body |= {"action": "ANNOTATION_CREATED", "params": {"context": {"result": []}}}
    with serving(make_backend()) as client:
        gc.collect()
        gc.disable()  # what only a full collection frees stays for a long time in a busy server
        try:
            for _ in range(5):
                assert client.post(path, json=body).status_code == 400
            client.get("/health")
            assert sum(type(one) is Probe for one in gc.get_objects()) == 0
        finally:
            gc.enable()


def test_control_characters_never_reach_the_log(make_backend: MakeBackend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with serving(make_backend()) as client:
        client.post("/%1b[2J%c2%85%e2%80%a8x", json={})
        client.post("/webhook", json={"action": "\x1b]0;TITLE\x07"})
    assert len(caplog.messages) > 1
    assert all(message.isprintable() for message in caplog.messages)


def test_no_logger_writes_more_than_a_line_per_message() -> None:
    record = logging.LogRecord("any", logging.WARNING, "", 0, "task 1: %s", ("\x1b[2J\nINFO done",), None)
    assert OneLineFormatter("%(levelname)s %(message)s").format(record) == "WARNING task 1: \\x1b[2J\\nINFO done"


@pytest.mark.parametrize("header", ["Basic äö", "Basic !!!", "Bearer x", "Basic"])
def test_a_login_in_any_letters_is_refused(make_backend: MakeBackend, header: str) -> None:
    with serving(make_backend(basic_auth_user="a", basic_auth_pass="b")) as client:
        assert client.get("/versions", headers=[(b"authorization", header.encode())]).status_code == 401


@pytest.mark.parametrize(
    "hostname", ["http://[::1", "http://127.0.0.1:99999", "http://a\r\nX: y", "ftp://a", "nonsense"]
)
def test_an_address_that_is_none_is_refused_when_a_project_connects(make_backend: MakeBackend, hostname: str) -> None:
    """It was accepted, and every click failed."""
    with serving(make_backend()) as client:
        answer = client.post("/setup", json={"project": "1.2", "hostname": hostname})
        assert (answer.status_code, "wanted an address" in answer.json()["error"]) == (400, True)


def test_a_coordinate_of_four_hundred_digits_is_told(make_backend: MakeBackend, studio: Studio) -> None:
    body = recorded("click")
    body["params"]["context"]["result"][0]["value"]["x"] = 10**400
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        assert client.post("/predict", json=body).status_code == 400
