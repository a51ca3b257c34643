"""Objects through videos: prompts and frames in, masks out; what is known is a value that is handed around."""

from clickmask.decoder.track.memory import FrameMemory
from clickmask.decoder.track.overlay import colour_of, write_overlay
from clickmask.decoder.track.start import open_tracker
from clickmask.decoder.track.tracker import Step, TrackedMask, Tracker, TrackState

__all__ = [
    "FrameMemory",
    "Step",
    "TrackState",
    "TrackedMask",
    "Tracker",
    "colour_of",
    "open_tracker",
    "write_overlay",
]
