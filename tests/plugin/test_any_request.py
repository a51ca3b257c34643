"""Whatever somebody sends is answered or refused with a reason: recorded requests, with anything changed in them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickmask.decoder import ClickMaskError
from clickmask.plugin.build import Backend
from tests.fuzz import fuzz
from tests.plugin.conftest import DATA, Body, recorded
from tests.plugin.server import serving

PREDICTED = ("click", "click_and_alt_click", "click_beside_old_points", "box", "task_opened")
WAITED_FOR = ("video_box",)  # tracked in the background for seconds: its errors are in test_video_files
TOLD = ("annotation_created", "annotation_updated", "annotations_deleted", "start_training")
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 50, 100.5, 1e308, 2**63, 10**400])
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["\ud800", "image", "../../etc/passwd", "file:///etc/passwd", "http://[", "<View>", "keypointlabels", "Animal"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to everything inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(path for key, item in inner for path in places(item, (*above, key)))]


@st.composite
def changed(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, Any]:
    """The name of a recorded request, and its body with one to three things replaced or taken out."""
    name = draw(st.sampled_from(names))
    body: Any = recorded(name)
    for _ in range(draw(st.integers(1, 3))):
        *above, key = draw(st.sampled_from(places(body)[1:] or [("nothing",)]))
        holder = body
        for step in above:
            holder = holder[step]
        if isinstance(holder, dict) and draw(st.booleans()):
            holder.pop(key, None)
        elif holder:
            holder[key] = draw(ANYTHING)
    return name, body


def answered_or_refused(ask: Callable[[], Body]) -> None:
    """Ask; the answer is JSON, or there is a reason that the backend tells."""
    with contextlib.suppress(ClickMaskError):
        json.dumps(ask())


@fuzz(300)
@given(changed(PREDICTED))
def test_any_prediction_request(backend: Backend, request_changed: tuple[str, Any]) -> None:
    answered_or_refused(lambda: backend.predictor.predict(request_changed[1]).body)


@fuzz(300)
@given(changed(("setup",)))
def test_any_setup_request(backend: Backend, request_changed: tuple[str, Any]) -> None:
    answered_or_refused(lambda: backend.predictor.setup(request_changed[1]))


@fuzz(300)
@given(changed(TOLD))
def test_any_webhook(backend: Backend, request_changed: tuple[str, Any]) -> None:
    _, body = request_changed
    answered_or_refused(lambda: backend.predictor.fit(str(body.get("action")), body))


def test_the_recorded_requests_are_all_changed() -> None:
    assert {*PREDICTED, *WAITED_FOR, *TOLD, "setup"} == {path.stem for path in DATA.glob("*.json")}


@pytest.mark.parametrize("path", ["/predict", "/setup", "/webhook"])
def test_a_body_nested_without_end_is_refused(path: str, make_backend: Callable[..., Backend]) -> None:
    with serving(make_backend()) as client:
        answer = client.post(path, content=b"[" * 200_000, headers={"Content-Type": "application/json"})
        assert (answer.status_code, "no JSON" in answer.json()["error"]) == (400, True)
