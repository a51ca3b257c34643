"""Two people click on two photos at the same time, through Label Studio: nobody gets the other's answer."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from clickmask.plugin.labels import label_config
from clickmask.plugin.studio.client import StudioClient
from clickmask.plugin.studio.command import open_project
from clickmask.plugin.studio.photos import sample_photos
from tests.e2e.conftest import LabelStudio
from tests.e2e.masks import BoolMask, iou, mask_of

pytestmark = pytest.mark.e2e

CLICKS = 12
SAME = 0.995  # clicks answered in one batch may round differently, which moves a pixel on an edge


class Person:
    """Clicks on one photo through Label Studio's API, as the page does."""

    def __init__(self, client: StudioClient, backend: int, task: int, photo: Path, seed: int) -> None:
        self._client, self._backend, self._task = client, backend, task
        with Image.open(photo) as opened:
            self._size = opened.size
        self._spots = np.random.default_rng(seed).uniform(25, 75, (CLICKS, 2)).tolist()

    def click_through(self, _: int) -> list[tuple[BoolMask, float]]:
        """Every click a new object; returns masks and scores."""
        return [self._click(number, x, y) for number, (x, y) in enumerate(self._spots)]

    def _click(self, number: int, x: float, y: float) -> tuple[BoolMask, float]:
        point = {
            "original_width": self._size[0],
            "original_height": self._size[1],
            "image_rotation": 0,
            "value": {"x": x, "y": y, "width": 0.2, "keypointlabels": ["Animal"]},
            "is_positive": True,
            "id": f"{self._task}-{number}",
            "from_name": "point",
            "to_name": "image",
            "type": "keypointlabels",
            "origin": "manual",
        }
        body = {"task": self._task, "context": {"result": [point]}}
        answer = self._client.call("POST", f"/api/ml/{self._backend}/interactive-annotating", json=body)
        regions = answer["data"]["result"]
        width, height = self._size
        return mask_of(regions) if regions else np.zeros((height, width), dtype=bool), answer["data"]["score"]


def second_account(label_studio: LabelStudio) -> str:
    """Sign up as somebody else, as the page does; returns that person's token."""
    with httpx.Client(base_url=label_studio.url, follow_redirects=True, timeout=60, trust_env=False) as page:
        form = page.get("/user/signup").text
        secret = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[0]
        fields = {
            "email": f"ben{time.time_ns()}@example.com",
            "password": "a long password 1",
            "allow_newsletters": "false",
        }
        page.post(
            "/user/signup/", data=fields | {"csrfmiddlewaretoken": secret}, headers={"Referer": label_studio.url}
        ).raise_for_status()
        answer = page.get("/api/current-user/token")
        answer.raise_for_status()
        return str(answer.json()["token"])


def test_two_accounts_on_one_photo_get_what_each_would_get_alone(
    client: StudioClient, label_studio: LabelStudio, backend_url: str, tmp_path: Path
) -> None:
    (photo,) = sample_photos(tmp_path)[:1]
    project = open_project(client, f"Two accounts {time.time_ns()}", label_config("brush"), [photo], backend_url)
    (task,) = client.call("GET", "/api/tasks", params={"project": project})["tasks"]
    backend = client.call("GET", "/api/ml", params={"project": project})[0]["id"]
    with closing(StudioClient(label_studio.url, second_account(label_studio))) as other:
        assert other.call("GET", "/api/current-user/whoami")["email"] != label_studio.login.email
        people = [Person(one, backend, task["id"], photo, seed) for seed, one in enumerate((client, other))]
        alone = [person.click_through(0) for person in people]
        with ThreadPoolExecutor(2) as both:
            together = list(both.map(Person.click_through, people, range(2)))
    assert sum(mask.any() for mask, _ in alone[0] + alone[1]) > CLICKS
    assert same(alone[0], together[0])
    assert same(alone[1], together[1])


def same(first: Sequence[tuple[BoolMask, float]], second: Sequence[tuple[BoolMask, float]]) -> bool:
    """Whether two rounds of clicks got the same answers."""
    return all(
        mask.shape == other.shape and (not (mask | other).any() or iou(mask, other) >= SAME)
        for (mask, _), (other, _) in zip(first, second, strict=True)
    )


def test_two_people_on_two_photos_get_what_each_would_get_alone(
    client: StudioClient, backend_url: str, tmp_path: Path
) -> None:
    photos = sample_photos(tmp_path)[:2]
    project = open_project(client, "Two people", label_config("brush"), photos, backend_url)
    tasks: list[Any] = client.call("GET", "/api/tasks", params={"project": project})["tasks"]
    backend = client.call("GET", "/api/ml", params={"project": project})[0]["id"]
    by_name = {task["data"]["image"].rpartition("-")[2]: task["id"] for task in tasks}
    people = [Person(client, backend, by_name[photo.name], photo, seed) for seed, photo in enumerate(photos)]

    alone = [person.click_through(0) for person in people]
    with ThreadPoolExecutor(2) as both:
        together = list(both.map(Person.click_through, people, range(2)))

    assert sum(mask.any() for mask, _ in alone[0] + alone[1]) > CLICKS, "most clicks find something"
    assert same(alone[0], together[0])
    assert same(alone[1], together[1])
