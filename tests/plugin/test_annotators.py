"""Two people, two pictures, the model in the box: nobody gets anything of the other's."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clickmask.decoder import Engine, load_model
from clickmask.decoder.formats.label_studio import result_to_mask
from clickmask.decoder.shapes import mask_iou
from clickmask.plugin.build import Backend
from tests.plugin.conftest import Body, recorded, setup_body
from tests.plugin.studio_server import Studio

CLICKS_PER_PERSON = 250
CLICKS_PER_OBJECT = 5
SAME = 0.995  # IoU: sums in batches of other sizes may round differently, which moves a pixel on an edge


def scene(seed: int) -> bytes:
    """A picture with things on it."""
    random_numbers = np.random.default_rng(seed)
    picture = np.full((240, 320, 3), random_numbers.integers(0, 256, 3), np.uint8)
    for _ in range(12):
        center = (int(random_numbers.integers(0, 320)), int(random_numbers.integers(0, 240)))
        color = tuple(int(part) for part in random_numbers.integers(0, 256, 3))
        cv2.circle(picture, center, int(random_numbers.integers(10, 40)), color, -1)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def clicks(person: int) -> list[Body]:
    """The requests of one person: on one object after the other, click after click."""
    numbers = random.Random(person)
    requests = []
    for _ in range(CLICKS_PER_PERSON // CLICKS_PER_OBJECT):
        items: list[Body] = []
        for count in range(CLICKS_PER_OBJECT):
            value = {
                "x": numbers.uniform(0, 100),
                "y": numbers.uniform(0, 100),
                "width": 0.2,
                "keypointlabels": ["Thing"],
            }
            names = {"type": "keypointlabels", "from_name": "point", "to_name": "image", "id": str(count)}
            items.append(names | {"is_positive": count == 0 or numbers.random() < 0.6, "value": value})
            body = recorded("click")
            body["tasks"][0] |= {"id": person, "data": {"image": f"/data/upload/1/{person}.png"}}
            body["params"]["context"]["result"] = list(items)
            body["label_config"] = body["label_config"].replace("Polygon", "Brush")
            requests.append(body)
    return requests


def masks(backend: Backend, requests: list[Body]) -> list[NDArray[np.bool_] | None]:
    """The answer to each request in turn: its mask, or None for an empty one."""
    answers = []
    for request in requests:
        (prediction,) = backend.predictor.predict(request).body["results"]
        answers.append(result_to_mask(prediction["result"][0]) if prediction["result"] else None)
    return answers


@pytest.fixture
def backend(make_backend: Callable[..., Backend], studio: Studio) -> Callable[[], Backend]:
    """Makes backends with the model in the box and nothing remembered."""
    model = load_model("nano")
    for person in (1, 2):
        studio.files[f"/data/upload/1/{person}.png"] = scene(person)

    def make() -> Backend:
        made = make_backend(lambda _: Engine(model), encode_ahead=0)
        made.predictor.setup(setup_body(studio))
        return made

    return make


def test_500_interleaved_clicks_are_answered_as_if_each_person_were_alone(backend: Callable[[], Backend]) -> None:
    """Every answer of both, clicking at the same time, against the same clicks by one person at a time."""
    shared, start = backend(), Barrier(2)

    def annotate(person: int) -> list[NDArray[np.bool_] | None]:
        start.wait()
        return masks(shared, clicks(person))

    with ThreadPoolExecutor(2) as people:
        together = list(people.map(annotate, (1, 2)))
    alone = [masks(backend(), clicks(person)) for person in (1, 2)]
    overlaps = [
        1.0 if a is None and b is None else 0.0 if a is None or b is None else mask_iou(a, b)
        for mine, ours in zip(alone, together, strict=True)
        for a, b in zip(mine, ours, strict=True)
    ]
    assert len(overlaps) == 2 * CLICKS_PER_PERSON
    assert min(overlaps) > SAME
    assert len({None if mask is None else mask.tobytes() for mask in alone[0]}) > CLICKS_PER_PERSON // 2
