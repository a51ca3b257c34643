"""Tasks written by ``convert`` in a real Label Studio: shown by its editor, saved by it, and read back to the pixel."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder import Size
from clickmask.decoder.formats.label_studio import label_config, read_label_studio, result_to_mask, write_label_studio
from clickmask.decoder.formats.options import Tag, WriteOptions
from clickmask.decoder.formats.records import AnnotatedImage, Category, Dataset, ImageRecord, ObjectRecord
from clickmask.decoder.shapes import mask_to_rle, rle_to_mask
from clickmask.plugin.studio.client import StudioClient
from tests.e2e.annotator import Annotator

pytestmark = pytest.mark.e2e

SIZE = Size(300, 400)
CATEGORY = Category(1, "Thing")


def ring_and_blob() -> NDArray[np.bool_]:
    """A ring with an island in its hole, and a second part far away."""
    canvas = np.zeros((SIZE.height, SIZE.width), np.uint8)
    for radius, value in ((90, 1), (50, 0), (20, 1)):
        cv2.circle(canvas, (130, 150), radius, value, -1)
    cv2.ellipse(canvas, (330, 80), (50, 30), 25, 0, 360, 1, -1)
    return canvas.astype(bool)


def new_task(client: StudioClient, tag: Tag, folder: Path) -> tuple[int, int]:
    """A project with one task whose prediction holds the mask; project and task number."""
    config = label_config([CATEGORY], tag).replace('zoom="true"', 'zoom="true" rotateControl="true"')
    project = client.create_project(f"formats {tag} {time.time_ns()}", config)
    picture = folder / "picture.png"
    Image.fromarray(np.full((SIZE.height, SIZE.width, 3), 90, np.uint8)).save(picture)
    client.upload(project, [picture])
    (uploaded,) = client.call("GET", "/api/tasks", params={"project": project, "fields": "all"})["tasks"]
    item = ObjectRecord(1, CATEGORY.id, mask_to_rle(ring_and_blob()), score=0.9)
    images = [AnnotatedImage(ImageRecord(1, "picture.png", SIZE), (item,))]
    write_label_studio(Dataset((CATEGORY,), images, 1), folder / "tasks.json", WriteOptions(tag=tag))
    (written,) = json.loads((folder / "tasks.json").read_text())
    for prediction in written["predictions"]:
        client.call("POST", "/api/predictions", json=prediction | {"task": uploaded["id"], "model_version": "convert"})
    client.call("PATCH", f"/api/projects/{project}", json={"model_version": "convert"})
    return project, int(uploaded["id"])


def exported(client: StudioClient, project: int, folder: Path) -> list[Any]:
    """The project's own JSON export, as the button gives it, in a file."""
    tasks: list[Any] = client.call("GET", f"/api/projects/{project}/export", params={"exportType": "JSON"})
    (folder / "export.json").write_text(json.dumps(tasks))
    return tasks


@pytest.mark.parametrize("tag", ["brush", "bitmask", "polygon", "vector"])
def test_the_editor_saves_the_mask_it_was_given(
    tag: Tag, annotator: Annotator, client: StudioClient, tmp_path: Path
) -> None:
    project, task = new_task(client, tag, tmp_path)
    annotator.open_task(project, task)
    annotator.see(f"formats-{tag}")
    annotator.submit()
    (saved,) = exported(client, project, tmp_path)
    assert [item["origin"] for item in saved["annotations"][0]["result"]]  # the editor's own words, not ours
    (annotated,) = read_label_studio(tmp_path / "export.json").images
    masks = [rle_to_mask(item.rle) for item in annotated.objects]
    assert [int((mask ^ ring_and_blob()).sum()) for mask in masks] == [0]


def test_turning_the_picture_on_screen_moves_no_region(
    annotator: Annotator, client: StudioClient, tmp_path: Path
) -> None:
    project, task = new_task(client, "polygon", tmp_path)
    annotator.open_task(project, task)
    annotator.page.locator("[aria-label=rotate-left]").click()
    annotator.see("formats-turned")
    annotator.submit()
    (saved,) = exported(client, project, tmp_path)
    items = saved["annotations"][0]["result"]
    assert {item["image_rotation"] for item in items} == {270}
    united = np.logical_or.reduce([result_to_mask(item) for item in items])
    assert not (united ^ ring_and_blob()).any()
