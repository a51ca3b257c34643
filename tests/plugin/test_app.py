"""The backend over HTTP: always answers /health, keeps strangers out, and says what went wrong."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import torch

from clickmask.decoder import CheckpointError, Engine, Model
from clickmask.decoder.modeling.mask_decoder import ImageFeatures
from clickmask.plugin.build import Backend
from tests.plugin.conftest import picture, recorded, setup_body
from tests.plugin.discs import DiscNetwork, disc_model
from tests.plugin.server import serving
from tests.plugin.studio_server import Studio
from tests.plugin.waiting import wait_until

MakeBackend = Callable[..., Backend]
JSON = {"Content-Type": "application/json"}


def times_healthy(client: httpx.Client, while_running: Callable[[], bool]) -> int:
    """Ask /health again and again while something runs; how often it answered."""
    count = 0
    while while_running():
        assert client.get("/health").json()["status"] == "UP"
        count += while_running()
        time.sleep(0.02)
    return count


def test_health_answers_while_the_model_loads(make_backend: MakeBackend, studio: Studio) -> None:
    """Loading holds the interpreter as reading a checkpoint does: in slices, on all cores."""
    loaded = threading.Event()

    def load(_: str) -> Engine:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            torch.randn(500, 500) @ torch.randn(500, 500)
        loaded.set()
        return Engine(disc_model())

    with serving(make_backend(load, ready_seconds=0)) as client:
        assert client.get("/health").json() == {"status": "UP", "models": {"nano": "loading"}}
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        early = client.post("/predict", json=recorded("click"))
        assert early.status_code == 503
        assert early.json() == {"error": "model nano still loads: try again in a few seconds"}
        assert times_healthy(client, lambda: not loaded.is_set()) > 3
        assert client.get("/health").json()["models"] == {"nano": "ready"}


class SlowNetwork(DiscNetwork):
    """Takes its time to encode, computing all the while."""

    def encode(self, pixels: torch.Tensor) -> ImageFeatures:
        """Some seconds of work on the device."""
        end = time.monotonic() + 3
        while time.monotonic() < end:
            torch.randn(500, 500) @ torch.randn(500, 500)
        return super().encode(pixels)


def slow_engine(_: str) -> Engine:
    """An engine that encodes slowly."""
    return Engine(Model("slow", SlowNetwork(), torch.device("cpu"), torch.float32, "slow"))


def test_health_answers_while_the_device_is_busy(make_backend: MakeBackend, studio: Studio) -> None:
    with serving(make_backend(slow_engine)) as client, ThreadPoolExecutor(1) as pool:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        click = pool.submit(client.post, "/predict", json=recorded("click"))
        assert times_healthy(client, lambda: not click.done()) > 3
        assert click.result().json()["results"][0]["result"]


def test_label_studio_connects_and_submits_while_every_worker_is_busy(
    make_backend: MakeBackend, studio: Studio
) -> None:
    """It waits 3 s for /setup and 1 s for a webhook, and not for other people's images."""
    with serving(make_backend(slow_engine, workers=1)) as client, ThreadPoolExecutor(1) as pool:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        click = pool.submit(client.post, "/predict", json=recorded("click"))
        wait_until(lambda: bool(studio.asked("/data/upload/")))  # the only worker has the click
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        client.post("/webhook", json=recorded("annotation_created")).raise_for_status()
        assert not click.done()


def test_a_click_waits_for_a_model_that_is_nearly_there(make_backend: MakeBackend, studio: Studio) -> None:
    def load(_: str) -> Engine:
        time.sleep(1)
        return Engine(disc_model())

    with serving(make_backend(load)) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        assert client.post("/predict", json=recorded("click")).json()["results"][0]["result"]


def test_a_model_that_cannot_be_loaded_is_told_and_tried_again(make_backend: MakeBackend, studio: Studio) -> None:
    tries: list[str] = []

    def load(name: str) -> Engine:
        tries.append(name)
        if len(tries) == 1:
            raise CheckpointError("no network here")
        return Engine(disc_model())

    with serving(make_backend(load)) as client:
        wait_until(lambda: client.get("/health").json()["models"]["nano"] != "loading")
        assert client.get("/health").json()["models"] == {"nano": "no network here"}
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        assert client.post("/predict", json=recorded("click")).json()["results"][0]["result"]


