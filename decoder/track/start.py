"""The way of tracking that fits a model."""

from __future__ import annotations

from typing import Any

from decoder.modeling.sam2 import Sam2
from decoder.models import Model
from decoder.track.frames import Video
from decoder.track.matching import MatchPropagation
from decoder.track.sam2_propagation import Sam2Propagation
from decoder.track.tracker import Tracker


def open_tracker(model: Model, video: Video) -> Tracker[Any]:
    """Make a tracker: by SAM 2's memory where the model has one, else by the looks of the object."""
    if isinstance(model.network, Sam2):
        return Tracker(Sam2Propagation(model), video)
    return Tracker(MatchPropagation(model), video)
