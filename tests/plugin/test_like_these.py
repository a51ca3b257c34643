"""What a project accepted is found on its other tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clickmask.decoder import Engine, Model
from clickmask.decoder.formats.label_studio import Region, result_to_mask, to_polygon_results
from clickmask.decoder.shapes import mask_iou
from clickmask.plugin.build import Backend
from tests.decoder.similar.discs import discs, draw
from tests.plugin.conftest import Body, recorded, setup_body
from tests.plugin.studio_server import Studio
from tests.plugin.test_prelabel import unprompted


@pytest.fixture
def backend(make_backend: Callable[..., Backend], studio: Studio, nano: Model, tmp_path: Path) -> Backend:
    """A project on three pictures of five discs each."""
    for number in range(3):
        draw(tmp_path / f"{number}.png", number)
        studio.files[image(number)] = (tmp_path / f"{number}.png").read_bytes()
    made = make_backend(load=lambda _: Engine(nano), model="nano", predict_seconds=3_600)
    made.predictor.setup(setup_body(studio, extra_params={"prelabel": "like these"}))
    return made


def image(number: int) -> str:
    return f"/data/upload/1/{number}.png"


def task(number: int, *annotations: Body) -> Body:
    data = {"image": image(number)}
    return {"id": number, "project": 1, "data": data, "annotations": list(annotations), "predictions": []}


def annotation(*places: int) -> Body:
    """Some of the discs, as a person outlined them."""
    region = Region("polygon", "image", ("Thing",), "disc")
    results = [to_polygon_results(discs()[place], replace(region, id=f"disc-{place}")) for place in places]
    whole: Body = recorded("annotation_created")["annotation"]
    return whole | {"result": [item for items in results for item in items]}


def accept(backend: Backend, number: int, *places: int) -> None:
    body = recorded("annotation_created")
    body["task"] = body["task"] | {"id": number, "data": {"image": image(number)}}
    backend.predictor.fit("ANNOTATION_CREATED", body | {"annotation": annotation(*places)})


def found(prediction: Body) -> int:
    """How many of the discs are there."""
    masks = [result_to_mask(region) for region in prediction["result"]]
    return sum(any(mask_iou(mask, disc) >= 0.7 for mask in masks) for disc in discs())


def test_what_is_accepted_is_found_on_other_tasks(backend: Backend) -> None:
    accept(backend, 0, 0, 1)
    first, second = backend.predictor.predict(unprompted(task(1), task(2, annotation(2)))).body["results"]
    assert found(first) >= 4
    assert {tuple(region["value"]["polygonlabels"]) for region in first["result"]} == {("Thing",)}
    assert all(0 <= region["score"] <= 1 for region in first["result"])
    assert 0 <= first["score"] <= min(region["score"] for region in first["result"])
    masks = [result_to_mask(region) for region in second["result"]]
    assert not any(mask_iou(mask, discs()[2]) >= 0.5 for mask in masks)  # it is annotated there already


def test_nothing_is_found_before_anything_is_accepted(backend: Backend) -> None:
    assert backend.predictor.predict(unprompted(task(1), task(2))).body == {"results": [[], []]}
    accept(backend, 0, 0)
    first, _ = backend.predictor.predict(unprompted(task(1), task(2))).body["results"]
    assert found(first) >= 3  # what was accepted since is known at once


def test_an_example_that_cannot_be_read_is_told_and_left_out(
    backend: Backend, studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    accept(backend, 0, 0, 1)
    del studio.files[image(0)]
    assert backend.predictor.predict(unprompted(task(1), task(2))).body == {"results": [[], []]}
    assert "is no example" in caplog.text
