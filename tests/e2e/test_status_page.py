"""The status page in a real browser: its style and its button pass its own content security policy."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from clickmask.plugin.build import build_backend
from clickmask.plugin.settings import Settings
from tests.plugin.conftest import picture, recorded
from tests.plugin.server import serving
from tests.plugin.test_prelabel import box
from tests.plugin.waiting import PATIENCE

pytestmark = pytest.mark.e2e


def unprompted(count: int) -> dict[str, Any]:
    image = "data:image/png;base64," + base64.b64encode(picture()).decode()
    tasks = [
        {"id": number, "data": {"image": image}, "annotations": [{"id": number, "result": [box(10)]}]}
        for number in range(count)
    ]
    return recorded("task_opened") | {"tasks": tasks}


def test_a_person_looks_at_the_backend_and_stops_its_work(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, gate = build_backend(Settings(data_dir=tmp_path, ready_seconds=300)), threading.Event()
    real = backend.segmenter.segment

    def segment(*arguments: Any) -> Any:
        assert gate.wait(PATIENCE)
        return real(*arguments)

    monkeypatch.setattr(backend.segmenter, "segment", segment)
    backend.engines.wait()
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with serving(backend) as client, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, "/predict", json=unprompted(8), timeout=PATIENCE)
        page.goto(str(client.base_url))
        expect(page.get_by_role("heading", name="ClickMask backend")).to_be_visible()
        expect(page.get_by_text("0 of 8")).to_be_visible(timeout=60_000)  # the page asks for itself anew
        assert page.evaluate("getComputedStyle(document.querySelector('table')).borderCollapse") == "collapse"
        page.get_by_role("button", name="cancel").click()
        expect(page.get_by_text("0 of 8")).to_have_count(0, timeout=60_000)
        gate.set()
        results = answer.result().json()["results"]
        assert (len(results), sum(map(bool, results)) <= 3) == (8, True)
    page.close()
    assert complaints == []
