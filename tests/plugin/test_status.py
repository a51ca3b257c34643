"""The status page: what a person sees at the backend's address, and the button that stops work."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clickmask.plugin.build import Backend
from clickmask.plugin.errors import RequestError
from tests.plugin.conftest import recorded, setup_body
from tests.plugin.server import serving
from tests.plugin.studio_server import Studio
from tests.plugin.test_prelabel import box, task, unprompted
from tests.plugin.video_tasks import asked, drawn
from tests.plugin.waiting import PATIENCE, wait_until

MakeBackend = Callable[..., Backend]
PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_program_gets_the_state_and_a_person_a_page(make_backend: MakeBackend, studio: Studio) -> None:
    with serving(make_backend()) as client:
        assert client.get("/").json()["status"] == "UP"
        page = client.get("/", headers=PERSON)
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<td>nano</td>" in page.text
        assert "no project introduced itself" in page.text


def test_projects_are_shown_with_what_is_odd(make_backend: MakeBackend, studio: Studio) -> None:
    odd = '<View><Image name="photo" value="$image"/><Brush name="b" toName="photo"/></View>'
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio, schema=odd, extra_params={"rule": "iou"})).raise_for_status()
        page = client.get("/", headers=PERSON).text
    assert "image photo has no tag to click with" in page
    assert "rule: iou" in page
    assert studio.url in page


def test_the_last_errors_are_shown_with_what_to_do_and_as_text(make_backend: MakeBackend, studio: Studio) -> None:
    body = recorded("click")
    body["tasks"][0]["data"]["image"] = "http://10.1.1.1/<b>.png"
    with serving(make_backend()) as client:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        assert client.post("/predict", json=body).status_code == 403
        client.post("/predict", json={"tasks": "<script>alert(1)</script>"})
        page = client.get("/", headers=PERSON).text
    assert "name the host in --trusted-hosts" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def cancel_button(page: str) -> str:
    return str(re.findall(r'data-cancel="([^"]+)"', page)[0])


def test_predictions_for_many_tasks_are_shown_and_can_be_stopped(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, gate = make_backend(), threading.Event()
    real = backend.segmenter.segment

    def segment(*arguments: Any) -> Any:
        assert gate.wait(PATIENCE)
        return real(*arguments)

    with serving(backend) as client, ThreadPoolExecutor(1) as pool:
        client.post("/setup", json=setup_body(studio)).raise_for_status()
        monkeypatch.setattr(backend.segmenter, "segment", segment)
        body = unprompted(*(task(number, studio, box(10)) for number in range(1, 9)))
        answer = pool.submit(client.post, "/predict", json=body, timeout=PATIENCE)
        wait_until(lambda: "0 of 8" in client.get("/", headers=PERSON).text)
        name = cancel_button(client.get("/", headers=PERSON).text)
        assert "predictions for project" in client.post("/cancel", json={"work": name}).json()["cancelled"]
        gate.set()
        found = [bool(result) for result in answer.result().json()["results"]]
        assert (len(found), sum(found) <= 3) == (8, True)
        wait_until(lambda: "nothing in the background" in client.get("/", headers=PERSON).text)
        assert client.post("/cancel", json={"work": name}).status_code == 400


def test_a_video_is_shown_and_can_be_stopped(
    make_backend: MakeBackend, video_studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def stuck(model: Any, video: Any, tracks: Any, before_frame: Callable[[], None]) -> None:
        while True:
            before_frame()
            gate.wait(0.01)

    monkeypatch.setattr("clickmask.plugin.tracking.answers.follow", stuck)
    backend = make_backend(track_seconds=0)
    with serving(backend) as client:
        client.post("/setup", json=setup_body(video_studio)).raise_for_status()
        client.post("/predict", json=asked(drawn(0))).raise_for_status()
        wait_until(lambda: "0 of 24" in client.get("/", headers=PERSON).text)
        page = client.get("/", headers=PERSON).text
        assert "task 1: tracking 1 object" in page
        client.post("/cancel", json={"work": cancel_button(page)}).raise_for_status()
        wait_until(lambda: backend.tracking.running() == 0)


def test_projects_without_end_take_no_memory_without_end(
    make_backend: MakeBackend, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clickmask.plugin.registry.MOST_PROJECTS", 3)
    monkeypatch.setattr("clickmask.plugin.records.records.KEPT_PROJECTS", 4)
    backend = make_backend()
    for number in range(5):
        backend.predictor.setup(setup_body(studio, project=f"{number}.1", extra_params={"rule": "iou"}))
    assert [project.id for project, _ in backend.registry.introduced()] == ["2.1", "3.1", "4.1"]
    assert backend.registry.find("1.1").options.rule == "iou"  # from the records
    assert backend.registry.find("0.1").options.rule == "auto"  # forgotten until Label Studio introduces it again
    with pytest.raises(RequestError, match="longer than 20000 letters"):
        backend.predictor.setup(setup_body(studio, extra_params={"label": "x" * 100_000}))
    with pytest.raises(RequestError, match="wanted at most 200 letters"):
        backend.predictor.setup(setup_body(studio, project="9" * 1_000))
