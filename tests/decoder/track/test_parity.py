"""Every step of a recorded session with the official video predictor, in the same order.

Two objects on eight frames: a click and a box on frame 0, forward, a correction on frame 4, forward again, backward.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from clickmask.decoder.images import load_image
from clickmask.decoder.models import Model
from clickmask.decoder.prompts import Box, Point, Prompt, Size
from clickmask.decoder.segment import binarize
from clickmask.decoder.track.sam2_memory import Sam2Memory
from clickmask.decoder.track.sam2_propagation import Sam2Propagation
from clickmask.decoder.track.tracker import Step, Tracker
from clickmask.decoder.video.frames import ArrayVideo

RECORD = Path(__file__).parents[2] / "data" / "sam2_video"
SIDE = 1024


def replay(model: Model) -> Iterator[tuple[str, Step[Sam2Memory]]]:
    """Do what was recorded; give every step with its name."""
    images = [load_image(path) for path in sorted(RECORD.glob("*.jpg"))]
    tracker = Tracker(Sam2Propagation(model), ArrayVideo(images))
    clicked = tracker.prompt(tracker.start(), 0, 1, Prompt(points=(Point(300, 500),)))
    yield "click0", clicked
    boxed = tracker.prompt(clicked.state, 0, 2, Prompt(box=Box(600, 300, 800, 700)))
    yield "box0", boxed
    state = boxed.state
    for step in tracker.propagate(state, range(8)):
        yield f"fwd{step.frame}", step
        state = step.state
    correction = Prompt(points=(Point(320, 520), Point(700, 200, positive=False)))
    corrected = tracker.prompt(state, 4, 1, correction)
    yield "corr4", corrected
    state = corrected.state
    for step in tracker.propagate(state, range(4, 8)):
        yield f"refwd{step.frame}", step
        state = step.state
    for step in tracker.propagate(state, range(4, -1, -1)):
        yield f"rev{step.frame}", step


@pytest.fixture(scope="module")
def steps(tiny: Model) -> dict[str, Step[Sam2Memory]]:
    return dict(replay(tiny))


def test_every_step_matches_the_official_predictor(steps: dict[str, Step[Sam2Memory]]) -> None:
    recorded = np.load(RECORD / "videocond_sam2.1_t.npz")
    checked = 0
    for name, step in steps.items():
        for key in step.masks:
            memory = step.state.banks[key].at(step.frame)
            assert memory is not None
            logits = torch.nn.functional.interpolate(memory.logits[None, None], (SIDE, SIDE), mode="bilinear")[0, 0]
            difference = np.abs(logits[::16, ::16].numpy() - recorded[f"{name}_obj{key}"]).max()
            area = int(binarize(memory.logits, Size(SIDE, SIDE)).sum())
            wanted = int(recorded[f"{name}_obj{key}_area"])
            assert difference <= 1e-3, f"{name}, object {key}"
            assert abs(area - wanted) <= 5e-4 * wanted, f"{name}, object {key}"
            checked += 1
    assert checked == 37
