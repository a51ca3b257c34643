"""Clicks that were submitted without the tick are answered after the fact; nothing of what a person did is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest

from clickmask.plugin.build import Backend
from clickmask.plugin.commands import open_project, repair
from tests.plugin.conftest import Body, picture, recorded
from tests.plugin.studio_server import LEGACY, Studio
from tests.plugin.test_prelabel import box

MakeBackend = Callable[..., Backend]
CLICK = recorded("click")["params"]["context"]["result"][0]


def click(x: float, label: str = "Animal", **more: object) -> Body:
    item: Body = copy.deepcopy(CLICK) | {"id": f"click{x}{label}"} | more
    item["value"] |= {"x": x, "keypointlabels": [label]}
    return item


def annotated(number: int, studio: Studio, *items: Body, **more: object) -> Body:
    studio.files[f"/data/upload/1/{number}.png"] = picture()
    annotation = {"id": 10 * number, "result": list(items)} | more
    return {"id": number, "data": {"image": f"/data/upload/1/{number}.png"}, "annotations": [annotation]}


@pytest.fixture
def backend(make_backend: MakeBackend, studio: Studio) -> Backend:
    studio.label_config = recorded("task_opened")["label_config"]
    return make_backend(label_studio_url=studio.url, label_studio_api_key=LEGACY)


def test_clicks_without_their_answer_are_answered(
    backend: Backend, studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    outline = {"id": "o", "type": "polygonlabels", "from_name": "polygon", "to_name": "image", "value": {"points": []}}
    studio.tasks = [
        annotated(
            1, studio, click(30), outline, click(35), click(70, "Building"), click(1, "Thing", is_positive=False)
        ),
        annotated(2, studio, outline),
        annotated(3, studio, click(30), was_cancelled=True),
        annotated(4, studio, box(10)),
    ]
    studio.tasks[0]["data"]["image"] = "/data/upload/1/1.png"
    repair(backend, *open_project(backend, 1, ""))
    assert set(studio.changed) == {"/api/annotations/10/", "/api/annotations/40/"}
    first = studio.changed["/api/annotations/10/"]["result"]
    assert first[0] == outline
    assert first[1]["id"] == "click1Thing"  # it only leaves out, and points at nothing
    assert [item["value"].get("polygonlabels") for item in first[2:]] == [["Animal"], ["Building"]]
    (boxed,) = studio.changed["/api/annotations/40/"]["result"]
    assert boxed["type"] == "polygonlabels"
    told = capsys.readouterr().err
    assert "3 objects of 2 annotations were answered, 0 clicks or boxes got no answer and stay" in told
    kept = backend.settings.data_dir / "repaired" / "project-1" / "annotation-10.json"
    assert json.loads(kept.read_text()) == studio.tasks[0]["annotations"][0]


def test_a_click_that_gets_no_answer_stays(
    backend: Backend, studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.tasks = [annotated(1, studio, click(30)), annotated(2, studio, click(30))]
    del studio.files["/data/upload/1/2.png"]
    repair(backend, *open_project(backend, 1, '{"labels": {"Animal": {"min_score": 1}}}'))
    assert studio.changed == {}
    assert "0 objects of 0 annotations were answered, 2 clicks or boxes got no answer" in capsys.readouterr().err


def test_repaired_answers_count_as_accepted(backend: Backend, studio: Studio) -> None:
    studio.tasks = [annotated(1, studio, click(30))]
    repair(backend, *open_project(backend, 1, ""))
    body = recorded("annotation_updated")
    body["annotation"]["result"] = studio.changed["/api/annotations/10/"]["result"]
    assert backend.predictor.fit("ANNOTATION_UPDATED", body)["ours"] == 1
