"""Projects that are not the simple case: turned photos, aliased labels in other scripts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PIL import Image

from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from tests.e2e.annotator import Annotator
from tests.e2e.masks import bounding_box, changed_pixels, holds, iou, mask_of, scaled
from tests.e2e.test_label_studio import CHEETAH, GROUND

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
