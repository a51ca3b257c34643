"""An engine on another machine answers as one here, asks for pixels once, and says in a line what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clickmask.decoder import (
    Box,
    ClusterError,
    Engine,
    ImageSource,
    MaskRule,
    Model,
    Point,
    Prompt,
    PromptError,
    RemoteEngine,
    load_model,
)
from clickmask.decoder.auto.settings import people_settings
from clickmask.decoder.cluster import wire
from clickmask.decoder.cluster.serve import Decoder, build_app
from tests.decoder.cluster.decoder_server import serving
from tests.decoder.label.test_label import photo
from tests.ports import free_port


def no_model() -> Model:
    raise AssertionError("nothing is followed here")


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder("nano", "cpu", "float32", 100)


@pytest.fixture(scope="module")
def far(decoder: Decoder) -> Iterator[RemoteEngine]:
    with serving(lambda body: (200, decoder.answer(body))) as address:
        engine = RemoteEngine(address, "nano", no_model)
        yield engine
        engine.close()


@pytest.fixture(scope="module")
def near() -> Engine:
    return Engine(load_model("nano"))


IMAGE = ImageSource("photo", photo)
MASK = np.zeros((120, 160), bool)
MASK[30:60, 30:50] = True


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(points=(Point(40.5, 45.25), Point(100.0, 70.0, positive=False))),
        Prompt(box=Box(18.0, 19.0, 62.0, 71.0)),
        Prompt(points=(Point(25.0, 25.0),), mask=MASK),
        Prompt(mask_logits=torch.where(torch.from_numpy(MASK), 4.0, -4.0)),
        Prompt(points=(Point(110.0, 60.0),), view=Box(80.0, 30.0, 150.0, 110.0)),
    ],
    ids=["points", "box", "mask", "logits", "view"],
)
def test_answers_are_those_of_an_engine_here(far: RemoteEngine, near: Engine, prompt: Prompt) -> None:
    for how in (MaskRule(), MaskRule(2, zoom=False)):
        there, here = far.segment(IMAGE, prompt, how), near.segment(IMAGE, prompt, how)
        assert all(np.array_equal(there.mask(row), here.mask(row)) for row in (None, 0, 1, 2, 3))
        assert (there.chosen, there.score, there.predicted_iou) == (here.chosen, here.score, here.predicted_iou)
        assert (there.stability, there.object_score) == (here.stability, here.object_score)
        chained = far.chain.segment(IMAGE, prompt, how, MaskRule())
        assert np.array_equal(chained.mask(), near.chain.segment(IMAGE, prompt, how, MaskRule()).mask())


def test_everything_is_what_is_found_here(far: RemoteEngine, near: Engine) -> None:
    told: list[float] = []
    wanted = replace(people_settings("nano"), points_per_side=4)
    assert far.segment_everything(IMAGE, wanted, told.append) == near.segment_everything(IMAGE, wanted)
    assert told == [1.0]


def test_pixels_are_sent_once(far: RemoteEngine, decoder: Decoder) -> None:
    loaded: list[int] = []

    def load() -> Any:
        loaded.append(1)
        return photo(7)

    image = ImageSource("another", load)
    assert not far.has_pixels("another")
    size = far.image_size(image)
    assert (size.height, size.width) == (120, 160)
    for x in (30.0, 40.0, 50.0):
        assert far.segment(image, Prompt(points=(Point(x, 40.0),))).cache_hit
    assert far.encode(image)
    assert loaded == [1]
    assert far.is_cached("another")
    assert far.affinity == 1.0
    assert far.waiting() == 0


def test_a_wrong_prompt_is_told_as_by_an_engine_here(far: RemoteEngine) -> None:
    with pytest.raises(PromptError, match=r"point \(900.0, 1.0\) is outside the 160x120 image"):
        far.segment(IMAGE, Prompt(points=(Point(900.0, 1.0),)))


@pytest.mark.parametrize(
    "message", [b"", b"\xff\n", b"[]\n", b'{"pixels": null}\n', b'{"pixels": [1, 1], "what": "a"}\n']
)
def test_a_malformed_message_is_answered(decoder: Decoder, message: bytes) -> None:
    reply, _ = wire.unpack(decoder.answer(message))
    assert reply["error"][0] == "PromptError"
    assert "malformed" in reply["error"][1]


@pytest.mark.parametrize("address", ["http://head:8000", "ray://", "head:8000", "ray://head:port"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ClusterError, match="is no address of an engine"):
        RemoteEngine(address, "nano", no_model, retry_seconds=0)


def test_nobody_there_is_told() -> None:
    with pytest.raises(ClusterError, match=r"the engine at ray://127.0.0.1:\d+ cannot be reached"):
        RemoteEngine(f"ray://127.0.0.1:{free_port()}", "nano", no_model, retry_seconds=0)


def described(**changes: object) -> bytes:
    from importlib.metadata import version

    result = {"clickmask": version("clickmask"), "model": "nano", "wants_zoom": True, "encoded": 0} | changes
    return wire.pack({"result": result, "replica": "a"})


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, described(clickmask="0.0.1"), "is ClickMask 0.0.1, wanted "),
        (200, described(model="sam2.1_hiera_tiny"), "serves sam2.1_hiera_tiny, wanted nano"),
        (200, b"<html>", "answers with something else: is it ClickMask's"),
        (404, b"no such route", "answers 404: no such route; is the decoder deployed there"),
        (503, b"no replica", "answers 503: no replica"),
    ],
    ids=["another version", "another model", "another program", "not deployed", "no replica"],
)
def test_another_cluster_is_told(status: int, body: bytes, message: str) -> None:
    with serving(lambda _: (status, body)) as address, pytest.raises(ClusterError, match=message):
        RemoteEngine(address, "nano", no_model, retry_seconds=0)


def test_what_was_lost_with_a_replica_is_asked_again(decoder: Decoder) -> None:
    calls: list[int] = []

    def now_and_then(body: bytes) -> tuple[int, bytes]:
        calls.append(1)
        return (500, b"the replica died") if len(calls) % 2 else (200, decoder.answer(body))

    with serving(now_and_then) as address:
        engine = RemoteEngine(address, "nano", no_model, retry_seconds=5)
        assert engine.segment(IMAGE, Prompt(points=(Point(40.0, 40.0),))).mask().any()
        engine.close()
    assert len(calls) >= 4


@pytest.mark.filterwarnings("ignore")  # Ray warns of itself
def test_options_of_the_deployment_are_checked() -> None:
    pytest.importorskip("ray", reason="needs the extra ray: make test-ray")
    with pytest.raises(ClusterError, match="option modle of the decoder is unknown, wanted model, device"):
        build_app({"modle": "nano"})
    with pytest.raises(ClusterError, match="option cache_mb of the decoder is 'much', wanted a whole number"):
        build_app({"cache_mb": "much"})


numbers = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=30)
@given(st.lists(st.tuples(numbers, numbers, st.booleans()), max_size=4), st.none() | st.tuples(*[numbers] * 4))
def test_prompts_travel_to_the_bit(points: list[tuple[float, float, bool]], box: Any) -> None:
    prompt = Prompt(points=tuple(Point(*point) for point in points), box=None if box is None else Box(*box))
    sent = wire.read_prompt(json.loads(json.dumps(wire.prompt_fields(prompt))))
    assert (sent.points, sent.box) == (prompt.points, prompt.box)