def test_the_protocol(make_backend: MakeBackend, studio: Studio) -> None:
    """What Label Studio asks when a project connects, a task is opened, clicked on and submitted."""
    with serving(make_backend()) as client:
        assert client.get("/health").json()["status"] == "UP"
        assert client.get("/").json()["status"] == "UP"
        assert client.post("/setup", json=setup_body(studio)).json() == {"model_version": "clickmask-nano"}
        assert client.get("/versions").json() == {"versions": ["clickmask-nano"]}
        assert client.post("/predict", json=recorded("task_opened")).json() == {"results": [[]]}
        (prediction,) = client.post("/predict", json=recorded("click")).json()["results"]
        assert set(prediction) == {"model_version", "score", "result"}
        assert client.post("/webhook", json=recorded("annotation_created")).json()["annotation"] == 1
        assert client.post("/webhook", json=recorded("annotations_deleted")).json()["deleted"] == 1
        assert "teach too little" in client.post("/webhook", json=recorded("start_training")).json()["message"]
        assert client.post("/webhook", json={"action": "LABEL_LINK_CREATED"}).json()["message"] == "nothing to do"


def test_a_password_keeps_strangers_out(make_backend: MakeBackend) -> None:
    with serving(make_backend(basic_auth_user="ann", basic_auth_pass="pärl")) as client:
        assert client.get("/health").status_code == 200
        for path in ("/", "/versions", "/metrics"):
            assert client.get(path).status_code == 401
            assert client.get(path, auth=("ann", "wrong")).status_code == 401
            assert client.get(path, auth=("ann", "pärl")).status_code == 200
        as_label_studio = base64.b64encode("ann:pärl".encode("latin-1")).decode()
        assert client.get("/versions", headers={"Authorization": f"Basic {as_label_studio}"}).status_code == 200
        refused = client.post("/predict", content=b"{}", headers=JSON | {"Authorization": "Basic !!!"})
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        assert refused.json() == {"error": "wanted a user name and password (Basic)"}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "no JSON"),
        (b"{", 400, "no JSON"),
        (b"[]", 400, "the body: the record is [], wanted an object"),
        (b"\xff\xfe", 400, "no JSON"),
        (b'"' + b"x" * 1_000_000 + b'"', 413, "larger than 1 MB"),
    ],
)
def test_a_broken_body_is_told(make_backend: MakeBackend, body: bytes, status: int, message: str) -> None:
    with serving(make_backend(max_request_mb=1)) as client:
        for path in ("/setup", "/predict"):
            answer = client.post(path, content=body, headers=JSON)
            assert answer.status_code == status
            assert message in answer.json()["error"]


def test_an_image_that_cannot_be_fetched_is_told(make_backend: MakeBackend, studio: Studio) -> None:
    studio.files.clear()
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        answer = client.post("/predict", json=recorded("click"))
        assert answer.status_code == 502
        assert answer.json()["error"].endswith("cannot be fetched: got status 404 from 127.0.0.1, wanted 200")


def test_a_prompt_that_makes_no_sense_is_told(make_backend: MakeBackend, studio: Studio) -> None:
    body = recorded("click")
    body["params"]["context"]["result"][0]["value"]["x"] = 300
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        answer = client.post("/predict", json=body)
        assert answer.status_code == 400
        assert "is outside the 502x343 image" in answer.json()["error"]


