"""Segment everything: a grid of clicks on an image or on parts of it, and of their masks the good ones, each once."""

from clickmask.decoder.auto.found import FoundMask
from clickmask.decoder.auto.generate import segment_everything
from clickmask.decoder.auto.settings import OFFICIAL, AutoSettings, model_settings, people_settings
from clickmask.decoder.auto.tiles import segment_tiles

__all__ = [
    "OFFICIAL",
    "AutoSettings",
    "FoundMask",
    "model_settings",
    "people_settings",
    "segment_everything",
    "segment_tiles",
]
