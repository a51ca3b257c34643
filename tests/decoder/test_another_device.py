"""Nothing is computed from tensors of two devices, which a GPU would refuse and a CPU alone never shows.

Torch's meta device stands in for a GPU: it has shapes but no values, and mixing it with the CPU raises as well. What
the CPU asks it for is made up, so answers mean nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from clickmask.decoder.modeling.nano import Nano
from clickmask.decoder.modeling.nano_memory import NanoMemory, NanoMemoryConfig
from clickmask.decoder.models import Model
from clickmask.decoder.optimize import optimize
from clickmask.decoder.prompts import Box, Point, Prompt
from clickmask.decoder.segment import encode_image, predict_many
from clickmask.decoder.track.matching import MatchPropagation
from clickmask.decoder.track.nano_propagation import NanoPropagation
from clickmask.decoder.track.propagation import Propagation
from clickmask.decoder.track.sam2_propagation import Sam2Propagation
from clickmask.decoder.track.tracker import Tracker
from clickmask.decoder.video.frames import ArrayVideo
from tests.decoder.track.small_sam2 import small_model
from tests.training.test_nano_training import TINY
from training.interactive import interactive_loss, plain_start
from training.pasting import paste_objects
from training.scene import LEVELS
from training.targets import choose_targets
from training.video_frames import EncodedClip, Excerpt
from training.video_memory import follow, follow_loss
from training.views import random_colours, random_windows, render
from training.zoom import zoom_start

ELSEWHERE = torch.device("meta")
PROMPTS = (Prompt(points=(Point(20, 30),)), Prompt(box=Box(5, 5, 40, 50)), Prompt(mask_logits=torch.ones(64, 64)))


def _made_up(fetch: Callable[..., Any]) -> Callable[..., Any]:
    """What brings values to the CPU, and makes them up where there are none."""

    def fetched(tensor: Tensor, *arguments: Any, **options: Any) -> Any:
        there = torch.rand(tensor.shape).to(tensor.dtype) if tensor.is_meta else tensor
        return fetch(there, *arguments, **options)

    return fetched


@pytest.fixture(autouse=True)
def values_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cpu", "tolist", "__float__", "__bool__"):
        monkeypatch.setattr(Tensor, name, _made_up(getattr(Tensor, name)))
    count = torch.bincount

    def bincount(x: Tensor, minlength: int) -> Tensor:  # the meta device has none
        return torch.zeros(minlength, dtype=torch.int64, device=ELSEWHERE) if x.is_meta else count(x, None, minlength)

    monkeypatch.setattr(torch, "bincount", bincount)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


def _elsewhere(model: Model) -> Model:
    network = cast(nn.Module, model.network).to(ELSEWHERE)
    return replace(model, network=cast(Any, network), device=ELSEWHERE)


def _image() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def _nano() -> Model:
    return _elsewhere(Model("nano", Nano(TINY).eval(), torch.device("cpu"), torch.float32, "random"))


def _track(way: Propagation[Any]) -> None:
    tracker = Tracker(way, ArrayVideo([_image()] * 4))
    state = tracker.start()
    for number, prompt in enumerate(PROMPTS):
        state = tracker.prompt(state, number, number, prompt).state
    assert len(list(tracker.propagate(state, range(4)))) == 4


def test_the_stand_in_refuses_to_mix() -> None:
    with pytest.raises(RuntimeError, match="not on the expected device"):
        torch.ones(3, device=ELSEWHERE) + torch.ones(3)


@pytest.mark.parametrize(
    "make", [_nano, lambda: _elsewhere(small_model()), lambda: optimize(_elsewhere(small_model()))]
)
def test_prompts_are_answered(make: Callable[[], Model]) -> None:
    model = make()
    embedding = encode_image(model, _image())
    answers = predict_many(model, [(embedding, prompt) for prompt in PROMPTS])
    assert all(answer.logits.device.type == "cpu" for answer in answers)


def test_sam2_tracks() -> None:
    _track(Sam2Propagation(_elsewhere(small_model())))


def test_nano_tracks_by_colours(nano: Model) -> None:
    network = Nano(cast(Nano, nano.network).config).eval()
    _track(MatchPropagation(_elsewhere(replace(nano, network=network))))


def test_nano_tracks_by_its_memory(nano: Model) -> None:
    network = Nano(cast(Nano, nano.network).config).eval()
    memory = NanoMemory(NanoMemoryConfig()).eval().requires_grad_(False).to(ELSEWHERE)
    _track(NanoPropagation(_elsewhere(replace(nano, network=network)), memory))


def test_nano_trains() -> None:
    generator = torch.Generator().manual_seed(0)
    network = Nano(TINY).to(ELSEWHERE)
    images = torch.empty(3, 96, 96, 3 + LEVELS, dtype=torch.uint8, device=ELSEWHERE)
    images = paste_objects(images, 2, generator)
    maps, colour = random_windows(3, generator).to(ELSEWHERE), random_colours(3, generator).to(ELSEWHERE)
    views = render(images, maps, TINY.image_side, colour=colour)
    starts = [
        plain_start(views, choose_targets(views.labels, 2, generator), generator),
        zoom_start(network, images, maps, views, 2, colour, generator),
    ]
    for start in starts:
        loss, _ = interactive_loss(network, start, generator)
        assert loss.device.type == ELSEWHERE.type


def test_nanos_memory_trains() -> None:
    memory = NanoMemory(NanoMemoryConfig()).to(ELSEWHERE)
    width = memory.config.nano.decoder.width
    maps = [(width, 16), (width // 4, 32), (width // 8, 64), (12, 64)]  # image, s8, s4, colours
    image, s8, s4, colours = (torch.empty(4, depth, side, side, device=ELSEWHERE) for depth, side in maps)
    shares = torch.empty(4, 8, 64, 64, dtype=torch.uint8, device=ELSEWHERE)
    clip = EncodedClip(image, s8, s4, colours, shares)
    excerpt = Excerpt(clip, (0, 1, 2, 3), torch.tensor([0, 2]))
    loss, _ = follow_loss(follow(memory, excerpt, clip.masks(0, excerpt.objects)))
    assert loss.device.type == ELSEWHERE.type
