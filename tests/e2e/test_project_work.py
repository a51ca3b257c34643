"""Whole projects of a real Label Studio: images by either kind of token, commands, retrieval, records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.plugin.build import Backend, build_backend
from clickmask.plugin.commands import open_project as find_project
from clickmask.plugin.commands import prelabel, warm
from clickmask.plugin.errors import StudioError
from clickmask.plugin.labels import label_config
from clickmask.plugin.settings import Settings
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from tests.e2e.conftest import LabelStudio
from tests.e2e.waiting import eventually
from tests.plugin.server import serving

pytestmark = pytest.mark.e2e

BOX = {"x": 16.0, "y": 31.0, "width": 61.0, "height": 40.0, "rotation": 0, "rectanglelabels": ["Animal"]}


@pytest.fixture
def backend(label_studio: LabelStudio, tmp_path: Path) -> Iterator[Backend]:
    """A backend in this process that knows the Label Studio by address and key."""
    made = build_backend(
        Settings(
            label_studio_url=label_studio.url,
            label_studio_api_key=label_studio.login.token,
            data_dir=tmp_path,
            ready_seconds=300,
        )
    )
    yield made
    made.close()


def tasks_of(client: StudioClient, project: int) -> list[dict[str, Any]]:
    """The tasks of a project with their predictions, by number."""
    found = client.call("GET", "/api/tasks", params={"project": project, "fields": "all"})["tasks"]
    return sorted(found, key=lambda task: int(task["id"]))


def new_project(client: StudioClient, tmp_path: Path, photos: int = 3) -> int:
    """A project with photos, without a backend."""
    project = client.create_project(f"work {time.time_ns()}", label_config("brush"))
    client.upload(project, sample_photos(tmp_path)[:photos])
    return project


def draw_box(client: StudioClient, task: int) -> None:
    """Annotate a task with a rectangle."""
    names = {"id": "box1", "type": "rectanglelabels", "from_name": "box", "to_name": "image"}
    sizes = {"original_width": 502, "original_height": 343, "image_rotation": 0}
    client.call("POST", f"/api/tasks/{task}/annotations", json={"result": [names | sizes | {"value": BOX}]})


def test_warm_encodes_all_images(backend: Backend, client: StudioClient, tmp_path: Path) -> None:
    number = new_project(client, tmp_path)
    project, config = find_project(backend, number, "")
    warm(backend, project, config)
    assert [backend.segmenter.is_prepared(task, config, project) for task in tasks_of(client, number)] == [True] * 3


def test_prelabel_turns_boxes_into_predictions(backend: Backend, client: StudioClient, tmp_path: Path) -> None:
    number = new_project(client, tmp_path)
    first = tasks_of(client, number)[0]["id"]
    draw_box(client, first)
    for _ in range(2):  # the second time there is nothing left to do
        prelabel(backend, *find_project(backend, number, ""))
    (prediction,) = client.call("GET", "/api/predictions/", params={"task": first})
    (region,) = prediction["result"]
    assert (prediction["model_version"], region["value"]["brushlabels"]) == ("clickmask-nano", ["Animal"])
    assert 0.05 < result_to_mask(region).mean() < 0.3
    assert [task["total_predictions"] for task in tasks_of(client, number)] == [1, 0, 0]


def test_a_personal_access_token_fetches_images(
    label_studio: LabelStudio, client: StudioClient, personal_token: str, tmp_path: Path
) -> None:
    settings = Settings(
        label_studio_url=label_studio.url, label_studio_api_key=personal_token, data_dir=tmp_path / "data"
    )
    backend = build_backend(settings)
    number = new_project(client, tmp_path, photos=1)
    project, config = find_project(backend, number, "")
    (task,) = tasks_of(client, number)
    backend.engines.wait()
    assert backend.segmenter.prepare(task, config, project) is False
    backend.close()


def test_predictions_are_retrieved_and_accepted_answers_recorded(
    backend: Backend, client: StudioClient, tmp_path: Path
) -> None:
    """Connect, retrieve for several tasks at once, open one, click, submit: as the pages do, through the API."""
    backend.engines.wait()
    with serving(backend) as http:
        address = str(http.base_url).rstrip("/")
        number = open_project(
            client, f"work {time.time_ns()}", label_config("brush"), sample_photos(tmp_path)[:3], address
        )
        first, second, third = (int(task["id"]) for task in tasks_of(client, number))
        for task in (first, second):
            draw_box(client, task)
        selected = {"selectedItems": {"all": True, "excluded": []}}
        client.call(
            "POST", "/api/dm/actions", params={"id": "retrieve_tasks_predictions", "project": number}, json=selected
        )
        assert [task["total_predictions"] for task in tasks_of(client, number)] == [1, 1, 0]

        client.call("GET", f"/api/tasks/{third}", params={"project": number})
        assert tasks_of(client, number)[2]["total_predictions"] == 0

        (connected,) = client.call("GET", "/api/ml", params={"project": number})
        click = {"x": 50, "y": 45, "width": 0.2, "keypointlabels": ["Animal"]}
        names = {"type": "keypointlabels", "from_name": "point", "to_name": "image", "is_positive": True, "id": "c"}
        body = {"task": third, "context": {"result": [names | {"value": click}]}}
        answer = client.call("POST", f"/api/ml/{connected['id']}/interactive-annotating", json=body)
        client.call("POST", f"/api/tasks/{third}/annotations", json={"result": answer["data"]["result"]})
        (example,) = eventually(lambda: list(backend.records.examples()), "a record")
        assert (example["task"], example["region"]["id"]) == (third, answer["data"]["result"][0]["id"])
        assert example["prompt"]["points"][0]["positive"] is True

        versions = client.call("GET", f"/api/ml/{connected['id']}/versions")
        assert versions["versions"] == ["clickmask-nano"]


def test_options_come_with_the_connection(backend: Backend, client: StudioClient, tmp_path: Path) -> None:
    """Extra params of the connection reach the backend; with wrong ones Label Studio refuses to connect."""
    number = new_project(client, tmp_path, photos=1)
    with serving(backend) as http:
        connection = {"project": number, "url": str(http.base_url).rstrip("/")}
        with pytest.raises(StudioError, match="doesn't look like a valid ML backend"):
            client.call("POST", "/api/ml", json=connection | {"extra_params": {"rule": "best"}})
        client.call("POST", "/api/ml", json=connection | {"extra_params": {"rule": "stability"}})
        (connected,) = client.call("GET", "/api/ml", params={"project": number})
        assert connected["state"] == "CO"
        (uid,) = [uid for uid in backend.predictor._projects._projects if uid.startswith(f"{number}.")]
        assert backend.predictor._projects.find(uid).options.rule == "stability"
