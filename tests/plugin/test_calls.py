"""A click's way through the backend is short, and nothing on it is done twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clickmask.decoder import Engine, Model, load_model
from clickmask.plugin.build import Backend
from clickmask.plugin.projects.label_config import read_label_config
from tests.plugin.calls import count_calls
from tests.plugin.conftest import Body, recorded, setup_body
from tests.plugin.studio_server import Studio

MOST_CALLS = 250  # of our functions outside the network, for a click on a picture that is encoded


@pytest.fixture(scope="module")
def nano() -> Model:
    """The model in the box."""
    return load_model("nano")


def click() -> Body:
    """The recorded click, of a project whose answers are brush strokes."""
    body = recorded("click")
    return body | {"label_config": body["label_config"].replace("Polygon", "Brush")}


def test_a_click_on_an_encoded_picture_takes_few_calls(
    make_backend: Callable[..., Backend], studio: Studio, nano: Model
) -> None:
    backend = make_backend(lambda _: Engine(nano), model="nano", predict_seconds=3_600)
    backend.predictor.setup(setup_body(studio, extra_params='{"zoom": false}'))
    backend.predictor.predict(click())
    parsed = read_label_config.cache_info().misses
    calls = count_calls(lambda: backend.predictor.predict(click()))
    assert sum(calls.values()) <= MOST_CALLS, calls.most_common(20)
    assert read_label_config.cache_info().misses == parsed
    for once in ("prompts.check_prompt", "choose.stability_score", "segment.binarize", "prompts.read_prompt"):
        assert calls[once] == 1, once
