"""A box that is not accepted yet goes with the clicks in it, if the project wants that, and only the clicker's own."""

from __future__ import annotations

from typing import Any

import pytest

from plugin.build import Backend
from tests.plugin.conftest import Body, recorded, setup_body
from tests.plugin.studio_server import Studio


def box(**changes: Any) -> Body:
    """The box of the recorded request, as a draft holds it: around the recorded click."""
    drawn: Body = recorded("box")["params"]["context"]["result"][-1]
    return drawn | changes


def clicked(*drafted: Body, name: str = "click") -> Body:
    """The recorded click by a person whose draft holds these regions."""
    body = recorded(name)
    body["tasks"][0]["drafts"] = [{"id": 1, "result": list(drafted)}]
    return body


@pytest.fixture
def steering(backend: Backend, studio: Studio) -> Backend:
    """A backend whose project lets boxes steer."""
    backend.predictor.setup(setup_body(studio, extra_params={"box_steers": True}))
    return backend


def prompt_box(backend: Backend, body: Body) -> object:
    """The box that went with the request's clicks."""
    (prediction,) = backend.predictor.predict(body).body["results"]
    body = recorded("annotation_created")
    body["annotation"]["result"] = prediction["result"]
    backend.predictor.fit("ANNOTATION_CREATED", body)
    *_, example = backend.records.examples()
    return example["prompt"]["box_xyxy"]


@pytest.mark.parametrize("name", ["click", "click_and_alt_click"])
def test_a_box_in_the_draft_goes_with_the_clicks_in_it(steering: Backend, name: str) -> None:
    with_box = prompt_box(steering, clicked(box(), name=name))
    assert with_box == prompt_box(steering, recorded("box"))
    assert with_box is not None


def test_it_is_off_unless_the_project_asks_for_it(backend: Backend) -> None:
    assert prompt_box(backend, clicked(box())) is None


@pytest.mark.parametrize(
    "drafted",
    [
        box(value=box()["value"] | {"rectanglelabels": ["Building"]}),
        box(value=box()["value"] | {"x": 80, "width": 10}),
        box(from_name="rectangle"),
        box(to_name="other"),
        box(type="polygonlabels"),
    ],
    ids=["another label", "elsewhere", "not a prompt", "another image", "no box"],
)
def test_other_regions_say_nothing(steering: Backend, drafted: Body) -> None:
    assert prompt_box(steering, clicked(drafted)) is None


def test_the_newest_box_counts(steering: Backend) -> None:
    older = box(value=box()["value"] | {"x": 0, "y": 0, "width": 100, "height": 100})
    assert prompt_box(steering, clicked(older, box())) == prompt_box(steering, recorded("box"))


@pytest.mark.parametrize("drafts", [None, 3, [3], [{"result": None}], [{"result": [None]}], [{}]])
def test_drafts_of_any_kind_are_read(steering: Backend, drafts: object) -> None:
    body = recorded("click")
    body["tasks"][0]["drafts"] = drafts
    assert prompt_box(steering, body) is None
