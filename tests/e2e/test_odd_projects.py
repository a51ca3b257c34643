"""Projects that are not the simple case: turned photos, aliased labels in other scripts, boxes that steer clicks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from plugin.labels import label_config
from plugin.studio.client import StudioClient
from plugin.studio.command import open_project
from plugin.studio.photos import sample_photos
from tests.e2e.annotator import Annotator
from tests.e2e.masks import bounding_box, changed_pixels, holds, iou, mask_of, scaled
from tests.e2e.recorder import Recorder, recording
from tests.e2e.test_label_studio import AROUND_CHEETAH, CHEETAH, GROUND

pytestmark = pytest.mark.e2e

NAME, ALIAS = "猫 & Töne", "cat"
LABEL = '<Label value="猫 &amp; Töne" alias="cat"/>'
ALIASED = (
    f'<View><KeyPointLabels name="point" toName="photo" smart="true" smartOnly="true">{LABEL}</KeyPointLabels>'
    f'<RectangleLabels name="box" toName="photo" smart="true" smartOnly="true">{LABEL}</RectangleLabels>'
    f'<PolygonLabels name="outline" toName="photo">{LABEL}</PolygonLabels><Image name="photo" value="$image"/>'
    '<Choices name="seen" toName="photo" perRegion="true"><Choice value="all"/><Choice value="part"/></Choices></View>'
)
ORIENTATION, TURN_RIGHT = 0x0112, 6


@pytest.fixture
def recorder(backend_url: str) -> Iterator[Recorder]:
    with recording(backend_url) as started:
        yield started


def turned_photo(folder: Path) -> Path:
    """The photo of the cheetah as a camera held upright stores it: lying, with a note to turn it."""
    path = folder / "turned.jpg"
    with Image.open(sample_photos(folder)[0]) as photo:
        lying = photo.convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    lying.save(path, quality=95, exif=exif)
    return path


def test_a_turned_photo_with_aliased_labels(
    annotator: Annotator, client: StudioClient, backend_url: str, tmp_path: Path
) -> None:
    """The page turns the photo as its file says, and percent are of what it shows; what is sent is the alias."""
    project = open_project(client, f"turned {time.time_ns()}", ALIASED, [turned_photo(tmp_path)], backend_url)
    [task] = client.call("GET", "/api/tasks", params={"project": project})["tasks"]

    annotator.open_task(project, task["id"])
    untouched = annotator.see("turned-1-opened")
    answer = annotator.click_object(NAME, CHEETAH)
    drawn = changed_pixels(untouched, annotator.see("turned-2-clicked"))
    mask = mask_of(answer["result"])
    assert mask.shape == (343, 502)
    assert holds(mask, CHEETAH)
    assert not holds(mask, GROUND)
    assert iou(bounding_box(drawn), bounding_box(scaled(mask, drawn.shape))) > 0.8
    annotator.accept()
    saved = client.call("GET", f"/api/annotations/{annotator.submit()}")["result"]
    assert {tuple(region["value"]["polygonlabels"]) for region in saved} == {(ALIAS,)}


def test_a_drawn_box_steers_the_clicks_in_it(
    annotator: Annotator, client: StudioClient, recorder: Recorder, tmp_path: Path
) -> None:
    """The page saves the box with the draft, Label Studio sends the draft along, one suggestion replaces the other."""
    project = client.create_project(f"steered {time.time_ns()}", label_config("brush"))
    client.upload(project, sample_photos(tmp_path)[:1])
    options = {"extra_params": json.dumps({"box_steers": True}), "is_interactive": True}
    client.call("POST", "/api/ml", json={"project": project, "url": recorder.url, "title": "ClickMask"} | options)
    [task] = client.call("GET", "/api/tasks", params={"project": project})["tasks"]

    annotator.open_task(project, task["id"])
    annotator.drag_box("Animal", *AROUND_CHEETAH)
    annotator.wait_for_draft()
    clicked = annotator.click_object("Animal", CHEETAH)
    annotator.see("steered-clicked")
    [draft] = recorder.last("/predict")["tasks"][0]["drafts"]
    assert "rectanglelabels" in {region["type"] for region in draft["result"]}
    assert holds(mask_of(clicked["result"]), CHEETAH)
    annotator.accept()
    assert annotator.regions_listed() == len(clicked["result"])
