"""What used to be saved though nobody meant it, or lost though somebody did, on the real labeling page."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from clickmask.plugin.build import build_backend
from clickmask.plugin.commands import open_project as find_project
from clickmask.plugin.commands import repair
from clickmask.plugin.labels import label_config, label_config_names
from clickmask.plugin.settings import Settings
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project, sample_files
from clickmask.plugin.studio.photos import sample_photos
from tests.e2e.annotator import Annotator
from tests.e2e.conftest import LabelStudio
from tests.e2e.masks import bounding_box, changed_pixels, holds, iou, mask_of, scaled
from tests.e2e.test_label_studio import CHEETAH, GROUND

pytestmark = pytest.mark.e2e

NewTask = Callable[..., tuple[int, int]]
SMART = (
    '<KeyPointLabels name="point" toName="image" smart="true" smartOnly="true">{labels}</KeyPointLabels>'
    '<RectangleLabels name="box" toName="image" smart="true" smartOnly="true">{labels}</RectangleLabels>'
)
IMAGE = '<Image name="image" value="$image"/>'
ANIMAL, HOUSE = '<Label value="Animal"/>', '<Label value="Building"/>'
IGNORE = (
    "<View>" + SMART.format(labels=ANIMAL + HOUSE) + f'<PolygonLabels name="polygon" toName="image">{ANIMAL}{HOUSE}'
    '</PolygonLabels><BrushLabels name="ignore" toName="image"><Label value="Ignore"/></BrushLabels>'
    f"{IMAGE}</View>"
)
PLAIN = (
    "<View>" + SMART.format(labels=ANIMAL + HOUSE) + f'<Labels name="label" toName="image">{ANIMAL}{HOUSE}</Labels>'
    f'<Brush name="brush" toName="image"/>{IMAGE}</View>'
)


@pytest.fixture
def new_task(client: StudioClient, backend_url: str, tmp_path: Path) -> NewTask:
    """Makes a connected project of a label config's text with one picture; returns project and task."""

    def make(config: str, photo: Path | None = None) -> tuple[int, int]:
        photos = [photo or sample_photos(tmp_path)[0]]
        project = open_project(client, f"meant {time.time_ns()}", config, photos, backend_url)
        return project, client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]["id"]

    return make


def saved(client: StudioClient, annotation: int) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = client.call("GET", f"/api/annotations/{annotation}")["result"]
    return result


def test_a_tag_with_one_other_label_answers_nothing(
    annotator: Annotator, client: StudioClient, new_task: NewTask
) -> None:
    annotator.open_task(*new_task(IGNORE))
    answer = annotator.click_object("Animal", CHEETAH)
    assert {region["from_name"] for region in answer["result"]} == {"polygon"}
    annotator.accept()
    assert {region["from_name"] for region in saved(client, annotator.submit())} == {"polygon"}


def test_a_lone_alt_click_draws_nothing(annotator: Annotator, new_task: NewTask) -> None:
    annotator.open_task(*new_task(label_config("polygon")))
    assert annotator.leave_out_alone("Animal", GROUND)["data"]["result"] == []


