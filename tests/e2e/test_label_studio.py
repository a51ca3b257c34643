"""A person labels photos in Label Studio with the backend connected: click, box, accept, submit, export."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from label_studio_sdk.converter.brush import decode_rle

from clickmask.decoder.formats.coco import write_coco
from clickmask.decoder.formats.label_studio import read_label_studio
from clickmask.plugin.labels import label_config, label_config_names
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from tests.e2e.annotator import Annotator, Spot
from tests.e2e.conftest import LabelStudio
from tests.e2e.masks import (
    bounding_box,
    changed_pixels,
    coco_masks,
    holds,
    iou,
    mask_of,
    rectangle,
    save_json,
    scaled,
    union,
    unzip_coco,
)

pytestmark = pytest.mark.e2e

CHEETAH, TAIL, GROUND = Spot(50, 45), Spot(22, 43), Spot(30, 80)
AROUND_CHEETAH = (Spot(15.5, 32), Spot(77.5, 70))
NewTask = Callable[[str], tuple[int, int]]
DRAWN_AS = {
    "bitmask": {"bitmasklabels"},
    "box": {"rectanglelabels"},
    "brush": {"brushlabels"},
    "ellipse": {"ellipselabels"},
    "everything": {"polygonlabels", "brushlabels", "rectanglelabels"},
    "keypoint": {"keypointlabels"},
    "polygon": {"polygonlabels"},
    "vector": {"vectorlabels"},
}


@pytest.fixture
def new_task(client: StudioClient, backend_url: str, tmp_path: Path) -> NewTask:
    """Makes a connected project of a label config with a photo of a running cheetah; returns project and task."""

    def make(labels: str) -> tuple[int, int]:
        photos = sample_photos(tmp_path)[:1]
        project = open_project(client, f"{labels} {time.time_ns()}", label_config(labels), photos, backend_url)
        return project, client.call("GET", "/api/tasks", params={"project": project})["tasks"][0]["id"]

    return make


def test_click_alt_click_accept_submit(annotator: Annotator, client: StudioClient, new_task: NewTask) -> None:
    annotator.open_task(*new_task("polygon"))
    untouched = annotator.see("story-1-opened")

    clicked = annotator.click_object("Animal", CHEETAH)
    drawn = changed_pixels(untouched, annotator.see("story-2-clicked"))
    mask = mask_of(clicked["result"])
    assert holds(mask, CHEETAH)
    assert not holds(mask, GROUND)
    assert 0 < clicked["score"] <= 1
    assert iou(bounding_box(drawn), bounding_box(scaled(mask, drawn.shape))) > 0.8, (
        "the outline is drawn where the mask is"
    )

    corrected = annotator.leave_out("Animal", TAIL)
    annotator.see("story-3-left-out")
    assert not holds(mask_of(corrected["result"]), TAIL)
    assert holds(mask_of(corrected["result"]), CHEETAH)

    annotator.accept()
    annotator.wait_for_regions(len(corrected["result"]))
    saved = client.call("GET", f"/api/annotations/{annotator.submit()}")["result"]
    annotator.see("story-4-submitted")
    assert [region["value"] for region in saved] == [region["value"] for region in corrected["result"]]
    assert {region["type"] for region in saved} == {"polygonlabels"}


def test_smart_box(annotator: Annotator, client: StudioClient, new_task: NewTask) -> None:
    annotator.open_task(*new_task("brush"))
    boxed = annotator.drag_box("Animal", *AROUND_CHEETAH)
    annotator.see("smart-box-1-drawn")
    mask = mask_of(boxed["result"])
    assert holds(mask, CHEETAH)
    drawn = rectangle(mask.shape, *AROUND_CHEETAH)
    assert (mask & drawn).sum() > 0.95 * mask.sum(), "the answer lies in the box"
    assert iou(bounding_box(mask), drawn) > 0.6

    annotator.accept()
    annotator.see("smart-box-2-accepted")
    [saved] = client.call("GET", f"/api/annotations/{annotator.submit()}")["result"]
    theirs = decode_rle(saved["value"]["rle"]).reshape(*mask.shape, 4)[:, :, 3] > 0
    assert np.array_equal(theirs, mask), "Label Studio's own decoder reads the mask we sent"


@pytest.mark.parametrize("labels", [name for name in label_config_names() if name != "video"])
def test_every_label_config_is_answered_drawn_and_saved(
    labels: str, annotator: Annotator, client: StudioClient, new_task: NewTask
) -> None:
    annotator.open_task(*new_task(labels))
    untouched = annotator.see(f"{labels}-1-opened")
    answer = annotator.click_object("Animal", CHEETAH)
    assert {region["type"] for region in answer["result"]} == DRAWN_AS[labels]
    annotator.accept()
    assert changed_pixels(untouched, annotator.see(f"{labels}-2-accepted")).any()
    saved = client.call("GET", f"/api/annotations/{annotator.submit()}")["result"]
    assert {region["type"] for region in saved} == DRAWN_AS[labels]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with NumPy 2
@pytest.mark.parametrize(("labels", "export_type"), [("polygon", "COCO"), ("brush", "BRUSH_TO_COCO")])
def test_our_coco_holds_the_masks_of_label_studios_coco(
    labels: str,
    export_type: str,
    annotator: Annotator,
    client: StudioClient,
    label_studio: LabelStudio,
    new_task: NewTask,
    tmp_path: Path,
) -> None:
    project, task = new_task(labels)
    annotator.open_task(project, task)
    answered = mask_of(annotator.drag_box("Animal", *AROUND_CHEETAH)["result"])
    annotator.accept()
    annotator.submit()

    tasks = client.call("GET", f"/api/projects/{project}/export", params={"exportType": "JSON"})
    write_coco(read_label_studio(save_json(tasks, tmp_path / "tasks.json")), tmp_path / "ours.json")
    ours = union(coco_masks(tmp_path / "ours.json"))
    assert iou(ours, answered) > 0.99

    theirs = union(coco_masks(unzip_coco(export(label_studio, project, export_type), tmp_path)))
    assert iou(ours, theirs) > 0.95


def export(label_studio: LabelStudio, project: int, export_type: str) -> bytes:
    """A project as Label Studio itself exports it."""
    return httpx.get(
        f"{label_studio.url}/api/projects/{project}/export",
        params={"exportType": export_type},
        headers={"Authorization": f"Token {label_studio.login.token}"},
        timeout=60,
        trust_env=False,
    ).content
