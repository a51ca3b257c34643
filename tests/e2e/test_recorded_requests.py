"""The requests in tests/data/label_studio are what this Label Studio sends.

The backend's tests replay them. To record them anew: ``CLICKMASK_RECORD=1 pytest tests/e2e/test_recorded_requests.py``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from tests.e2e.annotator import Annotator, Spot
from tests.e2e.recorder import Recorder, recording

pytestmark = pytest.mark.e2e

DATA = Path(__file__).parents[1] / "data" / "label_studio"
CHEETAH, GROUND, SKY = Spot(50, 45), Spot(30, 80), Spot(80, 15)


@pytest.fixture
def recorder(backend_url: str) -> Iterator[Recorder]:
    with recording(backend_url) as started:
        yield started


def test_label_studio_sends_what_was_recorded(
    annotator: Annotator, client: StudioClient, recorder: Recorder, tmp_path: Path
) -> None:
    photos = sample_photos(tmp_path)[:1]
    project = open_project(client, "Recorded", label_config("polygon"), photos, recorder.url)
    task = client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]["id"]
    sent = {"setup": recorder.last("/setup")}

    annotator.open_task(project, task)
    sent["task_opened"] = recorder.last("/predict")
    annotator.click_object("Animal", CHEETAH)
    sent["click"] = recorder.last("/predict")
    annotator.leave_out("Animal", GROUND)
    sent["click_and_alt_click"] = recorder.last("/predict")
    annotator.wait_for_draft()
    annotator.open_task(project, task)
    annotator.drag_box("Animal", Spot(15, 30), Spot(78, 72))  # before the sky, which may be found to reach this far
    sent["box"] = recorder.last("/predict")
    annotator.accept()
    annotator.click_object("Animal", SKY)
    sent["click_beside_old_points"] = recorder.last("/predict")
    annotator.accept()

    annotation = annotator.submit()
    sent["annotation_created"] = recorder.event("ANNOTATION_CREATED")
    client.call("PATCH", f"/api/annotations/{annotation}", json={"ground_truth": True})
    sent["annotation_updated"] = recorder.event("ANNOTATION_UPDATED")
    backend = client.call("GET", "/api/ml", params={"project": project})[0]["id"]
    client.call("POST", f"/api/ml/{backend}/train", json={})
    sent["start_training"] = recorder.event("START_TRAINING")
    client.call("DELETE", f"/api/annotations/{annotation}")
    sent["annotations_deleted"] = recorder.event("ANNOTATIONS_DELETED")

    if os.environ.get("CLICKMASK_RECORD") == "1":
        _write(sent)
    for name, body in sent.items():
        recorded = json.loads((DATA / f"{name}.json").read_text())
        assert form_of(body) == form_of(recorded), f"Label Studio sends another {name}"


def _write(sent: dict[str, dict[str, Any]]) -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    for name, body in sent.items():
        (DATA / f"{name}.json").write_text(json.dumps(body, indent=2) + "\n")


def form_of(value: Any) -> Any:
    """The keys and types of a JSON value, so that ids, times and coordinates may differ.

    A list of numbers or points is a shape's outline: its length belongs to the model, not to Label Studio. So does the
    number of further parts that an object has.
    """
    if isinstance(value, dict):
        return {key: form_of(item) for key, item in value.items()}
    if isinstance(value, list):
        forms = [form_of(item) for item in value if not (isinstance(item, dict) and "parentID" in item)]
        return [forms[0]] if forms and all(form == forms[0] for form in forms) else forms
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