def test_a_webp_that_says_it_lies_on_its_side(annotator: Annotator, new_task: NewTask, tmp_path: Path) -> None:
    """Chromium shows it as it is stored; turned, the answer was a field of stripes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "lying.webp"
    with Image.open(sample_photos(tmp_path)[0]) as photo:
        photo.convert("RGB").save(path, "WEBP", quality=95, exif=exif)
    annotator.open_task(*new_task(label_config("polygon"), path))
    untouched = annotator.see("webp-1-opened")
    mask = mask_of(annotator.click_object("Animal", CHEETAH)["result"])
    drawn = changed_pixels(untouched, annotator.see("webp-2-clicked"))
    assert mask.shape == (343, 502)
    assert holds(mask, CHEETAH)
    assert not holds(mask, GROUND)
    assert iou(bounding_box(drawn), bounding_box(scaled(mask, drawn.shape))) > 0.8


def test_a_brush_with_a_labels_tag_is_saved_with_its_label(
    annotator: Annotator, client: StudioClient, new_task: NewTask
) -> None:
    annotator.open_task(*new_task(PLAIN))
    answer = annotator.click_object("Animal", CHEETAH)
    assert [item["type"] for item in answer["result"]] == ["brush", "labels"]
    annotator.accept()
    items = saved(client, annotator.submit())
    assert {(item["type"], item["from_name"]) for item in items} == {("brush", "brush"), ("labels", "label")}
    assert next(item for item in items if item["type"] == "labels")["value"]["labels"] == ["Animal"]


def test_a_click_submitted_without_the_tick_is_repaired(
    annotator: Annotator, client: StudioClient, label_studio: LabelStudio, new_task: NewTask, tmp_path: Path
) -> None:
    project, task = new_task(label_config("polygon"))
    annotator.open_task(project, task)
    answer = annotator.click_object("Animal", CHEETAH)
    annotation = annotator.submit()
    assert [item["type"] for item in saved(client, annotation)] == ["keypointlabels"]
    key = label_studio.login.token
    settings = Settings(label_studio_url=label_studio.url, label_studio_api_key=key, data_dir=tmp_path / "data")
    backend = build_backend(settings)
    repair(backend, *find_project(backend, project, ""))
    backend.close()
    repaired = saved(client, annotation)
    assert {item["type"] for item in repaired} == {"polygonlabels"}
    assert iou(mask_of(repaired), mask_of(answer["result"])) > 0.99


@pytest.mark.parametrize("labels", [name for name in label_config_names() if name != "video"])
def test_every_exporter_of_label_studio_takes_every_config(
    labels: str, client: StudioClient, label_studio: LabelStudio, new_task: NewTask
) -> None:
    """One key point without ``model_index`` broke Label Studio's own COCO export of the whole project."""
    project, task = new_task(label_config(labels))
    (connected,) = client.call("GET", "/api/ml", params={"project": project})
    point = {"x": 50, "y": 45, "width": 0.2, "keypointlabels": ["Animal"]}
    names = {"type": "keypointlabels", "from_name": "point", "to_name": "image", "is_positive": True, "id": "c"}
    size = {"original_width": 502, "original_height": 343, "image_rotation": 0}
    click = names | size | {"value": point}
    body = {"task": task, "context": {"result": [click]}}
    answer = client.call("POST", f"/api/ml/{connected['id']}/interactive-annotating", json=body)["data"]["result"]
    assert answer
    client.call("POST", f"/api/tasks/{task}/annotations", json={"result": [click, *answer]})
    assert {"JSON", "COCO"} <= export_all(client, label_studio, project)


def test_every_exporter_of_label_studio_takes_the_video_config(
    client: StudioClient, label_studio: LabelStudio, backend_url: str, tmp_path: Path
) -> None:
    clips = sample_files("video", tmp_path)
    project = open_project(client, f"meant {time.time_ns()}", label_config("video"), clips, backend_url)
    (task,) = client.call("GET", "/api/tasks", params={"project": project})["tasks"][:1]
    keyframe = {"frame": 1, "enabled": True, "rotation": 0, "x": 10, "y": 10, "width": 20, "height": 20, "time": 0.04}
    value = {"framesCount": 40, "duration": 1.6, "sequence": [keyframe], "labels": ["Animal"]}
    box = {"type": "videorectangle", "from_name": "box", "to_name": "video", "id": "v", "value": value}
    client.call("POST", f"/api/tasks/{task['id']}/annotations", json={"result": [box]})
    assert "JSON" in export_all(client, label_studio, project)


def export_all(client: StudioClient, label_studio: LabelStudio, project: int) -> set[str]:
    """Export a project in every format that Label Studio offers for it; which those are."""
    formats = client.call("GET", f"/api/projects/{project}/export/formats")
    statuses = {one["name"]: _export(label_studio, project, one["name"]) for one in formats if not one.get("disabled")}
    assert {name: status for name, status in statuses.items() if status != 200} == {}
    return set(statuses)


def _export(label_studio: LabelStudio, project: int, name: str) -> int:
    return httpx.get(
        f"{label_studio.url}/api/projects/{project}/export",
        params={"exportType": name},
        headers={"Authorization": f"Token {label_studio.login.token}"},
        timeout=120,
        trust_env=False,
    ).status_code


def test_opening_a_task_writes_no_error_into_label_studios_log(
    client: StudioClient, label_studio: LabelStudio, new_task: NewTask
) -> None:
    project, task = new_task(label_config("polygon"))
    client.call("GET", f"/api/tasks/{task}", params={"project": project})
    assert "results field must be a list with at least one item" not in label_studio.log.read_text(errors="replace")
