"""Every family does all that the house does: clicks, chains, a second look, a store, everything, a video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from clickmask.decoder import Engine, Model, Point, Prompt
from clickmask.decoder.auto import AutoSettings
from clickmask.decoder.images import ImageSource
from clickmask.decoder.mask_rule import MaskRule
from clickmask.decoder.modeling.sam1 import Sam1
from clickmask.decoder.modeling.sam2 import ImageSam2, Sam2
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.video.frames import ArrayVideo
from tests.decoder.modeling.test_sam1 import CONFIG as SAM1_CONFIG
from tests.decoder.modeling.test_sam3 import CONFIG as SAM3_CONFIG
from tests.decoder.track.small_sam2 import CONFIG as SAM2_CONFIG
from tests.decoder.track.small_sam2 import as_model, moving_square, randomise

PICTURE = np.random.default_rng(0).integers(0, 256, (67, 101, 3), dtype=np.uint8)
CLICK, SECOND = Point(30, 25), Point(80, 60, positive=False)
EVERYTHING = AutoSettings(points_per_side=3, min_predicted_iou=-1e9, min_stability=0.0, min_area=0.0, max_area=1.0)


@pytest.fixture(scope="module", params=["SAM 1", "SAM 2", "SAM 3"])
def model(request: pytest.FixtureRequest) -> Model:
    """A small network of the family, random weights."""
    networks: dict[str, Callable[[], nn.Module]] = {
        "SAM 1": lambda: Sam1(SAM1_CONFIG),
        "SAM 2": lambda: ImageSam2(SAM2_CONFIG),
        "SAM 3": lambda: Sam2(SAM3_CONFIG),
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = networks[request.param]()
        randomise(network)
    return as_model(network)  # type: ignore[arg-type]


def source(key: str = "picture") -> ImageSource:
    return ImageSource(key, lambda: PICTURE)


@pytest.mark.parametrize("zoom", [False, True])
def test_clicks_and_their_chain(model: Model, zoom: bool) -> None:
    engine, how = Engine(model), MaskRule("auto", zoom)
    first = engine.chain.segment(source(), Prompt(points=(CLICK,)), how)
    second = engine.chain.segment(source(), Prompt(points=(CLICK, SECOND)), how)
    assert first.mask().shape == second.mask().shape == PICTURE.shape[:2]
    afresh = Engine(model).chain.segment(source(), Prompt(points=(CLICK, SECOND)), how)
    np.testing.assert_array_equal(second.mask(), afresh.mask())  # the first answer is found or made again


def test_the_store_gives_back_what_was_encoded(model: Model, tmp_path: Path) -> None:
    asked, how = Prompt(points=(CLICK,)), MaskRule("auto", zoom=False)  # a second look needs the picture itself
    first = Engine(model, store_folder=tmp_path).segment(source(), asked, how)
    again = Engine(model, store_folder=tmp_path).segment(ImageSource("picture", lambda: PICTURE[:1]), asked, how)
    torch.testing.assert_close(first.logits, again.logits)


def test_everything(model: Model) -> None:
    found = Engine(model).segment_everything(source(), EVERYTHING)
    assert found
    assert all(mask.mask().shape == PICTURE.shape[:2] for mask in found)


def test_a_video(model: Model) -> None:
    tracker = open_tracker(model, ArrayVideo(moving_square(4)))
    state = tracker.prompt(tracker.start(), 0, 1, Prompt(points=(Point(24, 24),))).state
    assert [step.frame for step in tracker.propagate(state, range(4))] == [0, 1, 2, 3]