def test_an_error_of_ours_is_not_shown(
    make_backend: MakeBackend, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError("a mistake in the code")

    backend = make_backend()
    monkeypatch.setattr(backend.records, "accepted", fail)
    with serving(backend) as client:
        answer = client.post("/webhook", json=recorded("annotation_created"))
        assert answer.status_code == 500
        assert answer.json() == {"error": "the request failed inside the backend; its log tells why"}
    assert "a mistake in the code" in caplog.text


def test_an_answer_that_takes_too_long_ends(make_backend: MakeBackend, studio: Studio) -> None:
    """What it began is finished all the same: a later try finds the image encoded, or it would take too long too."""
    with serving(make_backend(slow_engine, predict_seconds=1)) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        late = client.post("/predict", json=recorded("click"))
        assert (late.status_code, "longer than 1 s" in late.json()["error"]) == (503, True)
        wait_until(lambda: client.post("/predict", json=recorded("click")).status_code == 200)


def test_more_than_may_wait_are_sent_away(make_backend: MakeBackend, studio: Studio) -> None:
    with serving(make_backend(slow_engine, workers=1, max_waiting=1)) as client, ThreadPoolExecutor(5) as pool:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        answers = list(pool.map(lambda _: client.post("/predict", json=recorded("click")), range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503]
        assert "wanted at most 2" in max(answers, key=lambda answer: answer.status_code).json()["error"]


def test_each_request_is_one_line_in_the_log(
    make_backend: MakeBackend, studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "clickmask.requests")
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio))
        client.post("/predict", json=recorded("click"))
        client.post("/predict", json=recorded("click"))
    lines = [message for message in caplog.messages if message.startswith("POST /predict")]
    assert len(lines) == 2
    for name in ("200", " ms", "task=1", "key=", "prepare_ms=", "decode_ms=", "shape_ms="):
        assert all(name in line for line in lines)
    assert ["cache=miss" in lines[0], "cache=hit" in lines[1]] == [True, True]
    assert "0123456789abcdef" not in caplog.text  # the token


def test_nobody_can_write_lines_of_their_own_into_the_log(
    make_backend: MakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "clickmask.requests")
    with serving(make_backend()) as client:
        client.post("/predict%0aPOST /predict 200", content=b"{}", headers=JSON)
        client.post("/predict", json={"tasks": "a\nPOST /predict 200"})
    assert len([message for message in caplog.messages if "/predict" in message]) == 2
    assert not any("\n" in message for message in caplog.messages)


def test_metrics_count_what_happened(make_backend: MakeBackend, studio: Studio) -> None:
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio))
        client.post("/predict", json=recorded("click"))
        client.post("/predict", json=recorded("click"))
        client.post("/predict", content=b"{", headers=JSON)
        text = client.get("/metrics").text
    for line in (
        'clickmask_requests_total{route="/predict",status="200"} 2.0',
        'clickmask_requests_total{route="/predict",status="400"} 1.0',
        'clickmask_errors_total{error="RequestError"} 1.0',
        'clickmask_embedding_cache_total{cache="hit"} 1.0',
        'clickmask_embedding_cache_total{cache="miss"} 1.0',
        'clickmask_step_seconds_count{step="decode"} 2.0',
        'clickmask_step_seconds_count{step="fetch"} 1.0',
        "clickmask_requests_waiting 0.0",
    ):
        assert line in text


def test_people_on_many_images_get_their_own_answers(make_backend: MakeBackend, studio: Studio) -> None:
    """Requests of sixteen people at once are answered as if each were alone."""
    bodies = [_click(studio, number) for number in range(16)]
    with serving(make_backend()) as client, ThreadPoolExecutor(16) as pool:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        together = list(pool.map(lambda body: _shape(client, body), bodies))
        alone = [_shape(client, body) for body in bodies]
    assert together == alone
    assert len({str(shape) for shape in alone}) == 16


def _click(studio: Studio, number: int) -> dict[str, Any]:
    path = f"/data/upload/1/{number % 4}.png"
    studio.files[path] = picture(brightness=60 * (number % 4))
    body = recorded("click")
    body["tasks"][0] |= {"id": number % 4, "data": {"image": path}}
    body["params"]["context"]["result"][0]["value"]["x"] = 20 + 3 * number
    return body


def _shape(client: httpx.Client, body: dict[str, Any]) -> Any:
    return client.post("/predict", json=body).json()["results"][0]["result"][0]["value"]
