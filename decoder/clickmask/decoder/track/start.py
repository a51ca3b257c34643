"""The way of tracking that fits a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clickmask.decoder.modeling.sam2 import Sam2
from clickmask.decoder.models import Model
from clickmask.decoder.optimize import optimize, plain
from clickmask.decoder.track.matching import MatchPropagation
from clickmask.decoder.track.memory import MemoryRule
from clickmask.decoder.track.nano_propagation import NanoPropagation
from clickmask.decoder.track.nano_weights import load_nano_memory
from clickmask.decoder.track.sam2_propagation import Sam2Propagation
from clickmask.decoder.track.tracker import Tracker
from clickmask.decoder.video.frames import Video

DEFAULT_RULE = MemoryRule()
MEMORY_WEIGHTS = Path(__file__).parent.parent / "weights" / "nano-memory.safetensors"


def open_tracker(
    model: Model, video: Video, *, memory_weights: Path = MEMORY_WEIGHTS, rule: MemoryRule = DEFAULT_RULE
) -> Tracker[Any]:
    """Make a tracker: by the model's memory where it has one, else by the colours of the object.

    Nano's memory lies in a file of its own, and is used with the nano that it was trained beside only.

    Args:
        model: That answers prompts.
        video: Whose frames are followed.
        memory_weights: Nano's memory.
        rule: Which memories a network of SAM 2's kind looks at: how many prompted frames, and whether SAM 3's way.

    Raises:
        CheckpointError: If that file is broken.
    """
    model = plain(model)  # an optimised SAM 2 is for still images, and has no memory
    if isinstance(model.network, Sam2):
        return Tracker(Sam2Propagation(model, rule), video)
    memory = load_nano_memory(model, memory_weights) if memory_weights.is_file() else None
    model = optimize(model)
    return Tracker(MatchPropagation(model) if memory is None else NanoPropagation(model, memory), video)
