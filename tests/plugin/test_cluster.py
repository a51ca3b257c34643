"""The backend with its decoders on other machines: the same answers, and a line where nobody is there."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image

from clickmask.decoder import Engine, RemoteEngine, load_model
from clickmask.decoder.cluster.serve import Decoder
from clickmask.plugin.build import Backend, load_engine
from clickmask.plugin.errors import NotReadyError, SettingsError
from clickmask.plugin.settings import Settings, read_settings
from tests.decoder.cluster.decoder_server import serving
from tests.plugin.conftest import RECORDED_IMAGE, recorded, setup_body
from tests.plugin.studio_server import Studio
from tests.ports import free_port


def square() -> bytes:
    """A PNG with a bright square around the recorded click."""
    pixels = np.random.default_rng(0).integers(0, 60, (343, 502, 3), dtype=np.uint8)
    pixels[90:230, 170:330] += 150
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_clicks_are_answered_by_decoders_on_other_machines(
    make_backend: Callable[..., Backend], studio: Studio
) -> None:
    studio.files[RECORDED_IMAGE] = square()
    decoder = Decoder("nano", "cpu", "float32", 100)
    here = make_backend(lambda _: Engine(load_model("nano")), model="nano", predict_seconds=3_600)
    with serving(lambda body: (200, decoder.answer(body))) as address:
        there = make_backend(partial(load_engine, Settings(engine=address)), model="nano", predict_seconds=3_600)
        values = []
        for backend in (here, there):
            backend.predictor.setup(setup_body(studio))
            (prediction,) = backend.predictor.predict(recorded("click")).body["results"]
            values.append([region["value"] for region in prediction["result"]])
    assert values[0] == values[1] != []


def test_a_cluster_that_is_not_there_is_told(make_backend: Callable[..., Backend], studio: Studio) -> None:
    address = f"ray://127.0.0.1:{free_port()}"

    def load(name: str) -> RemoteEngine:
        return RemoteEngine(address, name, lambda: load_model(name), retry_seconds=0)

    backend = make_backend(load, model="nano")
    backend.predictor.setup(setup_body(studio))
    with pytest.raises(NotReadyError, match=f"model nano cannot be loaded: the engine at {address} cannot be reached"):
        backend.predictor.predict(recorded("click"))


def test_what_is_no_address_of_an_engine_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="CLICKMASK_ENGINE: got 'head:8000', wanted an address like ray://head:8"):
        read_settings({}, {"CLICKMASK_ENGINE": "head:8000"})
