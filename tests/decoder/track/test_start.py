"""Which way of tracking a model gets."""

from __future__ import annotations

import torch

from clickmask.decoder.optimize import optimize
from clickmask.decoder.prompts import Box, Prompt
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.video.frames import ArrayVideo
from tests.decoder.track.small_sam2 import moving_square, small_model


def test_an_engines_network_tracks_as_the_plain_one_does() -> None:
    """The fast form is for still images and has no memory; an engine knows no other."""
    model, video = small_model(), ArrayVideo(moving_square(3))
    found = []
    for form in (model, optimize(model)):
        tracker = open_tracker(form, video)
        state = tracker.prompt(tracker.start(), 0, 1, Prompt(box=Box(16, 16, 32, 32))).state
        last = list(tracker.propagate(state, range(3)))[-1]
        found.append(last.state.banks[1].memories[2].logits)
    torch.testing.assert_close(*found)
